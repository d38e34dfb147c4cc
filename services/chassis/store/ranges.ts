/** A SQL condition for the rows of many Kafka records: one range of offsets per raw partition, so that the key is used. */
import type { CleanBatch } from "../clean-batch.ts";

export interface Range {
  topic: string;
  partition: number;
  first: number;
  last: number;
}

/** The ranges that these batches span, one per raw partition. */
export const rangesOf = (batches: readonly CleanBatch[]): Range[] => {
  const ranges = new Map<string, Range>();
  for (const { raw_topic: topic, raw_partition: partition, raw_offset: offset } of batches) {
    const key = `${topic}/${partition}`;
    const range = ranges.get(key);
    if (range === undefined) ranges.set(key, { topic, partition, first: offset, last: offset });
    else {
      range.first = Math.min(range.first, offset);
      range.last = Math.max(range.last, offset);
    }
  }
  return [...ranges.values()];
};

/** The ranges as a condition on (topic, partition, offset), with its parameters. */
export const inRanges = (ranges: readonly Range[]) => ({
  condition: `(${ranges
    .map(
      (_, i) =>
        `(topic = {t${i}:String} AND partition = {p${i}:UInt16} AND offset BETWEEN {a${i}:UInt64} AND {z${i}:UInt64})`,
    )
    .join(" OR ")})`,
  params: Object.fromEntries(
    ranges.flatMap((range, i) => [
      [`t${i}`, range.topic],
      [`p${i}`, range.partition],
      [`a${i}`, range.first],
      [`z${i}`, range.last],
    ]),
  ) as Record<string, unknown>,
});

/** Nothing is inserted before it was received, but the receiver's clock may be wrong by this much. */
const clockSlackMs = 3 * 24 * 3_600_000;

/** The earliest time, in milliseconds, at which an insert of these batches can have begun. */
export const insertedSince = (batches: readonly CleanBatch[]): number =>
  Math.max(
    0,
    batches.reduce((first, batch) => Math.min(first, batch.received_at), Number.MAX_SAFE_INTEGER) - clockSlackMs,
  );
