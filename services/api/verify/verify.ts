/**
 * The proof that what was acknowledged is stored once: laws about the ledger, checked from Kafka's offsets and the
 * stored rows, never from counters.
 *
 * - Every offset of every raw partition has its ledger row: a hole is a lost record.
 * - A record's rows in `events` are as many as the ledger says, each index once; those that were removed since are
 *   written down index by index, and count as seen.
 * - accepted = stored + dropped, record by record.
 *
 * What is on its way is lag, not a fault. A record counts as due when a later one of its partition is in the ledger, or
 * when the redactor has passed it on and the sink says it has nothing left to store.
 */
import type { Positions } from "@astralog/chassis";

/** A raw topic that the tenant's events may lie in: events.raw, or one of its sources' own. */
export interface RawTopic {
  /** Without the cluster's prefix. */
  readonly topic: string;
  /** The redactor's group on it. */
  readonly group: string;
  /** Partition of events.clean by partition of the topic; undefined when they are the same. */
  readonly places?: readonly number[];
}

export interface LedgerPartition {
  readonly partition: number;
  readonly records: number;
  readonly first: number;
  readonly last: number;
}

export interface PartitionState {
  readonly topic: string;
  readonly partition: number;
  /** Offset the next record will get. */
  readonly end: number;
  /** Ledger rows are due for every offset below. */
  readonly due: number;
  /** Records between the ledger and the end that may still be on their way. */
  readonly lag: number;
  /** Whether some offset below `due` has no ledger row. */
  readonly incomplete: boolean;
}

/** Of one raw topic. `raw` must have been read before `clean`, and `clean` before `ledger`. */
export const partitionStates = (
  { topic, places }: Pick<RawTopic, "topic" | "places">,
  raw: Pick<Positions, "ends" | "committed">,
  clean: Pick<Positions, "ends" | "committed">,
  ledger: readonly LedgerPartition[],
): PartitionState[] => {
  const rows = new Map(ledger.map((row) => [row.partition, row]));
  const partitions = [...new Set([...raw.ends.keys(), ...rows.keys()])].sort((a, b) => a - b);
  return partitions.map((partition) => {
    const row = rows.get(partition);
    const next = row === undefined ? 0 : row.last + 1;
    const end = Math.max(raw.ends.get(partition) ?? 0, next);
    const place = places === undefined ? partition : (places[partition] ?? -1);
    const sinkIsDone = (clean.committed.get(place) ?? 0) >= (clean.ends.get(place) ?? 0);
    const passedOn = raw.committed.get(partition) ?? 0;
    const due = sinkIsDone ? Math.max(next, Math.min(passedOn, end)) : next;
    return { topic, partition, end, due, lag: end - due, incomplete: (row?.records ?? 0) < due };
  });
};

export interface Gap {
  readonly topic: string;
  readonly partition: number;
  /** First and last offset without a ledger row. */
  readonly from: number;
  readonly to: number;
}

/** The runs of offsets below `due` that `offsets`, ascending, does not hold. */
export const gapsIn = (offsets: Iterable<number>, due: number): Pick<Gap, "from" | "to">[] => {
  const gaps: Pick<Gap, "from" | "to">[] = [];
  let next = 0;
  for (const offset of offsets) {
    if (offset >= due) break;
    if (offset > next) gaps.push({ from: next, to: offset - 1 });
    next = offset + 1;
  }
  if (next < due) gaps.push({ from: next, to: due - 1 });
  return gaps;
};

export interface MinuteSum {
  readonly source: string;
  /** RFC 3339, UTC. */
  readonly minute: string;
  readonly accepted: number;
  readonly stored: number;
  readonly dropped: Record<string, number>;
}

export const addCounts = (into: Record<string, number>, counts: Record<string, number>): Record<string, number> => {
  for (const [reason, count] of Object.entries(counts)) into[reason] = (into[reason] ?? 0) + Number(count);
  return into;
};

export interface SourceSum {
  readonly source: string;
  readonly name: string;
  accepted: number;
  stored: number;
  readonly dropped: Record<string, number>;
  readonly minutes: Omit<MinuteSum, "source">[];
}

export const sumBySource = (minutes: readonly MinuteSum[], names: ReadonlyMap<string, string>): SourceSum[] => {
  const sums = new Map<string, SourceSum>();
  for (const { source, ...minute } of minutes) {
    let sum = sums.get(source);
    if (sum === undefined) {
      sum = { source, name: names.get(source) ?? "", accepted: 0, stored: 0, dropped: {}, minutes: [] };
      sums.set(source, sum);
    }
    sum.accepted += minute.accepted;
    sum.stored += minute.stored;
    addCounts(sum.dropped, minute.dropped);
    sum.minutes.push(minute);
  }
  return [...sums.values()];
};

/** Cuts minutes into runs of at most `most` accepted events, so that no check holds more than that in memory. */
export const chunksOf = (
  minutes: readonly { minute: number; accepted: number }[],
  most: number,
): { from: number; to: number }[] => {
  const chunks: { from: number; to: number }[] = [];
  let held = 0;
  for (const { minute, accepted } of minutes) {
    const last = chunks.at(-1);
    if (last !== undefined && held + accepted <= most) {
      last.to = minute + 60;
      held += accepted;
    } else {
      chunks.push({ from: minute, to: minute + 60 });
      held = accepted;
    }
  }
  return chunks;
};
