/**
 * The configuration of an organization as documents, read in one moment. Columns are named one by one: what is secret, and what a
 * later version adds, is in no file until somebody writes it here.
 */
import type { ConfigurationFile } from "@astralog/schemas/takeout";
import { sql } from "kysely";
import type { Db } from "../postgres.ts";

/** Each entry as docs/takeout.md describes it. */
export type Configuration = Readonly<Record<ConfigurationFile, readonly object[]>>;

export const readConfiguration = (db: Db, tenant: string): Promise<Configuration> =>
  db
    .transaction()
    .setIsolationLevel("repeatable read")
    .execute(async (trx) => {
      const organization = await trx
        .selectFrom("tenants")
        .select(["id", "name", "plan", "require_mfa", "sso_only", "staff_may_approve", "created_at"])
        .where("id", "=", tenant)
        .execute();
      const roles = await trx
        .selectFrom("roles")
        .select(["id", "name", "permissions", "created_at"])
        .where("tenant", "=", tenant)
        .orderBy("id")
        .execute();
      const sources = await trx
        .selectFrom("sources")
        .select(["id", "name", "disabled", "retention_days", "partitions", "max_bytes_per_second", "created_at"])
        .select(sql<boolean>`cardinality(native_partitions) > 0`.as("native"))
        .where("tenant", "=", tenant)
        .orderBy("id")
        .execute();
      const teams = await trx
        .selectFrom("teams")
        .select(["id", "name", "sources", "created_at"])
        .select(({ selectFrom }) =>
          sql<
            string[]
          >`array(${selectFrom("team_members").select("person").whereRef("team", "=", "teams.id").orderBy("person")})`.as(
            "members",
          ),
        )
        .where("tenant", "=", tenant)
        .orderBy("id")
        .execute();
      const members = await trx
        .selectFrom("memberships")
        .innerJoin("people", "people.id", "memberships.person")
        .select(["person", "people.email", "people.name", "role", "sources", "memberships.created_at"])
        .where("tenant", "=", tenant)
        .orderBy("person")
        .execute();
      const keys = await trx
        .selectFrom("keys")
        .select(["id", "kind", "source", "name", "prefix", "last4", "permissions", "sources", "ip_allowlist"])
        .select(["created_at", "expires_at", "revoked_at", "last_used_at"])
        .where("tenant", "=", tenant)
        .orderBy("id")
        .execute();
      const producers = await trx
        .selectFrom("producers")
        .select(["id", "source", "name", "username", "created_at", "expires_at", "revoked_at"])
        .where("tenant", "=", tenant)
        .orderBy("id")
        .execute();
      const retention = await trx
        .selectFrom("retention_rules")
        .select(["id", "definition", "created_at"])
        .where("tenant", "=", tenant)
        .orderBy("created_at")
        .orderBy("id")
        .execute();
      const destinations = await trx
        .selectFrom("alert_destinations")
        .select(["id", "name", "kind", "settings", "template", "standard", "disabled_at", "created_at"])
        .select(sql<boolean>`sealed <> ''`.as("has_secrets"))
        .where("tenant", "=", tenant)
        .orderBy("id")
        .execute();
      const alertRules = await trx
        .selectFrom("alert_rules")
        .select(["id", "version", "definition", "created_at"])
        .where("tenant", "=", tenant)
        .where("deleted_at", "is", null)
        .orderBy("id")
        .execute();
      const views = await trx
        .selectFrom("views")
        .select(["id", "kind", "owner", "owner_name", "name", "shared", "content", "created_at", "updated_at"])
        .where("tenant", "=", tenant)
        // What its owner has not shared nobody else can open, and so it is in no file of the organization's.
        .where("shared", "=", true)
        .orderBy("id")
        .execute();
      const annotations = await trx
        .selectFrom("annotations")
        .select(["id", "kind", "title", "service", "url", "at", "until", "created_by", "created_at"])
        .where("tenant", "=", tenant)
        .orderBy("id")
        .execute();
      const connections = await trx
        .selectFrom("storage_connections")
        .select(["id", "name", "kind", "endpoint", "region", "bucket", "prefix", "encryption", "kms_key"])
        .select(["access_key_id", "client_key_ids", "archive", "retention_days", "created_at"])
        .where("tenant", "=", tenant)
        .orderBy("id")
        .execute();
      const servers = await trx
        .selectFrom("clickhouse_connections")
        .select(["id", "name", "url", "username", "database", "cluster", "mode", "created_at"])
        .where("tenant", "=", tenant)
        .orderBy("id")
        .execute();
      const sso = await trx
        .selectFrom("sso_connections")
        .select(["id", "kind", "name", "enabled", "issuer", "client_id", "entry_point", "admits", "role"])
        .select(["trusts_email", "logout_url", "created_at"])
        .where("tenant", "=", tenant)
        .orderBy("id")
        .execute();
      const domains = await trx
        .selectFrom("domains")
        .select(["id", "domain", "created_at", "verified_at"])
        .where("tenant", "=", tenant)
        .orderBy("id")
        .execute();
      const streams = await trx
        .selectFrom("audit_streams")
        .select(["id", "name", "url", "created_at", "disabled_at"])
        .where("tenant", "=", tenant)
        .orderBy("id")
        .execute();
      const ofKind = (kind: "view" | "dashboard") =>
        views.filter((row) => row.kind === kind).map(({ kind: _, ...row }) => row);
      return {
        ...{ organization, roles, sources, teams, members, keys, producers },
        "retention-rules": retention.map(({ definition, ...row }) => ({ ...row, rule: definition })),
        "alert-destinations": destinations,
        "alert-rules": alertRules.map(({ definition, ...row }) => ({ ...row, rule: definition })),
        ...{ views: ofKind("view"), dashboards: ofKind("dashboard"), annotations, "storage-connections": connections },
        "clickhouse-connections": servers,
        ...{ "sso-connections": sso, domains, "audit-streams": streams },
      };
    });

/** A file of the configuration. */
export const configurationText = (file: ConfigurationFile, entries: readonly object[]): string =>
  `${JSON.stringify({ format: `astralog.${file}/1`, entries }, undefined, 2)}\n`;
