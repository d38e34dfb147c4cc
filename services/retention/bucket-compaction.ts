/** Small objects of a day and source become larger ones: an archive writes many a day, and a search opens each. */
import { Fault, type Log, listArchive } from "@astralog/chassis";
import type { OpenBucket } from "./buckets.ts";
import { piecesOf } from "./buckets.ts";
import type { RetentionMetrics } from "./metrics.ts";

export interface CompactionOptions {
  /** Bytes that an object is to have about; what has half of it is left alone. */
  readonly bytes: number;
  /** So many small ones are worth it. */
  readonly objects: number;
  /** So long an object must have been there. */
  readonly ageMs: number;
}

/** Makes one object of several. False when there is nothing to do in that bucket. */
export const compactOnce = async (
  { bucket, events, changes, connection }: OpenBucket,
  { bytes, objects, ageMs }: CompactionOptions,
  { metrics, log }: { metrics: RetentionMetrics; log: Log },
): Promise<boolean> => {
  const old = Date.now() - ageMs;
  const small = (await listArchive(bucket, { sources: "all" })).filter(
    (one) => one.bytes < bytes / 2 && one.modified < old,
  );
  const piece = piecesOf(small, bytes).find(({ length }) => length >= objects);
  const [first] = piece ?? [];
  if (piece === undefined || first === undefined) return false;
  const names = piece.map(({ name }) => name);
  await changes.make({
    ...{ why: "compaction", removed: names },
    put: { day: first.day, source: first.source, make: () => events.without(names, "0", {}) },
  });
  metrics.compacted.inc(names.length);
  log.info({ connection: connection.id, objects: names.length }, "small objects of a bucket became one");
  return true;
};

/** Goes through the buckets, one change at a time, so that a deletion never waits long. */
export const createCompaction = (deps: {
  buckets(): OpenBucket[];
  options: CompactionOptions;
  metrics: RetentionMetrics;
  log: Log;
}) => {
  const done = new Set<string>();
  return {
    /** All of them are looked at anew. */
    begin: (): void => done.clear(),
    /** Whether there may be more to do. */
    advance: async (): Promise<boolean> => {
      const next = deps.buckets().find(({ connection }) => !done.has(connection.id));
      if (next === undefined) return false;
      const { id } = next.connection;
      try {
        if (!(await compactOnce(next, deps.options, deps))) done.add(id);
      } catch (error) {
        done.add(id);
        if (!(error instanceof Fault)) throw error;
        deps.log.warn({ connection: id, code: error.code, problem: error.message }, "a bucket could not be compacted");
      }
      return true;
    },
  };
};
