/**
 * "Single sign-on only": people whose address lies in the organization's verified domains come in through its identity
 * provider. Its owners may still come by mail or passkey, for the day the provider is broken, and the trail tells of it.
 */
import { Fault } from "@astralog/chassis";
import { type Act, type By, recordAct } from "../audit/audit-trail.ts";
import type { Arrival } from "../people/sign-in.ts";
import type { Db, Trx } from "../postgres.ts";
import { domainOf } from "./identity-link.ts";

const breakGlass = new Set<Arrival["method"]>(["email", "passkey"]);

/** An act to be told of when somebody comes in in spite of the rule. Faults: `sso_required`. */
export const admitBySso = async (trx: Trx, { person, method, organization }: Arrival): Promise<Act | undefined> => {
  if (method === "first-owner") return undefined;
  const rule = await trx
    .selectFrom("domains")
    .innerJoin("tenants", "tenants.id", "domains.tenant")
    .select("tenants.id")
    .where("domain", "=", domainOf(person.email))
    .where("verified_at", "is not", null)
    .where("sso_only", "=", true)
    .executeTakeFirst();
  if (rule === undefined) return undefined;
  const tenant = rule.id;
  // Another organization's provider opens nothing but that organization.
  if (method === "oidc" || method === "saml") {
    if (organization === tenant) return undefined;
  } else if (breakGlass.has(method)) {
    const owner = await trx
      .selectFrom("memberships")
      .select("person")
      .where("tenant", "=", tenant)
      .where("person", "=", person.id)
      .where("role", "=", "owner")
      .executeTakeFirst();
    if (owner !== undefined)
      return { tenant, action: "sso.bypassed", target: { kind: "person", id: person.id }, details: { method } };
  }
  throw new Fault("sso_required", "Your organization wants you to sign in through its own identity provider.");
};

export const ssoOnly = async (db: Db | Trx, tenant: string): Promise<boolean> =>
  (await db.selectFrom("tenants").select("sso_only").where("id", "=", tenant).executeTakeFirstOrThrow()).sso_only;

/** Switching it on ends the sessions that it would not have let begin. Faults: `sso_not_ready`. */
export const setSsoOnly = (db: Db, tenant: string, wanted: boolean, by: By): Promise<boolean> =>
  db.transaction().execute(async (trx) => {
    await trx.selectFrom("tenants").select("id").where("id", "=", tenant).forUpdate().executeTakeFirstOrThrow();
    const domains = trx
      .selectFrom("domains")
      .select("domain")
      .where("tenant", "=", tenant)
      .where("verified_at", "is not", null);
    if (wanted) {
      const connection = await trx
        .selectFrom("sso_connections")
        .select("id")
        .where("tenant", "=", tenant)
        .where("enabled", "=", true)
        .executeTakeFirst();
      if (connection === undefined || (await domains.executeTakeFirst()) === undefined)
        throw new Fault("sso_not_ready", "Verify a domain and enable a connection first, or nobody could sign in.");
      const owners = trx
        .selectFrom("memberships")
        .select("person")
        .where("tenant", "=", tenant)
        .where("role", "=", "owner");
      const covered = trx
        .selectFrom("people")
        .select("id")
        .where((one) => one(one.fn<string>("split_part", ["email", one.val("@"), one.val(2)]), "in", domains));
      await trx
        .deleteFrom("sessions")
        .where("person", "in", covered)
        .where("person", "not in", owners)
        .where((one) => one.or([one("organization", "is", null), one("organization", "!=", tenant)]))
        .execute();
    }
    await trx.updateTable("tenants").set({ sso_only: wanted }).where("id", "=", tenant).execute();
    const target = { kind: "tenant", id: tenant };
    await recordAct(trx, by, { tenant, action: "sso.only_changed", target, details: { sso_only: wanted } });
    return wanted;
  });

/** The connection that signs in people with that address. */
export const connectionFor = (db: Db, email: string): Promise<{ id: string } | undefined> =>
  db
    .selectFrom("domains")
    .innerJoin("sso_connections", "sso_connections.tenant", "domains.tenant")
    .select("sso_connections.id")
    .where("domain", "=", domainOf(email))
    .where("verified_at", "is not", null)
    .where("enabled", "=", true)
    .orderBy("sso_connections.created_at")
    .executeTakeFirst();
