/**
 * People as a directory tells of them. A directory speaks for its organization only: it makes and ends memberships, and
 * accounts for addresses in the organization's verified domains; it never changes an account's address or name, because
 * the account may open other organizations too. Whom it deactivates is out at once, everywhere.
 */
import { Fault } from "@astralog/chassis";
import { randomBase62 } from "@astralog/schemas";
import type { ScimUserTable } from "@astralog/schemas/postgres";
import { type Selectable, sql } from "kysely";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { ensurePerson, plainEmail } from "../people/people.ts";
import { mustHaveSeat } from "../plans/seats.ts";
import { type Db, isUniqueViolation, type Trx } from "../postgres.ts";
import { leastRole } from "../sso/connections.ts";
import { verifiedDomains } from "../sso/domains.ts";
import { domainOf } from "../sso/identity-link.ts";
import { invalidValue, noSuch, ScimError, taken } from "./scim-error.ts";
import type { Condition } from "./scim-filter.ts";
import type { UserFields } from "./scim-patch.ts";

export interface ScimUser extends Selectable<ScimUserTable> {
  readonly email: string;
}
export interface Page {
  /** From 1. */
  readonly startIndex: number;
  readonly count: number;
}

export const userAttributes = ["userName", "externalId", "id", "active"] as const;
export type UserAttribute = (typeof userAttributes)[number];

const users = (db: Db | Trx, tenant: string) =>
  db
    .selectFrom("scim_users")
    .innerJoin("people", "people.id", "scim_users.person")
    .selectAll("scim_users")
    .select("people.email")
    .where("scim_users.tenant", "=", tenant);

const columns = { externalId: "external_id", id: "scim_users.id" } as const;

export const listUsers = async (
  db: Db,
  tenant: string,
  conditions: readonly Condition<UserAttribute>[],
  { startIndex, count }: Page,
): Promise<{ total: number; page: ScimUser[] }> => {
  let query = users(db, tenant);
  for (const { attribute, value } of conditions) {
    if (attribute === "userName") query = query.where(sql`lower(user_name)`, "=", value.toLowerCase());
    else if (attribute === "active") query = query.where("active", "=", value === "true");
    else query = query.where(columns[attribute], "=", value);
  }
  const { total } = await query
    .clearSelect()
    .select(({ fn }) => fn.countAll<number>().as("total"))
    .executeTakeFirstOrThrow();
  const page = await query
    .orderBy("scim_users.created_at")
    .orderBy("scim_users.id")
    .offset(startIndex - 1)
    .limit(count)
    .execute();
  return { total, page };
};

/** Throws ScimError 404. */
export const findUser = async (db: Db | Trx, tenant: string, id: string): Promise<ScimUser> => {
  const found = await users(db, tenant).where("scim_users.id", "=", id).executeTakeFirst();
  if (found === undefined) throw noSuch("user");
  return found;
};

export const fieldsOf = (user: ScimUser): UserFields => ({
  ...{ userName: user.user_name, externalId: user.external_id, displayName: user.display_name },
  ...{ givenName: user.given_name, familyName: user.family_name, active: user.active, email: undefined },
});

const unique = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw taken("There is a user with this userName or address already.");
  }
};

const lockTenant = (trx: Trx, tenant: string) =>
  trx.selectFrom("tenants").select("id").where("id", "=", tenant).forUpdate().executeTakeFirstOrThrow();

const columnsOf = (user: UserFields) => ({
  ...{ user_name: user.userName, external_id: user.externalId, display_name: user.displayName },
  ...{ given_name: user.givenName, family_name: user.familyName, active: user.active },
});

/** Throws ScimError 403 when the plan has no seat left. A place that waits for the address is taken over. */
const join = async (trx: Trx, tenant: string, { id: person, email }: { id: string; email: string }, by: By) => {
  const member = trx.selectFrom("memberships").select("role").where("tenant", "=", tenant).where("person", "=", person);
  if ((await member.executeTakeFirst()) !== undefined) return;
  try {
    await mustHaveSeat(trx, tenant, email);
  } catch (error) {
    throw error instanceof Fault && error.code === "over_plan" ? new ScimError(403, error.message) : error;
  }
  await trx
    .insertInto("memberships")
    .values({ tenant, person, role: leastRole, sources: null, created_by: by.actor.id })
    .onConflict((conflict) => conflict.columns(["tenant", "person"]).doNothing())
    .execute();
};

/** Ends the membership and every session of the person. Throws ScimError 409 for the last owner. */
const leave = async (trx: Trx, tenant: string, person: string): Promise<void> => {
  const owners = await trx
    .selectFrom("memberships")
    .select("person")
    .where("tenant", "=", tenant)
    .where("role", "=", "owner")
    .execute();
  if (owners.length === 1 && owners[0]?.person === person)
    throw new ScimError(409, "The organization's last owner is not deactivated; make somebody else an owner first.");
  await trx.deleteFrom("memberships").where("tenant", "=", tenant).where("person", "=", person).execute();
  await trx.deleteFrom("sessions").where("person", "=", person).execute();
};

const emailOf = (fields: UserFields): string => {
  const email = plainEmail(fields.email ?? fields.userName);
  if (!/^[^@\s\p{C}]{1,64}@[^@\s\p{C}]{1,189}$/u.test(email))
    throw invalidValue("Give an e-mail address, as userName or in emails.");
  return email;
};

/** Throws ScimError `uniqueness`, `invalidValue`, 403. */
export const createUser = (db: Db, tenant: string, fields: UserFields, by: By): Promise<ScimUser> =>
  unique(() =>
    db.transaction().execute(async (trx) => {
      await lockTenant(trx, tenant);
      const email = emailOf(fields);
      if (!(await verifiedDomains(trx, tenant)).has(domainOf(email)))
        throw invalidValue(`${domainOf(email)} is none of the organization's verified domains.`);
      const person = await ensurePerson(trx, email, fields.displayName.slice(0, 100));
      const id = `scu_${randomBase62(12)}`;
      await trx
        .insertInto("scim_users")
        .values({ id, tenant, person: person.id, ...columnsOf(fields) })
        .execute();
      if (fields.active) await join(trx, tenant, person, by);
      const details = { email, user_name: fields.userName, active: fields.active };
      await recordAct(trx, by, {
        tenant,
        action: "scim.user_created",
        target: { kind: "person", id: person.id },
        details,
      });
      return findUser(trx, tenant, id);
    }),
  );

/** `change` makes what is to be from what is. Throws ScimError 404, `uniqueness`, `mutability`, 403. */
export const changeUser = (
  db: Db,
  tenant: string,
  id: string,
  change: (fields: UserFields) => UserFields,
  by: By,
): Promise<ScimUser> =>
  unique(() =>
    db.transaction().execute(async (trx) => {
      await lockTenant(trx, tenant);
      const before = await findUser(trx, tenant, id);
      const fields = change(fieldsOf(before));
      if (fields.email !== undefined && plainEmail(fields.email) !== before.email)
        throw new ScimError(400, "An account's address is changed by its person, not by a directory.", "mutability");
      await trx
        .updateTable("scim_users")
        .set({ ...columnsOf(fields), changed_at: new Date() })
        .where("id", "=", id)
        .execute();
      if (fields.active && !before.active) await join(trx, tenant, { id: before.person, email: before.email }, by);
      if (!fields.active && before.active) await leave(trx, tenant, before.person);
      const ended = !fields.active && before.active;
      await recordAct(trx, by, {
        ...{ tenant, action: ended ? "scim.user_deactivated" : "scim.user_changed" },
        target: { kind: "person", id: before.person },
        details: { user_name: fields.userName, active: fields.active },
      });
      return findUser(trx, tenant, id);
    }),
  );

/** Throws ScimError 404. */
export const deleteUser = (db: Db, tenant: string, id: string, by: By): Promise<void> =>
  db.transaction().execute(async (trx) => {
    await lockTenant(trx, tenant);
    const before = await findUser(trx, tenant, id);
    if (before.active) await leave(trx, tenant, before.person);
    await trx.deleteFrom("scim_users").where("id", "=", id).execute();
    const target = { kind: "person", id: before.person };
    await recordAct(trx, by, { tenant, action: "scim.user_deleted", target, details: { user_name: before.user_name } });
  });
