/**
 * One partition on its way into one bucket: gathers the tenant's records until they fill a piece or have waited long enough,
 * and writes it. Whatever fails, what was gathered is let go and read from Kafka again: memory does not grow while a bucket
 * is away, and what the bucket says is asked anew.
 */
import { type CleanBatch, Fault, type InRecord } from "@astralog/chassis";
import type { ArchiveManifest, ArchivePlan } from "@astralog/schemas/storage";
import { type Position, readPosition } from "./bookkeeping.ts";
import { decide, remember } from "./decide.ts";
import type { ArchiveMetrics } from "./metrics.ts";
import { type PieceDeps, settlePlan, writePiece } from "./piece.ts";

export interface PartitionDeps extends PieceDeps {
  readonly metrics: ArchiveMetrics;
  /** The tenant's batch that a record is; undefined when it is another's or none. */
  read(record: InRecord): Promise<CleanBatch | undefined>;
  /** Runs when there is room to convert: of all connections a few at a time. */
  turn<T>(work: () => Promise<T>): Promise<T>;
  readonly flushBytes: number;
  readonly flushMs: number;
  readonly windowMs: number;
  /** Records between were let go by Kafka before they could be read. */
  missed(count: number): void;
}

/** Where nothing of the tenant's comes, a manifest without objects says now and then how far all has been looked through. */
const markMs = 3_600_000;

export const openPartition = async (deps: PartitionDeps) => {
  const { partition, metrics, windowMs } = deps;
  let position: Position = await readPosition(deps.bucket, partition, windowMs);
  /** Where the present piece begins, and the offset after what has been looked at. */
  let first = position.next;
  let next = position.next;
  let plan = position.plan;
  let gathered: CleanBatch[] = [];
  let bytes = 0;
  let since = 0;
  let marked = Date.now();

  const finish = async (last: number): Promise<void> => {
    if (first === undefined) return;
    const wanted: ArchivePlan = plan ?? { version: 1, first, last, ...decide(gathered, position.memory, windowMs) };
    const settled = plan ?? (await settlePlan(deps, wanted));
    if (settled.last > last) {
      // Another has said more than we have read: the piece ends where he said.
      plan = settled;
      return;
    }
    const end = metrics.pieceSeconds.startTimer();
    const mine = gathered.filter(({ cleanOffset }) => cleanOffset <= settled.last);
    const manifest = await deps.turn(() => writePiece(deps, settled, mine, position));
    end();
    count(manifest);
    const rest = gathered.slice(mine.length);
    position = {
      ...{ next: settled.last + 1, total: manifest.total, plan: undefined },
      lastObjectAt: manifest.last_object_at ?? null,
      memory: remember(position.memory, manifest, windowMs),
    };
    first = settled.last + 1;
    plan = undefined;
    gathered = rest;
    bytes = rest.reduce((sum, batch) => sum + batch.value.length, 0);
    marked = Date.now();
  };

  const count = ({ objects, skipped }: ArchiveManifest): void => {
    metrics.objects.inc(objects.length);
    for (const one of objects) {
      metrics.events.inc(one.events);
      metrics.bytes.inc(one.bytes);
    }
    for (const [reason, many] of Object.entries(skipped)) metrics.skipped.inc({ reason }, many);
  };

  const isDue = (now: number): boolean =>
    gathered.length > 0
      ? now - since >= deps.flushMs
      : now - marked >= markMs && first !== undefined && next !== undefined && next > first;

  return {
    /** Where to read on. */
    get next() {
      return next ?? 0;
    },
    /** All of the tenant's below this offset is in the bucket. */
    get done() {
      return (gathered.length === 0 && plan === undefined ? next : first) ?? 0;
    },
    get written() {
      return { total: position.total, last_object_at: position.lastObjectAt };
    },
    /** Takes records in the partition's order. Rejects when a piece could not be written: then it must be opened anew. */
    take: async (records: readonly InRecord[], current: () => boolean): Promise<void> => {
      for (const record of records) {
        if (next !== undefined && record.offset < next) continue;
        if (next !== undefined && record.offset > next) deps.missed(record.offset - next);
        first ??= record.offset;
        const batch = await deps.read(record);
        next = record.offset + 1;
        if (batch !== undefined) {
          if (gathered.length === 0) since = Date.now();
          gathered.push(batch);
          bytes += batch.value.length;
        }
        const full = plan === undefined ? bytes >= deps.flushBytes : record.offset >= plan.last;
        if (!full) continue;
        if (!current()) throw new Fault("partition_lost", "The partition is another's now.", { retriable: true });
        await finish(record.offset);
      }
    },
    /** Writes what has waited long enough; a piece that was planned waits for its end. */
    tick: async (now: number): Promise<void> => {
      if (plan === undefined && next !== undefined && isDue(now)) await finish(next - 1);
    },
  };
};

export type Partition = Awaited<ReturnType<typeof openPartition>>;
