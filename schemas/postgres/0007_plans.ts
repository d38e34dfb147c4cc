/** What each tenant may use, where its audit trail is streamed to, and who of the platform's staff may look into it. */
import { type Kysely, sql } from "kysely";

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .alterTable("tenants")
    // The plan of who was here before there were plans, and of who runs Astralog for himself.
    .addColumn("plan", "text", (c) => c.notNull().defaultTo("enterprise"))
    .addColumn("overrides", "jsonb", (c) => c.notNull().defaultTo(sql`'{}'`))
    .addColumn("staff_may_approve", "boolean", (c) => c.notNull().defaultTo(false))
    .execute();

  await db.schema
    .createTable("audit_streams")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("url", "text", (c) => c.notNull())
    .addColumn("secret", "text", (c) => c.notNull())
    .addColumn("secret_before", "text")
    .addColumn("secret_before_until", "timestamptz")
    .addColumn("cursor", "bigint", (c) => c.notNull().check(sql`cursor >= 0`))
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("attempts", "integer", (c) => c.notNull().defaultTo(0))
    .addColumn("next_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("tried_at", "timestamptz")
    .addColumn("delivered_at", "timestamptz")
    .addColumn("problem", "text", (c) => c.notNull().defaultTo(""))
    .addColumn("disabled_at", "timestamptz")
    .execute();
  await db.schema
    .createIndex("audit_streams_by_tenant")
    .on("audit_streams")
    .columns(["tenant", "created_at"])
    .execute();

  await db.schema
    .createTable("staff")
    .addColumn("person", "text", (c) => c.primaryKey().references("people.id").onDelete("cascade"))
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .execute();
  await db.schema
    .createTable("access_grants")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("person", "text", (c) => c.notNull().references("people.id"))
    .addColumn("reason", "text", (c) => c.notNull().check(sql`length(reason) between 10 and 500`))
    .addColumn("permissions", sql`text[]`, (c) => c.notNull())
    .addColumn("seconds", "integer", (c) => c.notNull().check(sql`seconds between 60 and 28800`))
    .addColumn("requested_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("decided_at", "timestamptz")
    .addColumn("decided_by", "text", (c) => c.references("people.id"))
    .addColumn("approved", "boolean")
    .addColumn("expires_at", "timestamptz")
    .addColumn("ended_at", "timestamptz")
    .addColumn("used_at", "timestamptz")
    .addCheckConstraint("access_grants_other_decides", sql`decided_by is null or decided_by <> person`)
    .addCheckConstraint("access_grants_decision", sql`(decided_at is null) = (approved is null)`)
    .addCheckConstraint("access_grants_end", sql`(expires_at is not null) = coalesce(approved, false)`)
    .addCheckConstraint("access_grants_bounded", sql`expires_at <= decided_at + make_interval(secs => seconds)`)
    .execute();
  await db.schema
    .createIndex("access_grants_by_tenant")
    .on("access_grants")
    .columns(["tenant", "requested_at"])
    .execute();
  await db.schema.createIndex("access_grants_by_person").on("access_grants").columns(["person", "tenant"]).execute();
  await db.schema
    .createTable("access_uses")
    .addColumn("access_grant", "text", (c) => c.notNull().references("access_grants.id").onDelete("cascade"))
    // No reference to sessions: what was done with one outlives it.
    .addColumn("session", "text", (c) => c.notNull())
    .addColumn("at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addPrimaryKeyConstraint("access_uses_pkey", ["access_grant", "session"])
    .execute();
};

export const down = async (db: Kysely<unknown>): Promise<void> => {
  for (const table of ["access_uses", "access_grants", "staff", "audit_streams"])
    await db.schema.dropTable(table).execute();
  for (const column of ["plan", "overrides", "staff_may_approve"])
    await db.schema.alterTable("tenants").dropColumn(column).execute();
};
