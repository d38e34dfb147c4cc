/**
 * Stores what one flush has gathered: events first, their ledger rows second; only then do the handlers resolve and Kafka
 * offsets move. Exactly once rests on three things, each with its reasons in its own file:
 *   claims.ts   nobody else writes for our partitions, however late;
 *   decide.ts   the ledger's row, not memory and not Kafka's offset, says what is stored;
 *   0002_batches.sql   ledger rows come whole or not at all, and never before their events.
 * So a crash between any two steps leaves at most events without a row, and the next owner completes those by index.
 *
 * Whatever goes wrong in an insert, its outcome counts as unknown: the partitions are claimed anew, which waits until the
 * outcome is certain, and the flush is judged again by what is there then.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Type } from "avsc";
import { type CleanBatch, expectedEvents, isSound, type Unreadable } from "../clean-batch.ts";
import { Fault } from "../fault.ts";
import type { Delivery } from "../kafka-consumer.ts";
import type { Log } from "../log.ts";
import type { Gathered } from "./accumulator.ts";
import type { createClaims, Owner } from "./claims.ts";
import { failureCode, failureOf } from "./clickhouse.ts";
import type { createDeadLetters, Letter } from "./clickhouse-dead-letters.ts";
import type { createEvents } from "./clickhouse-events.ts";
import type { createLedger, Entry } from "./clickhouse-ledger.ts";
import { type Book, decide, laneOf, questions, recordKey, remember, type Verdict } from "./decide.ts";
import type { StoreMetrics } from "./metrics.ts";

export interface Arrival {
  delivery: Pick<Delivery, "topic" | "partition" | "current">;
  records: readonly (CleanBatch | Unreadable)[];
}

/** What whoever shows a store's state is told. */
export interface Told {
  /** Ledger rows that were just written. */
  stored(rows: readonly { readonly partition: number; readonly stored: number; readonly bytes: number }[]): void;
  /** Why nothing moves on; undefined once it does. */
  trouble(error: unknown): void;
}

interface Judged {
  batch: CleanBatch;
  verdict: Verdict;
}

/** Batches that ClickHouse will never take, with why. */
type Refused = Map<CleanBatch, string>;

const firstPauseMs = 100;
const longestPauseMs = 5_000;

/** What the ledger calls events that are on a server of their tenant's alone, whose own ledger says what is stored. */
export const elsewhere = "elsewhere";

const lost = () => new Fault("partition_lost", "The partition is another sink's now.", { retriable: true });

export const createStore = (deps: {
  claims: ReturnType<typeof createClaims>;
  events: ReturnType<typeof createEvents>;
  ledger: ReturnType<typeof createLedger>;
  letters: ReturnType<typeof createDeadLetters>;
  metrics: StoreMetrics;
  log: Log;
  /** The writer's schema of an id that was read before. */
  writerOf(id: number): Promise<Type>;
  windowMs: number;
  told?: Told;
  /** Whose events are kept on a server of their own instead. */
  isElsewhere?(tenant: string): boolean;
}) => {
  const { told } = deps;
  const { claims, events, ledger, letters, metrics, log, writerOf, windowMs } = deps;
  const books = new Map<number, Book>();
  let assigned: readonly number[] = [];
  let renewed = false;
  let closing = false;

  const bookOf = (partition: number): Book => {
    const book = books.get(partition);
    if (book === undefined) throw new Fault("not_claimed", `Partition ${partition} was not claimed.`);
    return book;
  };

  /** Claims what is not claimed yet; afterwards every partition of these arrivals has its book. */
  const open = async (items: readonly Gathered<Arrival>[]): Promise<void> => {
    if (renewed) books.clear();
    renewed = false;
    const needed = items.map(({ item }) => item.delivery.partition);
    if (needed.every((partition) => books.has(partition))) return;
    const missing = [...new Set([...needed, ...assigned])].filter((partition) => !books.has(partition));
    const token = await claims.claim(missing);
    for (const [partition, book] of await ledger.open(missing, token)) books.set(partition, book);
    metrics.claims.inc(missing.length);
  };

  const judge = async (batches: readonly CleanBatch[]): Promise<Judged[]> => {
    const fresh = batches.filter((batch) => laneOf(bookOf(batch.cleanPartition), batch).unfinished === undefined);
    const found = await ledger.unfinished(fresh);
    for (const batch of fresh) laneOf(bookOf(batch.cleanPartition), batch).unfinished = -1;
    for (const row of found)
      for (const batch of fresh)
        if (batch.raw_topic === row.topic && batch.raw_partition === row.partition)
          laneOf(bookOf(batch.cleanPartition), batch).unfinished = row.last;
    const answers = await ledger.ask(questions(batches, bookOf, windowMs));
    const verdicts = decide(batches, bookOf, answers, windowMs, deps.isElsewhere);
    return batches.map((batch, i) => ({ batch, verdict: verdicts[i] as Verdict }));
  };

  const ownersOf = (judged: readonly Judged[]): Owner[] =>
    [...new Set(judged.map(({ batch }) => batch.cleanPartition))].map((partition) => ({
      partition,
      token: bookOf(partition).token,
    }));

  /** How many events of each batch are there now, as ClickHouse counts them. */
  const counted = async (stored: readonly Judged[]): Promise<(batch: CleanBatch) => number> => {
    const counts = new Map<string, number>();
    for (const row of await events.count(stored.map(({ batch }) => batch))) counts.set(recordKey(row), row.events);
    return ({ raw_topic: topic, raw_partition: partition, raw_offset: offset }) =>
      counts.get(recordKey({ topic, partition, offset })) ?? 0;
  };

  const insertEvents = async (stored: readonly Judged[], owners: readonly Owner[]) => {
    const complete = stored.some(({ verdict }) => verdict === "complete");
    const batches = stored.map(({ batch }) => batch);
    const expected = batches.reduce((sum, batch) => sum + expectedEvents(batch), 0);
    const end = metrics.insertSeconds.startTimer();
    const written = await events.insert(batches, owners, complete);
    end();
    metrics.rows.inc(Math.max(0, written.rows));
    metrics.bytes.inc(written.bytes);
    if (!complete && written.rows === expected) return expectedEvents;
    if (!complete)
      log.error({ expected, written: written.rows }, "ClickHouse wrote another number of events than the batches say");
    return counted(stored);
  };

  /** Keeps refused batches as dead letters. Returns how many of their events are stored all the same. */
  const bury = async (dead: readonly Judged[], refused: Refused): Promise<(batch: CleanBatch) => number> => {
    for (const { batch } of dead) {
      const code = refused.get(batch) ?? "";
      const { raw_topic: topic, raw_partition: partition, raw_offset: offset } = batch;
      log.error({ topic, partition, offset, code }, "ClickHouse refuses a batch; it becomes a dead letter");
      await letters.insert([letterOf(batch, "refused_by_storage", code)]);
      metrics.letters.inc({ reason: "refused_by_storage" });
    }
    return counted(dead);
  };

  const storeChunk = async (chunk: readonly Judged[], refused: Refused): Promise<void> => {
    const owners = ownersOf(chunk);
    const toStore = chunk.filter(({ verdict }) => verdict === "store" || verdict === "complete");
    const stored = toStore.filter(({ batch }) => !refused.has(batch));
    const dead = toStore.filter(({ batch }) => refused.has(batch));
    let storedOf: (batch: CleanBatch) => number = () => 0;
    if (stored.length > 0) {
      try {
        storedOf = await insertEvents(stored, owners);
      } catch (error) {
        const [only, another] = stored;
        if (failureOf(error) === "refused" && only !== undefined && another === undefined)
          refused.set(only.batch, failureCode(error));
        throw error;
      }
    }
    const deadOf = dead.length === 0 ? () => 0 : await bury(dead, refused);
    const entries = chunk.flatMap(({ batch, verdict }): Entry[] => {
      if (verdict === "rewind") return [];
      const reason = verdict === "duplicate" ? "duplicate" : refused.has(batch) ? "dead_letter" : undefined;
      if (verdict === "elsewhere") {
        const dropped = { ...batch.dropped, [elsewhere]: expectedEvents(batch) };
        // Its bytes count for a quota all the same.
        return [{ batch, stored: 0, bytes: batch.eventBytes, dropped }];
      }
      const count = verdict === "duplicate" ? 0 : refused.has(batch) ? deadOf(batch) : storedOf(batch);
      const bytes = count === 0 ? 0 : batch.eventBytes;
      const missing = expectedEvents(batch) - count;
      // What is missing for no known reason is not explained away: the row's sum does not hold then, and verify says so.
      if (reason === undefined || missing <= 0) return [{ batch, stored: count, bytes, dropped: batch.dropped }];
      const dropped = { ...batch.dropped, [reason]: (batch.dropped[reason] ?? 0) + missing };
      return [{ batch, stored: count, bytes, dropped }];
    });
    await ledger.insert(entries, owners);
    told?.stored(entries.map(({ batch, stored, bytes }) => ({ partition: batch.cleanPartition, stored, bytes })));
    const now = Date.now();
    for (const { batch, verdict } of chunk) {
      remember(batch, verdict, bookOf(batch.cleanPartition));
      metrics.batches.inc({ verdict });
      if (verdict === "store") metrics.storedSeconds.observe(Math.max(0, now - batch.received_at) / 1000);
    }
  };

  /** One try. `size` is how many batches go into one insert. Returns the arrivals that stand in conflict. */
  const attempt = async (
    items: readonly Gathered<Arrival>[],
    size: number,
    refused: Refused,
  ): Promise<Set<Gathered<Arrival>>> => {
    await open(items);
    const records = items.flatMap(({ item }) => item.records);
    const unreadable = records.filter((record) => record.kind === "unreadable");
    await letters.insert(unreadable.map((record) => letterOf(record, record.reason, "")));
    for (const { reason } of unreadable) metrics.letters.inc({ reason });
    const judged = await judge(records.filter((record) => record.kind === "batch"));
    const partitions = new Set(
      judged.filter(({ verdict }) => verdict === "conflict").map(({ batch }) => batch.cleanPartition),
    );
    const good = judged.filter(({ batch }) => !partitions.has(batch.cleanPartition));
    for (let i = 0; i < good.length; i += size) await storeChunk(good.slice(i, i + size), refused);
    return new Set(items.filter(({ item }) => partitions.has(item.delivery.partition)));
  };

  /** Looks for batches whose bytes are broken, and adds them to `refused`. Returns whether there are new ones. */
  const findBroken = async (items: readonly Gathered<Arrival>[], refused: Refused): Promise<boolean> => {
    const before = refused.size;
    for (const { item } of items)
      for (const record of item.records)
        if (record.kind === "batch" && !refused.has(record) && !isSound(record, await writerOf(record.schemaId)))
          refused.set(record, "undecodable");
    return refused.size > before;
  };

  return {
    /** A new assignment: nothing that was remembered holds any more. */
    assign: (partitions: readonly number[]): void => {
      assigned = partitions;
      renewed = true;
    },

    /** From now on a failure is final, so that a stop does not wait for a ClickHouse that is away. */
    close: (): void => {
      closing = true;
    },

    /** Stores the arrivals and settles each. Returns only when nothing of it is under way any more. */
    flush: async (arrivals: readonly Gathered<Arrival>[]): Promise<void> => {
      let items = arrivals;
      let size = Number.MAX_SAFE_INTEGER;
      const refused: Refused = new Map();
      for (let tries = 0; ; ) {
        for (const one of items) if (!one.item.delivery.current()) one.reject(lost());
        items = items.filter((one) => one.item.delivery.current());
        if (items.length === 0) break;
        try {
          const conflicts = await attempt(items, size, refused);
          for (const one of items)
            if (conflicts.has(one))
              one.reject(
                new Fault(
                  "coordinates_reused",
                  `Partition ${one.item.delivery.partition} brings raw offsets that the ledger has as other batches: the raw topic was made anew. Give it another name or prefix.`,
                ),
              );
            else one.resolve();
          break;
        } catch (error) {
          for (const { item } of items) books.delete(item.delivery.partition);
          const failure = failureOf(error);
          metrics.retries.inc({ code: failureCode(error) });
          if (closing) throw error;
          if (failure === "unclear" && (await findBroken(items, refused))) continue;
          if (failure === "refused") {
            const batches = items.reduce((sum, { item }) => sum + item.records.length, 0);
            size = Math.max(1, Math.ceil(Math.min(size, batches) / 2));
            log.warn(
              { code: failureCode(error), size },
              "ClickHouse refuses a flush; looking for the batch that is to blame",
            );
            continue;
          }
          const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(tries++, 10));
          metrics.paused.set(1);
          told?.trouble(error);
          log.warn(
            { code: failureCode(error), failure, pause_ms: pauseMs, tries },
            "an insert failed; nothing moves on until it has passed",
          );
          await sleep(pauseMs);
        }
      }
      metrics.paused.set(0);
      told?.trouble(undefined);
    },
  };
};

/** A record of events.clean as a dead letter of its own: it is redacted, so it stays as it is. */
const letterOf = (record: CleanBatch | Unreadable, reason: string, detail: string): Letter => ({
  topic: record.cleanTopic,
  partition: record.cleanPartition,
  offset: record.cleanOffset,
  index: -1,
  tenant: record.kind === "batch" ? record.tenant : "",
  source: record.kind === "batch" ? record.source : "",
  reason,
  detail,
  died_at: Date.now(),
  payload_bytes: record.value.length,
  encryption: "none",
  payload: record.value,
  dead_topic: record.cleanTopic,
  dead_partition: record.cleanPartition,
  dead_offset: record.cleanOffset,
});
