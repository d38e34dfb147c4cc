/** Organizations as people see them: made, renamed, and a list of one's own. */

import { Fault } from "@astralog/chassis";
import { type PlanName, randomBase62 } from "@astralog/schemas";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { announceTenant } from "../control/outbox.ts";
import type { Unchanged } from "../http/etag.ts";
import type { Db, Trx } from "../postgres.ts";
import { permissionsOf } from "./effective.ts";
import { membersWithRoles, noOrganization } from "./memberships.ts";

export interface Organization {
  readonly id: string;
  readonly name: string;
  readonly created_at: Date;
}

export interface OwnOrganization extends Organization {
  readonly role: string;
  readonly permissions: readonly string[];
  /** Whether it asks its members for a second factor. */
  readonly require_mfa: boolean;
}

/** Those somebody belongs to, the oldest first. */
export const organizationsOf = async (db: Db, person: string): Promise<OwnOrganization[]> =>
  (
    await membersWithRoles(db)
      .innerJoin("tenants", "tenants.id", "memberships.tenant")
      .select([
        ...(["tenants.id", "tenants.name", "tenants.created_at", "require_mfa", "role"] as const),
        "roles.permissions as custom",
      ])
      .where("person", "=", person)
      .orderBy("tenants.created_at")
      .orderBy("tenants.id")
      .execute()
  ).map(({ custom, ...one }) => ({ ...one, permissions: [...permissionsOf(one.role, custom)] }));

/** Makers of organizations are people, and a person can make only so many. */
const mostOwned = 20;

/** Whoever makes it owns it. Faults: `too_many`. */
export const createOrganization = (
  db: Db,
  person: string,
  { name, plan }: { readonly name: string; readonly plan: PlanName },
  by: By,
): Promise<Organization> =>
  db.transaction().execute(async (trx) => {
    const owned = await trx
      .selectFrom("memberships")
      .select("tenant")
      .where("person", "=", person)
      .where("role", "=", "owner")
      .execute();
    if (owned.length >= mostOwned) throw new Fault("too_many", `One person can own ${mostOwned} organizations.`);
    const made = await trx
      .insertInto("tenants")
      .values({ id: `tn_${randomBase62(12)}`, name, handle: null, plan })
      .returning(["id", "name", "created_at", "plan", "overrides"])
      .executeTakeFirstOrThrow();
    const { plan: _, overrides: __, ...organization } = made;
    await announceTenant(trx, made);
    await trx.insertInto("memberships").values({ tenant: made.id, person, role: "owner", sources: null }).execute();
    const target = { kind: "tenant", id: made.id };
    await recordAct(trx, by, { tenant: made.id, action: "tenant.created", target, details: { name, plan } });
    return organization;
  });

export const findOrganization = async (db: Db | Trx, id: string): Promise<Organization> => {
  const found = await db
    .selectFrom("tenants")
    .select(["id", "name", "created_at"])
    .where("id", "=", id)
    .executeTakeFirst();
  if (found === undefined) throw noOrganization();
  return found;
};

/** Locked until the transaction ends: whoever changes who is in it, or who owns it, waits for the one before. */
export const lockOrganization = async (trx: Trx, id: string): Promise<Organization> => {
  const found = await trx
    .selectFrom("tenants")
    .select(["id", "name", "created_at"])
    .where("id", "=", id)
    .forUpdate()
    .executeTakeFirst();
  if (found === undefined) throw noOrganization();
  return found;
};

/** Faults: `changed`. */
export const renameOrganization = (
  db: Db,
  id: string,
  name: string,
  unchanged: Unchanged,
  by: By,
): Promise<Organization> =>
  db.transaction().execute(async (trx) => {
    const before = await lockOrganization(trx, id);
    unchanged(before);
    await trx.updateTable("tenants").set({ name }).where("id", "=", id).execute();
    const details = { was: before.name, is: name };
    const target = { kind: "tenant", id };
    await recordAct(trx, by, { tenant: id, action: "organization.renamed", target, details });
    return { ...before, name };
  });
