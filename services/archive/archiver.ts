/**
 * One connection's archive: a consumer group of its own, whose positions stand in the bucket. A bucket that is away makes its
 * partitions rest with growing pauses; what is theirs waits in Kafka, and nobody else's.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Bucket,
  createBatchReader,
  createPlacedConsumer,
  Fault,
  type InRecord,
  type KafkaClient,
  type Log,
  type Registry,
} from "@astralog/chassis";
import { decodeRecord, topics, types } from "@astralog/schemas";
import type { ArchiveState, StorageConnection } from "@astralog/schemas/storage";
import type { ArchiveMetrics } from "./metrics.ts";
import type { Parquet } from "./parquet.ts";
import { openPartition, type Partition } from "./partition.ts";
import { inThisVersion } from "./piece.ts";
import type { StateTeller } from "./state.ts";

export interface ArchiverDeps {
  readonly kafka: KafkaClient;
  readonly registry: Registry;
  readonly metrics: ArchiveMetrics;
  readonly log: Log;
  readonly parquet: Parquet;
  readonly bucket: Bucket;
  readonly connection: StorageConnection;
  readonly states: StateTeller;
  turn<T>(work: () => Promise<T>): Promise<T>;
  /** The ends of events.clean, by partition. */
  ends(): Promise<ReadonlyMap<number, number>>;
  readonly flushBytes: number;
  readonly flushMs: number;
  readonly windowMs: number;
}

const firstPauseMs = 500;
const longestPauseMs = 30_000;
const tickMs = 1_000;

export const startArchiver = async (deps: ArchiverDeps) => {
  const { kafka, registry, metrics, bucket, connection, parquet } = deps;
  const log = deps.log.child({ connection: connection.id });
  const topic = kafka.name(topics.clean.name);
  const readBatch = createBatchReader(registry);
  const open = new Map<number, { partition: Partition; working: Promise<void> }>();
  const failures = new Map<number, { tries: number; problem: ArchiveState["problem"] }>();
  /** What was last known of partitions that rest. */
  const known = new Map<number, Pick<ArchiveState, "done" | "total" | "last_object_at">>();
  let generation = 0;
  let closed = false;

  const read = async (partition: number, record: InRecord) => {
    const batch = await readBatch(topic, partition, record);
    if (batch.kind !== "batch" || batch.tenant !== connection.tenant) return undefined;
    const writer = await registry.writerOf(batch.schemaId);
    if (writer.fingerprint().equals(types.EventBatch.fingerprint())) return batch;
    return inThisVersion(batch, decodeRecord("EventBatch", batch.value, writer));
  };

  const fail = (partition: number, error: unknown): void => {
    open.delete(partition);
    consumer.rest(partition);
    const before = failures.get(partition);
    const tries = (before?.tries ?? 0) + 1;
    const code = error instanceof Fault ? error.code : "unexpected";
    const detail = error instanceof Fault ? error.message : "Something failed in the archive; its log says more.";
    const since = before?.problem?.since ?? new Date().toISOString();
    failures.set(partition, { tries, problem: { code, detail, since } });
    metrics.failures.inc({ code });
    metrics.failing.set({ connection: connection.id }, 1);
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (tries - 1));
    log.warn(
      { err: error, partition, code, tries, pause_ms: pauseMs },
      "a piece could not be archived; it waits in Kafka",
    );
    const mine = generation;
    setTimeout(() => void begin(partition, mine), pauseMs).unref();
  };

  /** Asks the bucket how far it is and reads on from there. */
  const begin = async (partition: number, mine: number): Promise<void> => {
    if (closed || mine !== generation) return;
    try {
      const opened = await openPartition({
        ...{ bucket, parquet, metrics, connection: connection.id, tenant: connection.tenant, topic, partition },
        ...{ turn: deps.turn, flushBytes: deps.flushBytes, flushMs: deps.flushMs, windowMs: deps.windowMs },
        read: (record) => read(partition, record),
        missed: (count) => {
          metrics.missed.inc(count);
          log.error({ partition, count }, "Kafka let records go before they were archived");
        },
      });
      if (closed || mine !== generation) return;
      open.set(partition, { partition: opened, working: Promise.resolve() });
      consumer.place(partition, opened.next);
    } catch (error) {
      if (!closed && mine === generation) fail(partition, error);
    }
  };

  /** One thing at a time for a partition. */
  const work = (partition: number, act: (of: Partition) => Promise<void>): Promise<void> => {
    const held = open.get(partition);
    if (held === undefined) return Promise.resolve();
    const mine = generation;
    held.working = held.working.then(async () => {
      if (open.get(partition) !== held || closed) return;
      try {
        await act(held.partition);
        if (failures.delete(partition) && failures.size === 0) metrics.failing.set({ connection: connection.id }, 0);
      } catch (error) {
        if (mine === generation && open.get(partition) === held) fail(partition, error);
      }
    });
    return held.working;
  };

  const consumer = createPlacedConsumer(
    kafka,
    { log },
    {
      group: `archive.${connection.id}`,
      topic,
      maxWaitMs: 500,
      onAssigned: (partitions) => {
        generation++;
        open.clear();
        failures.clear();
        for (const partition of partitions) void begin(partition, generation);
      },
      onLost: () => {
        generation++;
        open.clear();
      },
      handle: ({ partition, records, current }) => work(partition, (of) => of.take(records, current)),
    },
  );

  let endsSeen: ReadonlyMap<number, number> = new Map();
  const tellStates = (): void => {
    for (const [partition, { partition: of }] of open) known.set(partition, { done: of.done, ...of.written });
    for (const partition of new Set([...open.keys(), ...failures.keys()])) {
      const last = known.get(partition) ?? {
        done: 0,
        total: { objects: 0, events: 0, bytes: 0 },
        last_object_at: null,
      };
      deps.states.tell(partition, {
        ...last,
        lag: Math.max(0, (endsSeen.get(partition) ?? last.done) - last.done),
        problem: failures.get(partition)?.problem ?? null,
      });
    }
  };

  const measure = async (): Promise<void> => {
    const ends = await deps.ends();
    let lag = 0;
    for (const [partition, { partition: of }] of open) lag += Math.max(0, (ends.get(partition) ?? 0) - of.next);
    endsSeen = ends;
    metrics.lag.set({ connection: connection.id }, lag);
  };
  let ticks = 0;
  const timer = setInterval(() => {
    for (const partition of open.keys()) void work(partition, (of) => of.tick(Date.now()));
    tellStates();
    if (ticks++ % 10 === 0) measure().catch((error) => log.debug({ err: error }, "the lag could not be measured"));
  }, tickMs);
  metrics.failing.set({ connection: connection.id }, 0);
  await consumer.start();

  return {
    /** Lets the pieces that are being written end. */
    close: async (): Promise<void> => {
      closed = true;
      clearInterval(timer);
      const working = [...open.values()].map((one) => one.working);
      await Promise.race([Promise.all(working), sleep(15_000, undefined, { ref: false })]);
      await consumer.close();
      metrics.lag.remove({ connection: connection.id });
      metrics.failing.remove({ connection: connection.id });
    },
  };
};
