/** Grants in Postgres: asked for, decided, used, ended. Each step is in the trail of the organization it concerns. */
import { Fault } from "@astralog/chassis";
import { randomBase62, type TenantPermission } from "@astralog/schemas";
import type { AccessGrantTable } from "@astralog/schemas/postgres";
import type { Selectable } from "kysely";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { type Db, lockTenant, type Trx } from "../postgres.ts";
import { type Decider, endOf, stateOf, whyNotDecide } from "./decide.ts";

export type GrantRow = Selectable<AccessGrantTable>;

/** Newest first; who asked and who decided, by name. */
export interface GrantView extends GrantRow {
  readonly email: string;
  readonly organization: string;
}

const select = (db: Db | Trx) =>
  db
    .selectFrom("access_grants")
    .innerJoin("people", "people.id", "access_grants.person")
    .innerJoin("tenants", "tenants.id", "access_grants.tenant")
    .selectAll("access_grants")
    .select(["people.email", "tenants.name as organization"])
    .orderBy("requested_at", "desc")
    .limit(500);

export const grantsOf = (db: Db, tenant: string): Promise<GrantView[]> =>
  select(db).where("access_grants.tenant", "=", tenant).execute();

/** His own, and what others ask for where staff may decide. */
export const grantsForStaff = (db: Db, person: string): Promise<GrantView[]> =>
  select(db)
    .where(({ or, and, eb }) =>
      or([
        eb("access_grants.person", "=", person),
        and([eb("tenants.staff_may_approve", "=", true), eb("approved", "is", null), eb("ended_at", "is", null)]),
      ]),
    )
    .execute();

/** `tenant` is left out where staff ask, who may do so in any. */
const lock = async (trx: Trx, id: string, tenant?: string): Promise<GrantRow> => {
  let query = trx.selectFrom("access_grants").selectAll().where("id", "=", id).forUpdate();
  if (tenant !== undefined) query = query.where("tenant", "=", tenant);
  const row = await query.executeTakeFirst();
  if (row === undefined) throw new Fault("not_found", "There is no such request for access.");
  return row;
};

const targetOf = (id: string) => ({ kind: "access_grant", id });

export interface Wanted {
  readonly organization: string;
  readonly reason: string;
  readonly seconds: number;
  readonly permissions: readonly TenantPermission[];
}

/** Faults: `not_found`, `too_many` while one is open, `cannot_request` where he is a member. */
export const requestAccess = (db: Db, person: string, wanted: Wanted, by: By): Promise<GrantRow> =>
  db.transaction().execute(async (trx) => {
    const { organization: tenant, reason, seconds, permissions } = wanted;
    const there = await lockTenant(trx, tenant);
    if (there === undefined) throw new Fault("not_found", `There is no organization ${tenant}.`);
    const earlier = await trx
      .selectFrom("access_grants")
      .selectAll()
      .where("tenant", "=", tenant)
      .where("person", "=", person)
      .where("ended_at", "is", null)
      .execute();
    if (earlier.some((one) => ["requested", "active"].includes(stateOf(one, Date.now()))))
      throw new Fault("too_many", "You have asked there already, or have access: end that first.");
    const row = await trx
      .insertInto("access_grants")
      .values({ id: `acg_${randomBase62(12)}`, tenant, person, reason, seconds, permissions: [...permissions] })
      .returningAll()
      .executeTakeFirstOrThrow();
    await recordAct(trx, by, {
      ...{ tenant, action: "staff_access.requested", target: targetOf(row.id) },
      details: { reason, seconds, permissions },
    });
    return row;
  });

/** Faults: `not_found`, `forbidden`, `already_decided`. */
export const decideAccess = (
  db: Db,
  { id, tenant }: { readonly id: string; readonly tenant?: string },
  decider: Decider,
  approve: boolean,
  by: By,
): Promise<GrantRow> =>
  db.transaction().execute(async (trx) => {
    const grant = await lock(trx, id, tenant);
    const { staff_may_approve } = await trx
      .selectFrom("tenants")
      .select("staff_may_approve")
      .where("id", "=", grant.tenant)
      .executeTakeFirstOrThrow();
    const now = Date.now();
    const reason = whyNotDecide(grant, decider, staff_may_approve, now);
    if (reason !== undefined)
      throw new Fault(stateOf(grant, now) === "requested" ? "forbidden" : "already_decided", reason);
    const expires_at = approve ? endOf(grant, now) : null;
    const row = await trx
      .updateTable("access_grants")
      .set({ decided_at: new Date(now), decided_by: decider.person, approved: approve, expires_at })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
    await recordAct(trx, by, {
      ...{ tenant: grant.tenant, action: approve ? "staff_access.approved" : "staff_access.denied" },
      target: targetOf(id),
      details: { as: decider.as, person: grant.person, until: expires_at?.toISOString() ?? "" },
    });
    return row;
  });

/**
 * Ends it at once, also a request. `whose`: the organization, or the one of the staff whose it is. Faults: `not_found`,
 * `already_decided` when it is over.
 */
export const endAccess = (
  db: Db,
  id: string,
  whose: { readonly tenant: string } | { readonly person: string },
  by: By,
): Promise<GrantRow> =>
  db.transaction().execute(async (trx) => {
    const grant = await lock(trx, id, "tenant" in whose ? whose.tenant : undefined);
    if ("person" in whose && grant.person !== whose.person)
      throw new Fault("not_found", "There is no such request for access.");
    const state = stateOf(grant, Date.now());
    if (state !== "active" && state !== "requested") throw new Fault("already_decided", `It is over: ${state}.`);
    return endGrant(trx, grant, "revoked", new Date(), by);
  });

/** In the caller's transaction, which holds the row's lock. */
export const endGrant = async (
  trx: Trx,
  { id, tenant, person }: GrantRow,
  why: "revoked" | "expired" | "lapsed" | "unused",
  at: Date,
  by: By,
): Promise<GrantRow> => {
  const row = await trx
    .updateTable("access_grants")
    .set({ ended_at: at })
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirstOrThrow();
  const act = { tenant, action: "staff_access.ended", target: targetOf(id) } as const;
  await recordAct(trx, by, { ...act, details: { why, person } });
  return row;
};

/** Tells the trail of what has run out by itself. Returns how many. */
export const endExpired = async (db: Db, by: By): Promise<number> => {
  const open = await db
    .selectFrom("access_grants")
    .selectAll()
    .where("ended_at", "is", null)
    .where(({ or, eb }) => or([eb("approved", "is", null), eb("approved", "=", true)]))
    .execute();
  const over = open.filter((one) => ["expired", "lapsed"].includes(stateOf(one, Date.now())));
  for (const { id } of over)
    await db.transaction().execute(async (trx) => {
      const grant = await lock(trx, id);
      const state = stateOf(grant, Date.now());
      if (grant.ended_at === null && (state === "expired" || state === "lapsed"))
        await endGrant(trx, grant, state, grant.expires_at ?? new Date(), by);
    });
  return over.length;
};

/** Faults: `not_found`. */
export const readAccessPolicy = async (db: Db, tenant: string): Promise<{ staff_may_approve: boolean }> => {
  const row = await db.selectFrom("tenants").select("staff_may_approve").where("id", "=", tenant).executeTakeFirst();
  if (row === undefined) throw new Fault("not_found", "There is no such organization.");
  return row;
};

export const setAccessPolicy = (db: Db, tenant: string, policy: { staff_may_approve: boolean }, by: By) =>
  db.transaction().execute(async (trx) => {
    await trx.updateTable("tenants").set(policy).where("id", "=", tenant).execute();
    const act = { tenant, action: "staff_access.policy_changed", target: { kind: "tenant", id: tenant } } as const;
    await recordAct(trx, by, { ...act, details: policy });
    return policy;
  });
