/** What a bucket says of how far its archive is. It is the only place that knows: Kafka's offsets are not asked. */
import type { Bucket } from "@astralog/chassis";
import { type ArchiveManifest, type ArchivePlan, archiveNames } from "@astralog/schemas/storage";
import { forgetAfter, type Memory, remember } from "./decide.ts";

export interface Position {
  /** The offset that the next piece begins at; undefined where nothing was archived yet. */
  readonly next: number | undefined;
  readonly memory: Memory;
  readonly total: ArchiveManifest["total"];
  readonly lastObjectAt: string | null;
  /** Said, and perhaps half done, by whoever was here before. */
  readonly plan: ArchivePlan | undefined;
}

/** So many are read at a time when looking back through a window. */
const page = 100;

const read = async <T>(bucket: Bucket, name: string): Promise<T | undefined> => {
  const found = await bucket.get(name);
  return found === undefined ? undefined : (JSON.parse(found.toString()) as T);
};

export const readPlan = (bucket: Bucket, partition: number, first: number): Promise<ArchivePlan | undefined> =>
  read(bucket, archiveNames.plan(partition, first));

export const readPosition = async (bucket: Bucket, partition: number, windowMs: number): Promise<Position> => {
  const listed = await bucket.list(archiveNames.manifests(partition), { most: page });
  const [newest] = listed;
  const last = newest === undefined ? undefined : await read<ArchiveManifest>(bucket, newest.name);
  if (last === undefined) {
    const memory = { lanes: new Map(), ids: new Map() };
    return {
      next: undefined,
      memory,
      total: { objects: 0, events: 0, bytes: 0 },
      lastObjectAt: null,
      plan: await readPlan(bucket, partition, 0),
    };
  }
  const ids: (readonly [string, number])[] = [...last.ids];
  const newestId = (of: ArchiveManifest["ids"]) => of.reduce((most, [, at]) => Math.max(most, at), 0);
  let horizon = newestId(last.ids) - forgetAfter(windowMs);
  for (const { name } of listed.slice(1)) {
    const manifest = await read<ArchiveManifest>(bucket, name);
    if (manifest === undefined) break;
    ids.unshift(...manifest.ids);
    if (horizon < 0) horizon = newestId(manifest.ids) - forgetAfter(windowMs);
    if (manifest.ids.length > 0 && newestId(manifest.ids) < horizon) break;
  }
  const memory = remember({ lanes: new Map(), ids: new Map() }, { lanes: last.lanes, ids }, windowMs);
  const next = last.last + 1;
  const lastObjectAt = last.last_object_at ?? (last.objects.length > 0 ? last.written_at : null);
  return { next, memory, total: last.total, lastObjectAt, plan: await readPlan(bucket, partition, next) };
};
