/**
 * How a pane is known to be complete: what the raw topics held at an instant has come through events.clean. Then every
 * event that was received before that instant, less the time that a record may be on its way to Kafka, has been counted.
 * An idle source, a slow redactor and a stopped one differ in nothing else.
 */
import type { KafkaAdmin, KafkaClient } from "@astralog/chassis";
import { topics } from "@astralog/schemas";

/** What was known of the raw topics at one instant. */
export interface Sight {
  /** By the clock, before it was asked for. */
  readonly at: number;
  /** Lane to the offset its next record will get, and to that of its oldest. */
  readonly ends: ReadonlyMap<string, { readonly low: number; readonly high: number }>;
  /** Lane to the redactor's committed position. */
  readonly passed: ReadonlyMap<string, number>;
  /** Partition of events.clean to its end, asked for after those positions. */
  readonly cleanEnds: ReadonlyMap<number, number>;
}

export interface Progress {
  readonly complete: boolean;
  /** Raw records, since the last proof, that came through and that are known of. */
  readonly seen: number;
  readonly known: number;
}

/** How far a partition that read up to `next`, and took these raw offsets, has come in what was seen. */
export const progress = (
  sight: Sight,
  lanes: readonly string[],
  at: {
    readonly partition: number;
    readonly next: number;
    readonly taken: ReadonlyMap<string, number>;
    readonly since: Sight["ends"] | undefined;
  },
): Progress => {
  let complete = true;
  let [seen, known] = [0, 0];
  for (const lane of lanes) {
    const end = sight.ends.get(lane);
    // Its topic is not there yet.
    if (end === undefined || end.high === end.low) continue;
    const taken = at.taken.get(lane);
    let through = taken === undefined ? end.low : taken + 1;
    if (through < end.high) {
      // Nothing of it has come since this partition was first read: what the redactor passed on lay before that.
      const passed = sight.passed.get(lane) ?? -1;
      const cleanEnd = sight.cleanEnds.get(at.partition) ?? Number.POSITIVE_INFINITY;
      if (passed >= end.high && at.next >= cleanEnd) through = end.high;
      else if (taken === undefined) through = Math.min(end.high - 1, Math.max(end.low, passed));
    }
    if (through < end.high) complete = false;
    const from = Math.max(end.low, at.since?.get(lane)?.high ?? 0);
    seen += Math.max(0, Math.min(through, end.high) - from);
    known += Math.max(0, end.high - from);
  }
  return { complete, seen, known };
};

/** Asks Kafka. `lanes` are `topic/partition` by plain names. */
export const lookAtRaw = async (
  kafka: Pick<KafkaClient, "name">,
  admin: Pick<KafkaAdmin, "fetchTopicOffsets" | "fetchOffsets">,
  { lanes, group, unseen }: { lanes: readonly string[]; group: string; unseen: boolean },
): Promise<Sight> => {
  const at = Date.now();
  const plain = [...new Set(lanes.map((lane) => lane.slice(0, lane.lastIndexOf("/"))))];
  const ends = new Map<string, { low: number; high: number }>();
  const passed = new Map<string, number>();
  for (const topic of plain) {
    const found = await admin.fetchTopicOffsets(kafka.name(topic)).catch(noneYet);
    for (const { partition, low, high } of found)
      ends.set(`${topic}/${partition}`, { low: Number(low), high: Number(high) });
  }
  const cleanEnds = new Map<number, number>();
  if (unseen) {
    for (const topic of plain) {
      const groupId = kafka.name(topic === topics.raw.name ? group : `${group}.native`);
      for (const { partitions } of await admin.fetchOffsets({ groupId, topics: [kafka.name(topic)] }))
        for (const { partition, offset } of partitions) passed.set(`${topic}/${partition}`, Number(offset));
    }
    for (const { partition, high } of await admin.fetchTopicOffsets(kafka.name(topics.clean.name)))
      cleanEnds.set(partition, Number(high));
  }
  return { at, ends, passed, cleanEnds };
};

/** A native topic that is being made has no records. */
const noneYet = (error: unknown): [] => {
  if ((error as { type?: unknown }).type === "UNKNOWN_TOPIC_OR_PARTITION") return [];
  throw error;
};
