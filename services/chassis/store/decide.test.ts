import { emptyHeader } from "@astralog/schemas";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { CleanBatch } from "../clean-batch.ts";
import {
  type Book,
  decide,
  type LedgerRow,
  laneOf,
  questions,
  RecentIds,
  recordKey,
  remember,
  type Verdict,
} from "./decide.ts";

const windowMs = 60_000;

const batchOf = (offset: number, more: Partial<CleanBatch> = {}): CleanBatch => ({
  ...emptyHeader,
  kind: "batch",
  cleanTopic: "clean",
  cleanPartition: 0,
  cleanOffset: 0,
  schemaId: 1,
  eventBytes: 100,
  value: Buffer.alloc(0),
  raw_topic: "raw",
  raw_partition: 0,
  raw_offset: offset,
  accepted: 3,
  received_at: 1_000_000 + offset,
  dedup_id: `id-${offset}`,
  ...more,
});

/** ClickHouse as far as the sink's decisions go: rows of events by coordinates, and the ledger. */
class Tables {
  events = new Map<string, number>();
  ledger = new Map<string, LedgerRow & { duplicate: boolean }>();

  open(idLimit: number): Book {
    const book: Book = { token: "t", lanes: new Map(), ids: new RecentIds(idLimit, 0) };
    for (const row of [...this.ledger.values()].sort((a, b) => a.received_at - b.received_at)) {
      const key = `${row.topic}/${row.partition}`;
      const high = Math.max(book.lanes.get(key)?.high ?? -1, row.offset);
      book.lanes.set(key, { high, unfinished: undefined });
      if (!row.duplicate && row.dedup_id !== "") book.ids.add(row.dedup_id, row.received_at);
    }
    return book;
  }

  judge(batches: CleanBatch[], book: Book): Verdict[] {
    for (const batch of batches) {
      const lane = laneOf(book, batch);
      if (lane.unfinished !== undefined) continue;
      lane.unfinished = -1;
      for (const key of this.events.keys()) {
        const [topic, partition, offset] = key.split("/");
        if (`${topic}/${partition}` === `${batch.raw_topic}/${batch.raw_partition}`)
          lane.unfinished = Math.max(lane.unfinished, Number(offset));
      }
    }
    const asked = questions(batches, () => book, windowMs);
    const rows = new Map<string, LedgerRow>();
    for (const { raw_topic: topic, raw_partition: partition, raw_offset: offset } of asked.rows) {
      const key = recordKey({ topic, partition, offset });
      const row = this.ledger.get(key);
      if (row !== undefined) rows.set(key, row);
    }
    const ids = new Map<string, LedgerRow>();
    for (const { dedup_id } of asked.ids)
      for (const row of this.ledger.values()) if (row.dedup_id === dedup_id && !row.duplicate) ids.set(dedup_id, row);
    return decide(batches, () => book, { rows, ids }, windowMs);
  }

  /** Inserts events of a batch up to `until`; with `complete`, only those that are missing. */
  insert(batch: CleanBatch, verdict: Verdict, until = batch.accepted): void {
    for (let index = 0; index < until; index++) {
      const key = `${batch.raw_topic}/${batch.raw_partition}/${batch.raw_offset}/${index}`;
      const there = this.events.get(key) ?? 0;
      if (verdict === "complete" && there > 0) continue;
      this.events.set(key, there + 1);
    }
  }
}

const stored = (verdict: Verdict): boolean => verdict === "store" || verdict === "complete";

describe("decide", () => {
  test("gives each coordinate once and each record one row, whatever is repeated and wherever it crashes", () => {
    const step = fc.record({
      take: fc.integer({ min: 1, max: 6 }),
      crash: fc.constantFrom("no", "before", "amid events", "before ledger", "before commit"),
      part: fc.nat({ max: 5 }),
      back: fc.nat({ max: 8 }),
    });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: 12 }), fc.constantFrom("raw", "raw", "native.a", "native.b")), {
          minLength: 1,
          maxLength: 40,
        }),
        fc.array(step, { maxLength: 30 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 2, max: 8 }),
        (offsets, steps, idLimit, distinct) => {
          // Any order of raw offsets, repeats and gaps included, of several raw topics that feed one clean partition; ids
          // are shared between some of them, and what comes from native topics has none.
          const log = offsets.map(([offset, topic], i) =>
            batchOf(offset, {
              ...{ cleanOffset: i, raw_topic: topic, raw_partition: offset % 2 },
              dedup_id: topic === "raw" ? `id-${offset % distinct}` : "",
            }),
          );
          const tables = new Tables();
          let book = tables.open(idLimit);
          let at = 0;
          const plan = [...steps, ...log.map(() => ({ take: 6, crash: "no", part: 0, back: 0 }))];
          for (const { take, crash, part, back } of plan) {
            const batches = log.slice(at, at + take);
            const verdicts = tables.judge(batches, book);
            const again = (): void => {
              book = tables.open(idLimit);
              at = Math.max(0, at - back);
            };
            if (crash === "before") {
              again();
              continue;
            }
            let budget = crash === "amid events" ? part : Number.POSITIVE_INFINITY;
            batches.forEach((batch, i) => {
              const verdict = verdicts[i] as Verdict;
              if (!stored(verdict)) return;
              tables.insert(batch, verdict, Math.min(batch.accepted, budget));
              budget = Math.max(0, budget - batch.accepted);
            });
            if (crash === "amid events" || crash === "before ledger") {
              again();
              continue;
            }
            batches.forEach((batch, i) => {
              const verdict = verdicts[i] as Verdict;
              if (!stored(verdict) && verdict !== "duplicate") return;
              const { raw_topic: topic, raw_partition: partition, raw_offset: offset, dedup_id, received_at } = batch;
              const key = recordKey({ topic, partition, offset });
              expect(tables.ledger.has(key)).toBe(false);
              tables.ledger.set(key, { topic, partition, offset, dedup_id, received_at, duplicate: !stored(verdict) });
              remember(batch, verdict, book);
            });
            at += batches.length;
            if (crash === "before commit") again();
          }
          expect(new Set(tables.events.values()).size).toBeLessThanOrEqual(1);
          for (const count of tables.events.values()) expect(count).toBe(1);
          const wanted = new Set(log.map((b) => `${b.raw_topic}/${b.raw_partition}/${b.raw_offset}`));
          expect(new Set(tables.ledger.keys())).toEqual(wanted);
          for (const row of tables.ledger.values())
            for (let index = 0; index < 3; index++)
              expect(tables.events.has(`${row.topic}/${row.partition}/${row.offset}/${index}`)).toBe(!row.duplicate);
          // Of one id, one batch is stored.
          const winners = [...tables.ledger.values()]
            .filter((row) => !row.duplicate && row.dedup_id !== "")
            .map((row) => row.dedup_id);
          expect(new Set(winners).size).toBe(winners.length);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("drops a second batch with the same dedup_id within the window, and not after it", () => {
    const tables = new Tables();
    const book = tables.open(10);
    const first = batchOf(1, { dedup_id: "a", received_at: 100_000 });
    const soon = batchOf(2, { dedup_id: "a", received_at: 100_000 + windowMs });
    const late = batchOf(3, { dedup_id: "a", received_at: 100_001 + windowMs });
    expect(tables.judge([first, soon], book)).toEqual(["store", "duplicate"]);
    remember(first, "store", book);
    expect(tables.judge([soon, late], book)).toEqual(["duplicate", "store"]);
  });

  test("asks the ledger for an id that memory has forgotten", () => {
    const book: Book = { token: "t", lanes: new Map(), ids: new RecentIds(2, 0) };
    for (const offset of [1, 2, 3]) remember(batchOf(offset), "store", book);
    expect(questions([batchOf(4, { dedup_id: "id-1" })], () => book, windowMs).ids).toHaveLength(1);
    expect(questions([batchOf(4, { dedup_id: "id-3" })], () => book, windowMs).ids).toHaveLength(0);
  });

  test("stands still where an offset comes again as another batch", () => {
    const tables = new Tables();
    tables.ledger.set("raw/0/5", {
      topic: "raw",
      partition: 0,
      offset: 5,
      dedup_id: "old",
      received_at: 1,
      duplicate: false,
    });
    expect(tables.judge([batchOf(5)], tables.open(10))).toEqual(["conflict"]);
  });
});
