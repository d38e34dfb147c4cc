/** Puts the archive together: an archiver for each connection that is to be written to, as control.storage says. */
import {
  type Context,
  createControlTable,
  createKafka,
  createProducer,
  createRegistry,
  createStorage,
} from "@astralog/chassis";
import { type StorageConnectionRecord, topics } from "@astralog/schemas";
import type { StorageConnection } from "@astralog/schemas/storage";
import { type Archiver, startArchiver } from "./archiver.ts";
import type { shape } from "./config.ts";
import { createArchiveMetrics } from "./metrics.ts";
import { createParquet } from "./parquet.ts";
import { createStates } from "./state.ts";

/** Pieces that are converted and written at a time: each holds its megabytes several times over. */
const mostTurns = 3;
/** Until what could not begin is tried again. */
const againMs = 5_000;

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

  const wanted = new Map<string, StorageConnection>();
  const running = new Map<string, { version: string; archiver: Promise<Archiver> }>();
  let closed = false;
  let settling = Promise.resolve();

  const versionOf = (one: StorageConnection | undefined): string =>
    one === undefined ? "" : `${one.version} ${one.sealed}`;

  /** Connections that ended; what was said of them is taken back. */
  const ended = new Map<string, StorageConnection>();

  const settle = async (key: string): Promise<void> => {
    const connection = closed ? undefined : wanted.get(key);
    const there = running.get(key);
    if (there?.version === versionOf(connection)) return;
    if (there !== undefined) {
      running.delete(key);
      await (await there.archiver.catch(() => undefined))?.close();
    }
    if (connection !== undefined) {
      try {
        const archiver = startArchiver({
          ...{ kafka, registry, metrics, log, parquet, connection, turn, ends },
          ...{ bucket: storage.open(connection), states: states.of(connection) },
          flushBytes: config.FLUSH_MB * 2 ** 20,
          flushMs: config.FLUSH_SECONDS * 1_000,
          windowMs: config.DEDUP_WINDOW_MINUTES * 60_000,
        });
        running.set(key, { version: versionOf(connection), archiver });
        await archiver;
      } catch (error) {
        running.delete(key);
        log.error(
          { err: error, connection: connection.id },
          "a connection's archive could not begin; it is tried again",
        );
        setTimeout(() => change(key), againMs).unref();
      }
    }
    const gone = ended.get(key);
    if (gone !== undefined && ended.delete(key)) await states.forget(gone, topics.clean.partitions);
    metrics.connections.set(running.size);
  };
  const change = (key: string): void => {
    settling = settling.then(() => settle(key));
  };

  const table = await createControlTable(
    kafka,
    { log, registry },
    {
      ...{ principal: "archive", topic: topics.storage },
      onChange: (key, record?: StorageConnectionRecord) => {
        const definition = record === undefined ? undefined : (JSON.parse(record.definition) as StorageConnection);
        const before = wanted.get(key);
        if (definition?.archive === true) wanted.set(key, definition);
        else wanted.delete(key);
        if (definition === undefined && before !== undefined) ended.set(key, before);
        else ended.delete(key);
        change(key);
      },
    },
  );
  onStop("archivers", async () => {
    closed = true;
    for (const key of running.keys()) change(key);
    await settling;
  });
  onStop("connections", table.close);
  health.require("connections", () => table.complete || "not all connections have been read yet");
};
