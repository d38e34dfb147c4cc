/**
 * Writes one piece of a partition: the plan, then each object, then the manifest. Each is put only where there is nothing of
 * its name, and each follows from what was put before it; so a piece that was cut anywhere, even between two bytes, is
 * finished by whoever comes next with the same objects, and two who write it at once do each other no harm.
 */
import { hash } from "node:crypto";
import { type Bucket, type CleanBatch, Fault, isSound } from "@astralog/chassis";
import { encodeRecord, types } from "@astralog/schemas";
import { type ArchiveManifest, type ArchiveObject, type ArchivePlan, archiveNames } from "@astralog/schemas/storage";
import { laneOf, type Memory, taken } from "./decide.ts";
import type { Parquet } from "./parquet.ts";

export interface PieceDeps {
  readonly bucket: Bucket;
  readonly parquet: Parquet;
  readonly connection: string;
  readonly tenant: string;
  readonly topic: string;
  readonly partition: number;
}

/** Written in one name at one time: how many events an object of ours has is in our own count, its bytes may be another's. */
const putObject = async (bucket: Pick<Bucket, "putNew" | "get">, name: string, body: Buffer): Promise<Buffer> => {
  if (await bucket.putNew(name, body)) return body;
  const there = await bucket.get(name);
  if (there === undefined) throw new Fault("storage_failed", "An object that was there is gone.", { retriable: true });
  return there;
};

/** Puts the plan, unless there is one: then that one holds. */
export const settlePlan = async (
  { bucket, partition }: Pick<PieceDeps, "bucket" | "partition">,
  plan: ArchivePlan,
): Promise<ArchivePlan> =>
  JSON.parse(
    (await putObject(bucket, archiveNames.plan(partition, plan.first), Buffer.from(JSON.stringify(plan)))).toString(),
  ) as ArchivePlan;

/** What retention has removed or merged must not come back from one who was frozen while he wrote it. */
const mostPieceMs = 900_000;
const inTime = (bucket: Bucket, began = Date.now()): Pick<Bucket, "putNew" | "get"> => ({
  get: bucket.get,
  putNew: (name, body) => {
    if (Date.now() - began < mostPieceMs) return bucket.putNew(name, body);
    throw new Fault("piece_too_old", "The piece was begun too long ago; it is begun anew.", { retriable: true });
  },
});

/** `batches`: the tenant's, of exactly the plan's offsets, in this version's schema. */
export const writePiece = async (
  deps: PieceDeps,
  plan: ArchivePlan,
  batches: readonly CleanBatch[],
  before: { memory: Memory; total: ArchiveManifest["total"]; lastObjectAt: string | null },
): Promise<ArchiveManifest> => {
  const { parquet, partition } = deps;
  const bucket = inTime(deps.bucket);
  const take = taken(batches, plan);
  const objects: ArchiveObject[] = [];
  let unreadable = 0;
  for (const [source, group] of Map.groupBy(take, (batch) => batch.source)) {
    let sound = group;
    let files = await parquet.convert(group).catch((error: unknown) => {
      if (!(error instanceof Fault) || error.code !== "batches_refused") throw error;
      return undefined;
    });
    if (files === undefined) {
      sound = group.filter((batch) => isSound(batch, types.EventBatch));
      if (sound.length === group.length)
        throw new Fault("batches_refused", "ClickHouse refuses batches that are sound.");
      unreadable += group.length - sound.length;
      files = await parquet.convert(sound);
    }
    const records = sound.map(
      ({ raw_topic, raw_partition, raw_offset }) => [raw_topic, raw_partition, raw_offset] as const,
    );
    for (const { day, events, body } of files) {
      const name = archiveNames.events(day, source, partition, plan.first);
      const there = await putObject(bucket, name, body);
      objects.push({ name, events, bytes: there.length, sha256: hash("sha256", there), records });
    }
  }
  const lanes = Object.fromEntries(before.memory.lanes);
  for (const batch of batches) lanes[laneOf(batch)] = Math.max(lanes[laneOf(batch)] ?? -1, batch.raw_offset);
  const sum = (of: (one: ArchiveObject) => number): number => objects.reduce((all, one) => all + of(one), 0);
  const written_at = new Date().toISOString();
  const manifest: ArchiveManifest = {
    ...{ version: 1, connection: deps.connection, tenant: deps.tenant, topic: deps.topic, partition },
    ...{ first: plan.first, last: plan.last, written_at, objects },
    last_object_at: objects.length > 0 ? written_at : before.lastObjectAt,
    skipped: { rewinds: plan.rewinds.length, duplicates: plan.duplicates.length, unreadable },
    lanes,
    ids: take.flatMap(({ dedup_id, received_at }) => (dedup_id === "" ? [] : [[dedup_id, received_at] as const])),
    total: {
      objects: before.total.objects + objects.length,
      events: before.total.events + sum(({ events }) => events),
      bytes: before.total.bytes + sum(({ bytes }) => bytes),
    },
  };
  await putObject(bucket, archiveNames.manifest(partition, plan.last), Buffer.from(JSON.stringify(manifest)));
  return manifest;
};

/** The framed record in this version's schema, whoever wrote it. */
export const inThisVersion = (
  batch: CleanBatch,
  record: Parameters<typeof encodeRecord<"EventBatch">>[2],
): CleanBatch => ({
  ...batch,
  value: encodeRecord("EventBatch", batch.schemaId, record),
});
