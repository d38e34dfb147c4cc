/**
 * Which of a tenant's records are written and which have been before. Pure. The redactor's law holds: whenever a raw offset
 * appears in a clean partition, every smaller one has appeared before it; so what is not above its lane's highest came again.
 */
import type { CleanBatch } from "@astralog/chassis";
import type { ArchiveManifest, ArchivePlan } from "@astralog/schemas/storage";

type Batch = Pick<
  CleanBatch,
  "cleanOffset" | "raw_topic" | "raw_partition" | "raw_offset" | "dedup_id" | "received_at"
>;

/** What is remembered of a partition: all of it can be read again from its manifests. */
export interface Memory {
  /** Raw topic/partition -> highest raw offset. */
  readonly lanes: ReadonlyMap<string, number>;
  /** dedup_id -> time of receipt, milliseconds. */
  readonly ids: ReadonlyMap<string, number>;
}

export const laneOf = ({ raw_topic, raw_partition }: Batch): string => `${raw_topic}/${raw_partition}`;

/** In the order of the partition. */
export const decide = (
  batches: readonly Batch[],
  memory: Memory,
  windowMs: number,
): Pick<ArchivePlan, "rewinds" | "duplicates"> => {
  const lanes = new Map(memory.lanes);
  const ids = new Map(memory.ids);
  const [rewinds, duplicates]: [number[], number[]] = [[], []];
  for (const batch of batches) {
    const lane = laneOf(batch);
    if (batch.raw_offset <= (lanes.get(lane) ?? -1)) {
      rewinds.push(batch.cleanOffset);
      continue;
    }
    lanes.set(lane, batch.raw_offset);
    const before = ids.get(batch.dedup_id);
    if (batch.dedup_id !== "" && before !== undefined && before >= batch.received_at - windowMs)
      duplicates.push(batch.cleanOffset);
    else if (batch.dedup_id !== "") ids.set(batch.dedup_id, batch.received_at);
  }
  return { rewinds, duplicates };
};

/** What a plan takes of these. */
export const taken = <B extends Batch>(
  batches: readonly B[],
  { rewinds, duplicates }: Pick<ArchivePlan, "rewinds" | "duplicates">,
): B[] => {
  const skipped = new Set([...rewinds, ...duplicates]);
  return batches.filter((batch) => !skipped.has(batch.cleanOffset));
};

/** The memory after a piece. Ids that no window reaches any more are forgotten. */
export const remember = (
  memory: Memory,
  { lanes, ids }: Pick<ArchiveManifest, "lanes" | "ids">,
  windowMs: number,
): Memory => {
  const all = new Map([...memory.ids, ...ids]);
  const newest = ids.reduce((most, [, at]) => Math.max(most, at), 0);
  const horizon = newest - forgetAfter(windowMs);
  return { lanes: new Map(Object.entries(lanes)), ids: new Map([...all].filter(([, at]) => at >= horizon)) };
};

/** Receivers' clocks differ a little, and so do the times of what follows each other. */
export const forgetAfter = (windowMs: number): number => windowMs + 600_000;
