/** Puts the archive together: a writer for each connection that is to be written to, as control.storage and control.clickhouse say. */
import {
  type Context,
  createControlTable,
  createKafka,
  createProducer,
  createRegistry,
  createStorage,
  createStoreMetrics,
} from "@astralog/chassis";
import { type StorageConnectionRecord, topics } from "@astralog/schemas";
import type { OwnClickHouse } from "@astralog/schemas/own-clickhouse";
import type { StorageConnection } from "@astralog/schemas/storage";
import { startArchiver } from "./archiver.ts";
import type { shape } from "./config.ts";
import { createFollow } from "./follow.ts";
import { createArchiveMetrics } from "./metrics.ts";
import { startOwnWriter } from "./own-writer.ts";
import { createParquet } from "./parquet.ts";
import { createStates } from "./state.ts";

/** Pieces that are converted and written at a time: each holds its megabytes several times over. */
const mostTurns = 3;
const createTurns = (most: number) => {
  const waiting: (() => void)[] = [];
  let free = most;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
};

export const start = async (context: Context<typeof shape>): Promise<void> => {
  const { config, log, metrics: base, health, onStop } = context;
  const kafka = createKafka(config, log, "archive");
  const registry = createRegistry(config);
  const storage = createStorage(config);
  const metrics = createArchiveMetrics(base);
  const parquet = createParquet({
    url: config.CLICKHOUSE_URL,
    username: config.CLICKHOUSE_USERNAME,
    password: config.CLICKHOUSE_PASSWORD,
  });
  const turn = createTurns(mostTurns);
  const producer = await createProducer(kafka, context, { lingerMs: 50 });
  onStop("producer", producer.close);
  const stateTopic = kafka.name(topics.archiveState.name);
  const states = createStates({
    ...{ producer, topic: stateTopic, log, everyMs: config.STATE_SECONDS * 1_000 },
    schemaId: () => registry.idOf("ArchiveState", stateTopic),
  });
  const admin = kafka.admin();
  await admin.connect();
  onStop("admin", () => admin.disconnect());
  const clean = kafka.name(topics.clean.name);
  const ends = async () =>
    new Map((await admin.fetchTopicOffsets(clean)).map(({ partition, high }) => [partition, Number(high)]));

  const windowMs = config.DEDUP_WINDOW_MINUTES * 60_000;
  const counts = { buckets: 0, servers: 0 };
  const counted = (what: keyof typeof counts) => (running: number) => {
    counts[what] = running;
    metrics.connections.set(counts.buckets + counts.servers);
  };
  const ended = (connection: { readonly tenant: string; readonly id: string }) =>
    states.forget(connection, topics.clean.partitions);

  const buckets = createFollow<StorageConnection>({
    ...{ log, ended, isWanted: ({ archive }) => archive, counted: counted("buckets") },
    start: (connection) =>
      startArchiver({
        ...{ kafka, registry, metrics, log, parquet, connection, turn, ends, windowMs },
        ...{ bucket: storage.open(connection), states: states.of(connection) },
        flushBytes: config.FLUSH_MB * 2 ** 20,
        flushMs: config.FLUSH_SECONDS * 1_000,
      }),
  });
  const storeMetrics = createStoreMetrics(base);
  const servers = createFollow<OwnClickHouse>({
    ...{ log, ended, isWanted: ({ mode }) => mode !== "off", counted: counted("servers") },
    start: (connection) =>
      startOwnWriter({
        ...{ kafka, registry, metrics, storeMetrics, log, storage, connection, ends, windowMs },
        states: states.of(connection),
        positions: async (group) => {
          const [found, offsets] = await Promise.all([
            admin.fetchOffsets({ groupId: kafka.name(group), topics: [clean] }),
            admin.fetchTopicOffsets(clean),
          ]);
          const low = new Map(offsets.map((one) => [one.partition, Number(one.low)]));
          return new Map(
            found.flatMap((one) =>
              one.partitions.map(({ partition, offset }) => [
                partition,
                Number(offset) < 0 ? (low.get(partition) ?? 0) : Number(offset),
              ]),
            ),
          );
        },
      }),
  });

  const follow = <C>(
    topic: typeof topics.storage | typeof topics.clickhouse,
    { said }: { said(key: string, connection: C | undefined): void },
  ) =>
    createControlTable(
      kafka,
      { log, registry },
      {
        ...{ principal: "archive", topic },
        onChange: (key, record?: StorageConnectionRecord) =>
          said(key, record === undefined ? undefined : (JSON.parse(record.definition) as C)),
      },
    );
  const tables = await Promise.all([follow(topics.storage, buckets), follow(topics.clickhouse, servers)]);
  onStop("archivers", () => Promise.all([buckets.close(), servers.close()]));
  onStop("connections", () => Promise.all(tables.map((one) => one.close())));
  health.require("connections", () => tables.every((one) => one.complete) || "not all connections have been read yet");
};
