/** Rehydrations in Postgres: what of a bucket was asked to be in our storage for a while. */
import { randomInt } from "node:crypto";
import { Fault } from "@astralog/chassis";
import { randomBase62 } from "@astralog/schemas";
import type { RehydrationTable } from "@astralog/schemas/postgres";
import { type Rehydration, rehydrationLimits, rehydrationSlots } from "@astralog/schemas/retention/index";
import type { Selectable } from "kysely";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { announceRetention, rehydrationRecord } from "../control/outbox.ts";
import { readPlan } from "../plans/tenant-plans.ts";
import { type Db, lockTenant, type Trx } from "../postgres.ts";

export type RehydrationRow = Selectable<RehydrationTable>;
export type RehydrationScope = Omit<Rehydration, "tenant" | "id" | "connection" | "slot">;

export const scopeOfRehydration = ({ definition }: Pick<RehydrationRow, "definition">): RehydrationScope =>
  definition as RehydrationScope;

/** Newest first. */
export const listRehydrations = (db: Db, tenant: string, limit: number): Promise<RehydrationRow[]> =>
  db
    .selectFrom("rehydrations")
    .selectAll()
    .where("tenant", "=", tenant)
    .orderBy("created_at", "desc")
    .orderBy("id")
    .limit(limit)
    .execute();

/** Faults: `not_found`. */
export const findRehydration = async (db: Db | Trx, tenant: string, id: string): Promise<RehydrationRow> => {
  const row = await db
    .selectFrom("rehydrations")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .executeTakeFirst();
  if (row === undefined) throw new Fault("not_found", "There is no such rehydration.");
  return row;
};

/** One that nobody has: there are many more than are ever in use. */
const insert = async (
  trx: Trx,
  row: Pick<RehydrationRow, "tenant" | "connection" | "events" | "bytes" | "requested_by" | "ends_at">,
  scope: RehydrationScope,
): Promise<RehydrationRow> => {
  for (let tries = 0; tries < 100; tries++) {
    const made = await trx
      .insertInto("rehydrations")
      .values({
        ...row,
        ...{ id: `reh_${randomBase62(12)}`, slot: randomInt(rehydrationSlots), definition: JSON.stringify(scope) },
      })
      .onConflict((on) => on.column("slot").doNothing())
      .returningAll()
      .executeTakeFirst();
    if (made !== undefined) return made;
  }
  throw new Fault("busy", "Too much is brought back from buckets at this time; ask again later.", { retriable: true });
};

/** Faults: `too_many`, `over_plan`. */
export const createRehydration = (
  db: Db,
  tenant: string,
  wanted: { connection: string; scope: RehydrationScope; events: number; bytes: number; endsAt: Date },
  by: By,
): Promise<RehydrationRow> =>
  db.transaction().execute(async (trx) => {
    await lockTenant(trx, tenant);
    const open = await trx
      .selectFrom("rehydrations")
      .select(["id", "bytes"])
      .where("tenant", "=", tenant)
      .where("ended_at", "is", null)
      .execute();
    if (open.length >= rehydrationLimits.open)
      throw new Fault(
        "too_many",
        `${rehydrationLimits.open} ranges may be back from buckets at once; end one of them first.`,
      );
    const { limits, plan } = await readPlan(trx, tenant);
    const sum = open.reduce((all, { bytes }) => all + bytes, wanted.bytes);
    if (limits.daily_bytes > 0 && sum > limits.daily_bytes)
      throw new Fault(
        "over_plan",
        `The plan ${plan} allows ${limits.daily_bytes} bytes of events to be back from buckets at once, and with this it would be ${sum}. Choose fewer days, or a query.`,
      );
    const { connection, scope, events, bytes, endsAt } = wanted;
    const row = await insert(
      trx,
      { tenant, connection, events, bytes, requested_by: by.actor.id, ends_at: endsAt },
      scope,
    );
    await announceRetention(trx, "rehydrations", row, rehydrationRecord(row));
    const { from, to, query, sources, until } = scope;
    await recordAct(trx, by, {
      ...{ tenant, action: "rehydration.requested", target: { kind: "rehydration", id: row.id } },
      details: { connection, from, to, query, sources, until, events, bytes },
    });
    return row;
  });

const end = async (trx: Trx, row: RehydrationRow, by: By): Promise<void> => {
  await trx.updateTable("rehydrations").set({ ended_at: new Date() }).where("id", "=", row.id).execute();
  await announceRetention(trx, "rehydrations", row, null);
  await recordAct(trx, by, {
    ...{ tenant: row.tenant, action: "rehydration.ended", target: { kind: "rehydration", id: row.id } },
    details: { early: row.ends_at > new Date() },
  });
};

/** Before its time; of one that has ended, nothing. Faults: `not_found`. */
export const endRehydration = (db: Db, tenant: string, id: string, by: By): Promise<void> =>
  db.transaction().execute(async (trx) => {
    await lockTenant(trx, tenant);
    const row = await findRehydration(trx, tenant, id);
    if (row.ended_at === null) await end(trx, row, by);
  });

/** A partition that was given back may have a late part for a while. */
const slotRestMs = 86_400_000;

/** Ends those whose time is over, and gives partitions back of which `isLeft` says that nothing is. */
export const endRehydrations = async (db: Db, isLeft: (row: RehydrationRow) => boolean, by: By): Promise<void> => {
  const open = db.selectFrom("rehydrations").selectAll().where("slot", "is not", null);
  for (const row of await open.where("ended_at", "is", null).where("ends_at", "<=", new Date()).execute())
    await db.transaction().execute(async (trx) => {
      await lockTenant(trx, row.tenant);
      const now = await findRehydration(trx, row.tenant, row.id);
      if (now.ended_at === null) await end(trx, now, by);
    });
  const rested = await open.where("ended_at", "<", new Date(Date.now() - slotRestMs)).execute();
  for (const row of rested)
    if (!isLeft(row)) await db.updateTable("rehydrations").set({ slot: null }).where("id", "=", row.id).execute();
};
