/**
 * Holds Kafka to what Postgres says of producers: who is revoked, has expired, or whose source is disabled, loses the
 * right to write, and who ended for good also the user. Taking the right away is what stops a connection that is open.
 * Every api does this; doing it twice changes nothing.
 */
import type { Log } from "@astralog/chassis";
import { sql } from "kysely";
import type { Db, Trx } from "../postgres.ts";
import { isOpen, type ProducerRow } from "./producers.ts";
import type { ProducersKafka, WriteRight } from "./producers-kafka.ts";

export interface ProducersKeeper {
  /** Does now what is due. Rejects when Kafka or Postgres cannot be reached; it is tried again by itself. */
  now(): Promise<void>;
  stop(): Promise<void>;
}

/** How late an expiry or a disabled source may take effect. */
const everyMs = 1_000;
/** Rights that somebody changed in Kafka by hand are put right after this at the latest. */
const recheckMs = 60_000;
/** "native" as a number; the lock belongs to one database. */
const lockId = 0x6e617469;

/** Who may write where. */
const rights = (db: Db | Trx): Promise<WriteRight[]> =>
  db
    .selectFrom("producers")
    .innerJoin("sources", "sources.id", "producers.source")
    .select(["producers.username", "producers.source"])
    .where("producers.closed_at", "is", null)
    .where(isOpen)
    .where("sources.disabled", "=", false)
    .orderBy("producers.username")
    .execute();

/** Who ended and is still known to Kafka. */
const ended = (db: Db): Promise<Pick<ProducerRow, "id" | "username">[]> =>
  db
    .selectFrom("producers")
    .select(["id", "username"])
    .where("closed_at", "is", null)
    .where(sql<boolean>`not (${isOpen})`)
    .limit(100)
    .execute();

export const startProducersKeeper = ({
  db,
  kafka,
  log,
}: {
  db: Db;
  kafka: ProducersKafka;
  log: Log;
}): ProducersKeeper => {
  let held = "";
  let heldAt = Number.NEGATIVE_INFINITY;

  const hold = (): Promise<void> =>
    db.transaction().execute(async (trx) => {
      // Between reading and telling Kafka nobody else may do the same with newer rows.
      await sql`select pg_advisory_xact_lock(${lockId})`.execute(trx);
      const wanted = await rights(trx);
      const { given, taken } = await kafka.holdRights(wanted);
      if (given + taken > 0) log.info({ given, taken }, "the producers' rights changed");
      held = JSON.stringify(wanted);
      heldAt = performance.now();
    });

  const keep = async (certainly: boolean): Promise<void> => {
    const over = await ended(db);
    const due = certainly || over.length > 0 || performance.now() - heldAt >= recheckMs;
    if (due || JSON.stringify(await rights(db)) !== held) await hold();
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
  const timer = setInterval(() => {
    if (running) return;
    running = true;
    run(false)
      .then(
        () => {
          failing = false;
        },
        (error) => {
          if (!failing) log.warn({ err: error }, "the producers' rights cannot be held for now");
          failing = true;
        },
      )
      .finally(() => {
        running = false;
      });
  }, everyMs);

  return {
    now: () => run(true),
    stop: async () => {
      clearInterval(timer);
      await last;
    },
  };
};
