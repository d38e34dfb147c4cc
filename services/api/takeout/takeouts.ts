/** Takeouts in Postgres: what was asked for, how far it is, and which files are written. */
import { Fault } from "@astralog/chassis";
import { randomBase62 } from "@astralog/schemas";
import type { TakeoutTable } from "@astralog/schemas/postgres";
import type { TakeoutFile, TakeoutPart } from "@astralog/schemas/takeout";
import { type Selectable, sql } from "kysely";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { type Db, isUniqueViolation, lockTenant, type Trx } from "../postgres.ts";

export type TakeoutRow = Selectable<TakeoutTable>;

/** What is in it, once that is known: everything below these offsets. */
export interface Cut {
  /** RFC 3339. */
  readonly at: string;
  /** Raw topic, without the cluster's prefix, to the ends of its partitions. */
  readonly offsets: Readonly<Record<string, readonly number[]>>;
}

export interface Progress {
  /** Of the events, as counted when it began. */
  readonly events?: number;
  readonly eventsDone?: number;
  readonly files?: number;
  readonly bytes?: number;
  /** Of the whole, once it is done. */
  readonly sha256?: string;
}

export const cutOf = ({ cut }: Pick<TakeoutRow, "cut">): Cut | undefined => (cut as Cut | null) ?? undefined;
export const progressOf = ({ progress }: Pick<TakeoutRow, "progress">): Progress => progress as Progress;

const mostKept = 10;
/** How long a worker that says nothing is taken for alive. */
const leaseSeconds = 30;

export const listTakeouts = (db: Db, tenant: string): Promise<TakeoutRow[]> =>
  db
    .selectFrom("takeouts")
    .selectAll()
    .where("tenant", "=", tenant)
    .orderBy("created_at", "desc")
    .orderBy("id")
    .limit(100)
    .execute();

/** Faults: `not_found`. */
export const findTakeout = async (db: Db | Trx, tenant: string, id: string): Promise<TakeoutRow> => {
  const row = await db
    .selectFrom("takeouts")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .executeTakeFirst();
  if (row === undefined) throw new Fault("not_found", "There is no such takeout.");
  return row;
};

export interface NewTakeout {
  readonly parts: readonly TakeoutPart[];
  readonly connection: string | null;
  readonly days: number;
}

/** Faults: `in_use` while another is under way or events are being deleted, `too_many`. */
export const createTakeout = async (db: Db, tenant: string, wanted: NewTakeout, by: By): Promise<TakeoutRow> => {
  try {
    return await db.transaction().execute(async (trx) => {
      await lockTenant(trx, tenant);
      const deleting = await trx
        .selectFrom("deletions")
        .select("id")
        .where("tenant", "=", tenant)
        .where("certificate", "is", null)
        .executeTakeFirst();
      // What is being deleted must not be carried out of its reach meanwhile.
      if (deleting !== undefined)
        throw new Fault("in_use", `The deletion ${deleting.id} is under way; take out what is left once it is done.`);
      const kept = await trx
        .selectFrom("takeouts")
        .select("id")
        .where("tenant", "=", tenant)
        .where("state", "=", "done")
        .where("expires_at", ">", new Date())
        .execute();
      if (kept.length >= mostKept)
        throw new Fault("too_many", `An organization keeps ${mostKept} takeouts at most; remove one first.`);
      const id = `tko_${randomBase62(12)}`;
      const now = new Date();
      const { seq } = await recordAct(trx, by, {
        ...{ tenant, action: "takeout.requested", target: { kind: "takeout", id } },
        details: { parts: [...wanted.parts], connection: wanted.connection ?? "" },
      });
      return trx
        .insertInto("takeouts")
        .values({
          ...{ id, tenant, requested_by: by.actor.id, created_at: now, connection: wanted.connection },
          ...{
            parts: [...wanted.parts],
            audit_seq: seq,
            expires_at: new Date(now.getTime() + wanted.days * 86_400_000),
          },
        })
        .returningAll()
        .executeTakeFirstOrThrow();
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new Fault("in_use", "A takeout of the organization is under way; let it end, or cancel it.");
  }
};

/** Ends one that is under way, or removes one that is done; whoever works on it stops. Faults: `not_found`. */
export const cancelTakeout = (db: Db, tenant: string, id: string, by: By): Promise<TakeoutRow> =>
  db.transaction().execute(async (trx) => {
    const before = await findTakeout(trx, tenant, id);
    if (before.state === "cancelled" || before.state === "deleted") return before;
    const row = await trx
      .updateTable("takeouts")
      .set({ state: "cancelled", worker: null, worker_until: null, finished_at: new Date() })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
    await recordAct(trx, by, { tenant, action: "takeout.cancelled", target: { kind: "takeout", id } });
    return row;
  });

/** A deletion takes along what was taken out before it; retention removes the files. */
export const dropTakeouts = async (trx: Trx, tenant: string): Promise<void> => {
  await trx
    .updateTable("takeouts")
    .set({ state: "deleted", worker: null, worker_until: null, finished_at: new Date() })
    .where("tenant", "=", tenant)
    .where("state", "in", ["waiting", "running", "done"])
    .execute();
};

/** One that nobody works on, for this worker alone. */
export const claimTakeout = (db: Db, worker: string): Promise<TakeoutRow | undefined> =>
  db
    .updateTable("takeouts")
    .set({ worker, worker_until: sql`now() + make_interval(secs => ${leaseSeconds})` })
    .where("id", "=", ({ selectFrom }) =>
      selectFrom("takeouts")
        .select("id")
        .where("state", "in", ["waiting", "running"])
        .where((eb) => eb.or([eb("worker_until", "is", null), eb("worker_until", "<", sql<Date>`now()`)]))
        .orderBy("created_at")
        .limit(1)
        .forUpdate()
        .skipLocked(),
    )
    .returningAll()
    .executeTakeFirst();

/** Thrown where the takeout is no more this worker's: it was cancelled, or another one has it. */
export class Lost extends Error {}

interface Held {
  readonly id: string;
  readonly worker: string;
}

const mine = <T extends { numUpdatedRows: bigint }>({ numUpdatedRows }: T): void => {
  if (numUpdatedRows === 0n) throw new Lost();
};

export const keepTakeout = async (db: Db, { id, worker }: Held): Promise<void> =>
  mine(
    await db
      .updateTable("takeouts")
      .set({ worker_until: sql`now() + make_interval(secs => ${leaseSeconds})` })
      .where("id", "=", id)
      .where("worker", "=", worker)
      .executeTakeFirst(),
  );

export const giveBackTakeout = async (db: Db, { id, worker }: Held): Promise<void> => {
  await db
    .updateTable("takeouts")
    .set({ worker: null, worker_until: null })
    .where("id", "=", id)
    .where("worker", "=", worker)
    .execute();
};

export const setCut = async (db: Db, { id, worker }: Held, cut: Cut): Promise<void> =>
  mine(
    await db
      .updateTable("takeouts")
      .set({ cut: JSON.stringify(cut) })
      .where("id", "=", id)
      .where("worker", "=", worker)
      .executeTakeFirst(),
  );

export const setProgress = async (db: Db, { id, worker }: Held, progress: Progress): Promise<void> =>
  mine(
    await db
      .updateTable("takeouts")
      .set({ state: "running", progress: JSON.stringify(progress) })
      .where("id", "=", id)
      .where("worker", "=", worker)
      .executeTakeFirst(),
  );

/** Ends it, with its act. */
export const endTakeout = (
  db: Db,
  { id, worker, tenant }: Held & { tenant: string },
  end: { state: "done" | "failed"; problem: string; progress?: Progress; details: Record<string, string | number> },
  by: By,
): Promise<void> =>
  db.transaction().execute(async (trx) => {
    mine(
      await trx
        .updateTable("takeouts")
        .set({
          ...{ state: end.state, problem: end.problem, finished_at: new Date(), worker: null, worker_until: null },
          ...(end.progress === undefined ? {} : { progress: JSON.stringify(end.progress) }),
        })
        .where("id", "=", id)
        .where("worker", "=", worker)
        .executeTakeFirst(),
    );
    await recordAct(trx, by, {
      ...{ tenant, action: end.state === "done" ? "takeout.finished" : "takeout.failed" },
      ...{ target: { kind: "takeout", id }, result: end.state === "done" ? "ok" : "failed", details: end.details },
    });
  });

export interface PlannedFile<Plan> {
  readonly name: string;
  readonly plan: Plan | null;
  readonly file: TakeoutFile | null;
}

/** Its files, planned and written, by name. */
export const filesOf = async <Plan>(db: Db, id: string): Promise<PlannedFile<Plan>[]> =>
  (await db
    .selectFrom("takeout_files")
    .select(["name", "plan", "file"])
    .where("takeout", "=", id)
    .orderBy("name")
    .execute()) as PlannedFile<Plan>[];

/** One that is written; undefined for another. */
export const fileOf = async (db: Db, id: string, name: string): Promise<TakeoutFile | undefined> => {
  const row = await db
    .selectFrom("takeout_files")
    .select("file")
    .where("takeout", "=", id)
    .where("name", "=", name)
    .executeTakeFirst();
  return (row?.file as TakeoutFile | null | undefined) ?? undefined;
};

const rowsAtOnce = 1_000;

export const planFiles = (db: Db, id: string, plans: readonly { name: string; plan: unknown }[]): Promise<void> =>
  db.transaction().execute(async (trx) => {
    for (let i = 0; i < plans.length; i += rowsAtOnce)
      await trx
        .insertInto("takeout_files")
        .values(
          plans.slice(i, i + rowsAtOnce).map(({ name, plan }) => ({ takeout: id, name, plan: JSON.stringify(plan) })),
        )
        .onConflict((conflict) => conflict.doNothing())
        .execute();
  });

/** Only whoever holds the takeout says that a file is written. */
export const saveFile = (db: Db, held: Held, file: TakeoutFile): Promise<void> =>
  db.transaction().execute(async (trx) => {
    const still = await trx
      .selectFrom("takeouts")
      .select("id")
      .where("id", "=", held.id)
      .where("worker", "=", held.worker)
      .forUpdate()
      .executeTakeFirst();
    if (still === undefined) throw new Lost();
    await trx
      .insertInto("takeout_files")
      .values({ takeout: held.id, name: file.name, file: JSON.stringify(file) })
      .onConflict((conflict) => conflict.columns(["takeout", "name"]).doUpdateSet({ file: JSON.stringify(file) }))
      .execute();
  });

/** The list of what is past its time is of no use to anybody. */
export const forgetFiles = async (db: Db): Promise<void> => {
  await db
    .deleteFrom("takeout_files")
    .where("takeout", "in", ({ selectFrom }) =>
      selectFrom("takeouts")
        .select("id")
        .where((eb) =>
          eb.or([eb("expires_at", "<", new Date()), eb("state", "in", ["failed", "cancelled", "deleted"])]),
        ),
    )
    .execute();
};
