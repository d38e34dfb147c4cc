/**
 * Which batches are stored, and which are repeats. Pure: what ClickHouse knows comes in as `LedgerAnswers`.
 *
 * The ledger's row for a raw offset is the only proof that a batch is stored, and its absence the only proof that it is
 * not; everything kept in memory merely saves asking. So no order of records, and no rewind however far, can lose a
 * batch or store it twice:
 *   - Above the highest offset that the ledger has, there is no row: store.
 *   - At or below it, the row itself is asked for. There: a rewind, drop. Not there: store.
 *   - Where events may lie without a row (an insert that was cut, or half written), the insert skips by (offset, idx)
 *     what is there: `complete`.
 *   - A row of the same offset with another dedup_id or time of receipt, which a raw record never changes, means that the
 *     raw topic was made anew and counts from 0 again.
 *     Neither dropping nor storing would be right: `conflict`, the partition stands still, an operator decides.
 */
import type { CleanBatch } from "../clean-batch.ts";

/** elsewhere: it belongs on its tenant's own server alone, and here is only its row in the ledger. */
export type Verdict = "store" | "complete" | "elsewhere" | "rewind" | "duplicate" | "conflict";

export interface LedgerRow {
  topic: string;
  partition: number;
  offset: number;
  dedup_id: string;
  /** Milliseconds since the epoch. */
  received_at: number;
}

/** What was asked of the ledger for this flush. */
export interface LedgerAnswers {
  /** By recordKey. */
  rows: ReadonlyMap<string, LedgerRow>;
  /** dedup_id -> the row that took it first. */
  ids: ReadonlyMap<string, LedgerRow>;
}

/** What is remembered of one raw partition as it comes through one clean partition. */
export interface Lane {
  /** Highest offset with a row in the ledger; -1 without any. */
  high: number;
  /** Highest offset above `high` with events but no row; undefined until it was asked for since the last claim. */
  unfinished: number | undefined;
}

export const laneKey = (at: { raw_topic: string; raw_partition: number }): string =>
  `${at.raw_topic}/${at.raw_partition}`;
export const recordKey = (at: { topic: string; partition: number; offset: number }): string =>
  `${at.topic}/${at.partition}/${at.offset}`;
const keyOf = (batch: CleanBatch): string => `${laneKey(batch)}/${batch.raw_offset}`;

/** dedup_ids that were stored lately, the oldest forgotten first when there are too many. */
export class RecentIds {
  private readonly seen = new Map<string, number>();
  private readonly limit: number;
  /** Every id received since then is here. */
  complete: number;

  constructor(limit: number, complete: number) {
    this.limit = limit;
    this.complete = complete;
  }

  add(id: string, receivedAt: number): void {
    this.seen.set(id, receivedAt);
    if (this.seen.size <= this.limit) return;
    const [oldest] = this.seen;
    if (oldest === undefined) return;
    this.seen.delete(oldest[0]);
    this.complete = Math.max(this.complete, oldest[1] + 1);
  }

  receivedAt(id: string): number | undefined {
    return this.seen.get(id);
  }
}

/** One clean partition's memory, valid under one claim. */
export interface Book {
  token: string;
  lanes: Map<string, Lane>;
  ids: RecentIds;
}

export const laneOf = (book: Book, batch: CleanBatch): Lane => {
  const key = laneKey(batch);
  let lane = book.lanes.get(key);
  if (lane === undefined) book.lanes.set(key, (lane = { high: -1, unfinished: undefined }));
  return lane;
};

const within = (earlier: number, later: CleanBatch, windowMs: number): boolean =>
  earlier >= later.received_at - windowMs;

/** What must be asked of the ledger before these batches can be judged. */
export const questions = (
  batches: readonly CleanBatch[],
  bookOf: (cleanPartition: number) => Book,
  windowMs: number,
): { rows: CleanBatch[]; ids: CleanBatch[] } => {
  const asked: { rows: CleanBatch[]; ids: CleanBatch[] } = { rows: [], ids: [] };
  for (const batch of batches) {
    const book = bookOf(batch.cleanPartition);
    if (batch.raw_offset <= laneOf(book, batch).high) asked.rows.push(batch);
    if (batch.dedup_id === "" || book.ids.receivedAt(batch.dedup_id) !== undefined) continue;
    if (batch.received_at - windowMs < book.ids.complete) asked.ids.push(batch);
  }
  return asked;
};

/** One verdict per batch, in the order given, which must be each partition's own. Every lane must have `unfinished`. */
export const decide = (
  batches: readonly CleanBatch[],
  bookOf: (cleanPartition: number) => Book,
  answers: LedgerAnswers,
  windowMs: number,
  isElsewhere: (tenant: string) => boolean = () => false,
): Verdict[] => {
  const keys = new Set<string>();
  const ids = new Map<string, number>();
  return batches.map((batch) => {
    const key = keyOf(batch);
    if (keys.has(key)) return "rewind";
    const book = bookOf(batch.cleanPartition);
    const lane = laneOf(book, batch);
    const below = batch.raw_offset <= lane.high;
    const row = below ? answers.rows.get(key) : undefined;
    if (row !== undefined)
      return row.dedup_id === batch.dedup_id && row.received_at === batch.received_at ? "rewind" : "conflict";
    keys.add(key);
    const id = `${batch.cleanPartition}/${batch.dedup_id}`;
    if (batch.dedup_id !== "") {
      const first = ids.get(id) ?? book.ids.receivedAt(batch.dedup_id) ?? answers.ids.get(batch.dedup_id)?.received_at;
      if (first !== undefined && within(first, batch, windowMs)) return "duplicate";
      ids.set(id, batch.received_at);
    }
    // Of what is half here already the rest is stored here, too: so no event is without a row that tells of it.
    if (below || batch.raw_offset <= (lane.unfinished ?? -1)) return "complete";
    return isElsewhere(batch.tenant) ? "elsewhere" : "store";
  });
};

/** Remembers what the ledger has just been given. */
export const remember = (batch: CleanBatch, verdict: Verdict, book: Book): void => {
  if (verdict === "rewind" || verdict === "conflict") return;
  const lane = laneOf(book, batch);
  lane.high = Math.max(lane.high, batch.raw_offset);
  if (verdict !== "duplicate" && batch.dedup_id !== "") book.ids.add(batch.dedup_id, batch.received_at);
};
