/** Small objects of a day and source become larger ones: an archive writes many a day, and a search opens each. */
import { type Bucket, Fault, type Log, listAll, listArchive } from "@astralog/chassis";
import { archiveNames } from "@astralog/schemas/storage";
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
  { bucket, events, changes, connection, mostBytes }: OpenBucket,
  { bytes: wanted, objects, ageMs }: CompactionOptions,
  { metrics, log }: { metrics: RetentionMetrics; log: Log },
): Promise<boolean> => {
  const old = Date.now() - ageMs;
  const bytes = Math.min(wanted, mostBytes);
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

/** Whoever was frozen for longer than a change is remembered writes nothing any more that a plan could be needed for. */
const planMs = 7 * 86_400_000;
const planned = /^plans\/(\d+)\/(\d+)\.json$/;

/** Removes what was said of pieces that are finished long since; what is not finished stays said. */
export const forgetPlans = async (bucket: Bucket, now = Date.now()): Promise<number> => {
  const finished = new Map<number, number>();
  /** The last offset of the newest piece, which its manifest's name says. */
  const lastOf = async (partition: number): Promise<number> => {
    const known = finished.get(partition);
    if (known !== undefined) return known;
    const [newest] = await bucket.list(archiveNames.manifests(partition), { most: 1 });
    const last = Number(/-(\d+)\.json$/.exec(newest?.name ?? "")?.[1] ?? -1);
    finished.set(partition, last);
    return last;
  };
  let removed = 0;
  for await (const { name, modified } of listAll(bucket, "plans/")) {
    const [, partition, first] = planned.exec(name) ?? [];
    if (partition === undefined || modified > now - planMs || Number(first) > (await lastOf(Number(partition))))
      continue;
    await bucket.remove(name);
    removed += 1;
  }
  return removed;
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
        if (await compactOnce(next, deps.options, deps)) return true;
        done.add(id);
        await forgetPlans(next.bucket);
      } catch (error) {
        done.add(id);
        if (!(error instanceof Fault)) throw error;
        deps.log.warn({ connection: id, code: error.code, problem: error.message }, "a bucket could not be compacted");
      }
      return true;
    },
  };
};
