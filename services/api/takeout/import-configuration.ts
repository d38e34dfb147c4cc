/**
 * Makes the entries of a takeout's configuration anew, one by one, with the rights of whoever imports. Ids are given anew; what an
 * entry says of others is told in ours. People are invited, never made. What needs a secret is told to be entered, for none came.
 */
import { Fault } from "@astralog/chassis";
import { isBuiltInRole, tenantPermissions } from "@astralog/schemas";
import { ruleShape } from "@astralog/schemas/alerts/index";
import { retentionRuleShape } from "@astralog/schemas/retention/index";
import type { ConfigurationFile } from "@astralog/schemas/takeout";
import { z } from "zod";
import { newDestination } from "../alerts/destination-shapes.ts";
import type { Destinations } from "../alerts/destinations.ts";
import { createRule as createAlertRule } from "../alerts/rules.ts";
import type { By } from "../audit/audit-trail.ts";
import { createSource, listSources } from "../control/sources.ts";
import type { Caller } from "../http/caller.ts";
import type { SendInvitation } from "../organizations/invitation-letter.ts";
import { createInvitation } from "../organizations/invitations.ts";
import { createRole, listRoles } from "../organizations/roles.ts";
import { createTeam, listTeams, setTeamMember } from "../organizations/teams.ts";
import type { Db } from "../postgres.ts";
import { createRule as createRetentionRule } from "../retention/rules.ts";
import { createAnnotation } from "../views/annotations.ts";
import { dashboardContent, newAnnotation, viewContent } from "../views/view-shapes.ts";
import { createView } from "../views/views.ts";
import type { ImportIds, ImportNote } from "./imports.ts";

export interface ConfigurationDeps {
  readonly db: Db;
  readonly destinations: Destinations;
  readonly send: SendInvitation;
}

interface Made {
  readonly outcome: ImportNote["outcome"];
  readonly detail?: string;
  readonly to?: string;
}

const text = z.string().max(4_000);
const named = z.looseObject({ id: text, name: text });
const sourceList = z.array(text).nullable();

/** The id under which entries of a file are remembered, for those that others name. */
export const kindOf: Partial<Record<ConfigurationFile, string>> = {
  ...{ sources: "sources", roles: "roles", teams: "teams", members: "people" },
  ...{ "alert-destinations": "destinations", views: "views", dashboards: "dashboards" },
  annotations: "annotations",
  ...{ "retention-rules": "retention", "alert-rules": "rules" },
};

const secretly = (what: string): Made => ({ outcome: "secret", detail: what });

/** Makes one entry. Faults and a ZodError say why it cannot be. */
export const makeEntry = async (
  { db, destinations, send }: ConfigurationDeps,
  file: ConfigurationFile,
  entry: unknown,
  { caller, by, ids }: { caller: Caller; by: By; ids: ImportIds },
): Promise<Made> => {
  const { tenant } = caller;
  const ours = (kind: string, id: string): string | undefined => ids[kind]?.[id];
  /** Sources in our ids. One that did not come would widen or narrow what is seen, so the whole is refused. */
  const sourcesOf = (list: readonly string[] | null): string[] | null =>
    list === null
      ? null
      : list.map((id) => {
          const known = ours("sources", id);
          if (known === undefined)
            throw new Fault("invalid_request", `it names the source ${id}, which did not come along.`);
          return known;
        });
  const roleOf = (role: string): string => (isBuiltInRole(role) ? role : (ours("roles", role) ?? role));

  /** The one of that name where it is there already. */
  const orExisting = async (
    make: () => Promise<{ id: string }>,
    list: () => Promise<readonly { id: string; name: string }[]>,
    name: string,
  ): Promise<Made> => {
    try {
      return { outcome: "imported", to: (await make()).id };
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== "name_taken") throw error;
      const there = (await list()).find((one) => one.name === name);
      if (there === undefined) throw error;
      return { outcome: "existing", to: there.id, detail: "one of this name was here, and is used as it is" };
    }
  };

  switch (file) {
    case "organization":
      return { outcome: "left", detail: "the name, the plan and what sign-in asks for are this organization's own" };
    case "roles": {
      const { name, permissions } = named.extend({ permissions: z.array(z.enum(tenantPermissions)) }).parse(entry);
      return orExisting(
        () => createRole(db, tenant, { name, permissions }, caller, by),
        () => listRoles(db, tenant),
        name,
      );
    }
    case "sources": {
      const { name, disabled, retention_days, partitions, max_bytes_per_second, native } = named
        .extend({ disabled: z.boolean(), retention_days: z.int(), partitions: z.int(), max_bytes_per_second: z.int() })
        .extend({ native: z.boolean().default(false) })
        .parse(entry);
      const settings = { name, disabled, retention_days, partitions, max_bytes_per_second };
      const made = await orExisting(
        () => createSource(db, tenant, settings, by),
        async () => (await listSources(db, tenant, { limit: 1_000 })) as unknown as { id: string; name: string }[],
        name,
      );
      return native ? { ...made, detail: "its own way into Kafka has to be given anew: astralog producers" } : made;
    }
    case "teams": {
      const { name, sources, members } = named.extend({ sources: sourceList, members: z.array(text) }).parse(entry);
      const made = await orExisting(
        () => createTeam(db, tenant, { name, sources: sourcesOf(sources) }, caller, by),
        () => listTeams(db, tenant),
        name,
      );
      let missing = 0;
      for (const member of members) {
        const person = ours("people", member);
        if (person === undefined || made.to === undefined) missing += 1;
        else await setTeamMember(db, tenant, { team: made.to, person, isIn: true }, caller, by);
      }
      return missing === 0 ? made : { ...made, detail: `${missing} of its members have to be put in once they joined` };
    }
    case "members": {
      const { email, role, sources } = z
        .looseObject({ person: text, email: z.email(), role: text, sources: sourceList })
        .parse(entry);
      const there = await db
        .selectFrom("memberships")
        .innerJoin("people", "people.id", "memberships.person")
        .select("person")
        .where("tenant", "=", tenant)
        .where("people.email", "=", email)
        .executeTakeFirst();
      if (there !== undefined) return { outcome: "existing", to: there.person, detail: "a member here already" };
      const wanted = { email, role: roleOf(role), sources: sourcesOf(sources) };
      await createInvitation(db, tenant, wanted, { giver: caller, inviter: caller.actor.name, send, by });
      return { outcome: "invited", detail: `as ${wanted.role}, by mail` };
    }
    case "keys": {
      const { kind, source, revoked_at } = z
        .looseObject({ kind: text, source: text.nullable(), revoked_at: text.nullable() })
        .parse(entry);
      return revoked_at === null
        ? secretly(
            `make a new ${kind} key${source === null ? "" : ` for the source ${ours("sources", source) ?? source}`}`,
          )
        : { outcome: "left", detail: "it was revoked" };
    }
    case "producers":
      return secretly("give the source its own way into Kafka anew");
    case "retention-rules": {
      const { rule } = z.looseObject({ rule: z.looseObject({ source: text.default("") }) }).parse(entry);
      const [source = ""] = rule.source === "" ? [] : (sourcesOf([rule.source]) ?? []);
      const read = retentionRuleShape.parse({ ...rule, source });
      return { outcome: "imported", to: (await createRetentionRule(db, tenant, read, by)).id };
    }
    case "alert-destinations": {
      const { name, kind, settings, template, standard, has_secrets } = named
        .extend({ kind: text, settings: z.record(z.string(), z.unknown()), template: z.unknown() })
        .extend({ standard: z.boolean(), has_secrets: z.boolean() })
        .parse(entry);
      if (has_secrets || kind !== "email")
        return secretly(`make the ${kind} destination anew; rules that named it are told to nobody until then`);
      const given = newDestination.parse({ name, kind, settings, template, standard });
      return { outcome: "imported", to: (await destinations.create(tenant, given, by)).row.id };
    }
    case "alert-rules": {
      const { rule } = z.looseObject({ rule: z.looseObject({}) }).parse(entry);
      const read = ruleShape.parse(rule);
      const notify = read.notify.flatMap((id) => ours("destinations", id) ?? []);
      const depends_on = read.depends_on.filter((id) => ours("rules", id) !== undefined);
      const lost = [
        ...(notify.length < read.notify.length ? [`${read.notify.length - notify.length} destinations`] : []),
        ...(depends_on.length < read.depends_on.length ? [`${read.depends_on.length - depends_on.length} rules`] : []),
      ];
      const made = await createAlertRule(db, tenant, { ...read, notify, depends_on }, by).catch((error: unknown) => {
        if (error instanceof Fault && error.code === "name_taken") return undefined;
        throw error;
      });
      const detail =
        lost.length === 0 ? {} : { detail: `without ${lost.join(" and ")} that it named and that are not here` };
      return { outcome: made === undefined ? "existing" : "imported", to: read.id, ...detail };
    }
    case "views":
    case "dashboards": {
      const kind = file === "views" ? "view" : "dashboard";
      const content = file === "views" ? viewContent : dashboardContent;
      const given = named.extend({ shared: z.boolean(), content }).parse(entry);
      const { name, shared } = given;
      const made = await createView(db, kind, caller, { name, shared, content: given.content }, by);
      return { outcome: "imported", to: made.id };
    }
    case "annotations": {
      const given = z
        .looseObject({ kind: text, title: text, service: text, url: text, at: text, until: text.nullable() })
        .parse(entry);
      const { kind, title, service, url, at, until } = given;
      const read = newAnnotation.parse({ kind, title, service, url, at, ...(until === null ? {} : { until }) });
      return { outcome: "imported", to: (await createAnnotation(db, tenant, read, by)).id };
    }
    case "storage-connections":
      return secretly("connect the bucket anew, with keys of its own");
    case "clickhouse-connections":
      return secretly("connect the ClickHouse server anew, with its password");
    case "sso-connections":
      return secretly("connect the identity provider anew, with this address as its redirect");
    case "domains":
      return secretly("claim the domain here, and prove it by DNS");
    case "audit-streams":
      return secretly("make the stream anew; it gets a new signing secret");
  }
};

/** Why an entry cannot be made, in a sentence. */
export const whyNot = (error: unknown): string | undefined => {
  if (error instanceof Fault) return error.retriable ? undefined : error.message;
  if (error instanceof z.ZodError)
    return error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
  return undefined;
};
