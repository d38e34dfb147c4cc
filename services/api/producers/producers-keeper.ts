/**
 * Holds Kafka to what Postgres and the ledger say of producers: who is revoked or has expired, whose source is disabled,
 * whose organization's plan or day has nothing left, loses the right to write, and who ended for good also the user. Taking
 * the right away is what stops a connection that is open. Every api does this; doing it twice changes nothing.
 */
import type { Log } from "@astralog/chassis";
import { sql } from "kysely";
import type { Db } from "../postgres.ts";
import { isOpen, type ProducerRow } from "./producers.ts";
import type { ProducersKafka } from "./producers-kafka.ts";
import { readStandings, type UsageOf } from "./standing.ts";

export interface ProducersKeeper {
  /** Does now what is due. Rejects when Kafka or Postgres cannot be reached; it is tried again by itself. */
  now(): Promise<void>;
  /** The same, without anybody waiting for it. */
  soon(): void;
  stop(): Promise<void>;
}

/** How late an expiry, or what another process was asked for, may take effect. */
const everyMs = 1_000;
/** Rights that were changed in Kafka by hand, or by a process that knew less, are put right after this at the latest. */
const recheckMs = 20_000;
/** "native" as a number; the lock belongs to one database. */
const lockId = 0x6e617469;

/** Who ended and is still known to Kafka. */
const ended = (db: Db): Promise<Pick<ProducerRow, "id" | "username">[]> =>
  db
    .selectFrom("producers")
    .select(["id", "username"])
    .where("closed_at", "is", null)
    .where(sql<boolean>`not (${isOpen})`)
    .limit(100)
    .execute();

export interface KeeperDeps {
  readonly db: Db;
  readonly kafka: ProducersKafka;
  readonly log: Log;
  readonly usageOf: UsageOf;
}

export const startProducersKeeper = ({ db, kafka, log, usageOf }: KeeperDeps): ProducersKeeper => {
  let held = "";
  let heldAt = Number.NEGATIVE_INFINITY;

  const hold = (): Promise<void> =>
    db.transaction().execute(async (trx) => {
      // Between reading and telling Kafka nobody else may do the same with newer rows.
      await sql`select pg_advisory_xact_lock(${lockId})`.execute(trx);
      const wanted = await readStandings(trx, usageOf);
      await kafka.holdRates(wanted);
      const { given, taken } = await kafka.holdRights(wanted.filter(({ pause }) => pause === null));
      if (given + taken > 0) log.info({ given, taken }, "the producers' rights changed");
      held = JSON.stringify(wanted);
      heldAt = performance.now();
    });

  const keep = async (certainly: boolean): Promise<void> => {
    const over = await ended(db);
    const due = certainly || over.length > 0 || performance.now() - heldAt >= recheckMs;
    if (due || JSON.stringify(await readStandings(db, usageOf)) !== held) await hold();
    for (const { id, username } of over) {
      await kafka.removeUser(username);
      await db.updateTable("producers").set({ closed_at: new Date() }).where("id", "=", id).execute();
    }
  };

  // One after the other: an older run must not give back what a newer one took.
  let last = Promise.resolve();
  const run = (certainly: boolean): Promise<void> => {
    const mine = last.then(() => keep(certainly));
    last = mine.catch(() => undefined);
    return mine;
  };
  let failing = false;
  let running = false;
  const look = (): Promise<void> =>
    run(false).then(
      () => {
        failing = false;
      },
      (error) => {
        if (!failing) log.warn({ err: error }, "the producers' rights cannot be held for now");
        failing = true;
      },
    );
  const tick = (): void => {
    if (running) return;
    running = true;
    void look().finally(() => {
      running = false;
    });
  };
  const timer = setInterval(tick, everyMs);

  return {
    now: () => run(true),
    soon: () => void look(),
    stop: async () => {
      clearInterval(timer);
      await last;
    },
  };
};
