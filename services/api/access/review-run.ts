/** An access review of one organization: what is held there, when it was last used, and the end of what is not. */
import { Fault } from "@astralog/chassis";
import { sql } from "kysely";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { revokeKey } from "../control/keys.ts";
import type { Giver } from "../organizations/grants.ts";
import { removeMember } from "../organizations/members.ts";
import type { Db } from "../postgres.ts";
import { revokeProducer } from "../producers/producers.ts";
import { stateOf } from "./decide.ts";
import { endAccess, grantsOf } from "./grants.ts";
import { type Held, type Reviewed, review, toEnd } from "./review.ts";

/** The last event of each source. Keys that write have no other witness: receivers ask no database. */
export type SourceUse = (tenant: string) => Promise<ReadonlyMap<string, Date>>;

export interface ReviewDeps {
  readonly db: Db;
  readonly sourceUse: SourceUse;
}

const later = (a: Date | null, b: Date | null | undefined): Date | null =>
  b == null ? a : a === null || a < b ? b : a;

/** By what he did that the trail tells of, signing in included, and by the sessions he has. */
const memberships = async (db: Db, tenant: string): Promise<Held[]> => {
  const rows = await db
    .selectFrom("memberships")
    .innerJoin("people", "people.id", "memberships.person")
    .leftJoin("roles", "roles.id", "memberships.role")
    .select(["person", "email", "role", "roles.name as role_name", "memberships.created_at"])
    .select(({ selectFrom }) => [
      selectFrom("audit_events")
        .select(({ fn }) => fn.max("at").as("at"))
        .where("audit_events.tenant", "=", tenant)
        .whereRef("actor_id", "=", "memberships.person")
        .as("acted_at"),
      selectFrom("sessions")
        .select(({ fn }) => fn.max("seen_at").as("at"))
        .whereRef("sessions.person", "=", "memberships.person")
        .where(({ or, eb }) => or([eb("organization", "is", null), eb("organization", "=", tenant)]))
        .as("seen_at"),
    ])
    .where("memberships.tenant", "=", tenant)
    .execute();
  return rows.map((row) => ({
    ...({ kind: "membership", id: row.person, name: row.email } as const),
    what: row.role_name ?? row.role,
    created_at: row.created_at,
    used_at: later(row.acted_at, row.seen_at),
    kept: row.role === "owner" ? "Owners are removed by hand." : "",
  }));
};

const keys = async (db: Db, tenant: string, used: ReadonlyMap<string, Date>): Promise<Held[]> => {
  const rows = await db
    .selectFrom("keys")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("revoked_at", "is", null)
    .where(({ or, eb }) => or([eb("expires_at", "is", null), eb("expires_at", ">", sql<Date>`now()`)]))
    .execute();
  return rows.map((row) => ({
    ...({ kind: "key", id: row.id, name: row.name === "" ? `${row.prefix}…${row.last4}` : row.name } as const),
    what: row.kind,
    created_at: row.created_at,
    used_at: later(row.last_used_at, row.source === null ? null : used.get(row.source)),
    kept: "",
  }));
};

/** Kafka tells of no user's last use; a producer is in use while its source is heard of. */
const producers = async (db: Db, tenant: string, used: ReadonlyMap<string, Date>): Promise<Held[]> => {
  const rows = await db
    .selectFrom("producers")
    .select(["id", "name", "username", "source", "created_at"])
    .where("tenant", "=", tenant)
    .where("revoked_at", "is", null)
    .where(({ or, eb }) => or([eb("expires_at", "is", null), eb("expires_at", ">", sql<Date>`now()`)]))
    .execute();
  return rows.map(({ id, name, username, source, created_at }) => ({
    ...({ kind: "producer", id, name: name === "" ? username : name, what: "producer" } as const),
    ...{ created_at, used_at: used.get(source) ?? null, kept: "" },
  }));
};

const grants = async (db: Db, tenant: string): Promise<Held[]> =>
  (await grantsOf(db, tenant)).flatMap((row) => {
    const state = stateOf(row, Date.now());
    if (state !== "active" && state !== "requested") return [];
    const { id, email: name, requested_at: created_at, used_at } = row;
    return [{ kind: "grant", id, name, what: state, created_at, used_at, kept: "" } as const];
  });

export const runReview = async ({ db, sourceUse }: ReviewDeps, tenant: string, days: number): Promise<Reviewed[]> => {
  const used = await sourceUse(tenant);
  const held = await Promise.all([
    memberships(db, tenant),
    keys(db, tenant, used),
    producers(db, tenant, used),
    grants(db, tenant),
  ]);
  return review(held.flat(), days, Date.now());
};

export interface Outcome {
  readonly ended: readonly Pick<Reviewed, "kind" | "id">[];
  /** What could not be ended, and why; everything else was. */
  readonly left: readonly (Pick<Reviewed, "kind" | "id"> & { readonly why: string })[];
}

const end = async (db: Db, tenant: string, { kind, id }: Reviewed, giver: Giver, by: By): Promise<void> => {
  if (kind === "membership") await removeMember(db, tenant, id, giver, by);
  else if (kind === "key") await revokeKey(db, tenant, id, by);
  else if (kind === "producer") await revokeProducer(db, tenant, id, by);
  else await endAccess(db, id, { tenant }, by);
};

/** Ends what is unused, each in a transaction of its own with its own act, as far as whoever asks may. */
export const applyReview = async (
  deps: ReviewDeps,
  tenant: string,
  days: number,
  giver: Giver,
  by: By,
): Promise<Outcome> => {
  const { db } = deps;
  const ended: Pick<Reviewed, "kind" | "id">[] = [];
  const left: (Pick<Reviewed, "kind" | "id"> & { why: string })[] = [];
  for (const one of toEnd(await runReview(deps, tenant, days))) {
    const named = { kind: one.kind, id: one.id };
    try {
      await end(db, tenant, one, giver, by);
      ended.push(named);
    } catch (error) {
      if (!(error instanceof Fault) || error.retriable) throw error;
      left.push({ ...named, why: error.message });
    }
  }
  const target = { kind: "tenant", id: tenant };
  const details = { unused_days: days, ended: ended.length, left: left.length };
  await db.transaction().execute((trx) => recordAct(trx, by, { tenant, action: "access.reviewed", target, details }));
  return { ended, left };
};
