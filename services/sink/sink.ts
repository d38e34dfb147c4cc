/** Puts the parts together: records of events.clean into flushes, records of events.dead into the dead-letter table. */
import type { Config, Delivery, KafkaClient, Log, Metrics, Registry } from "@astralog/chassis";
import { createBatchReader } from "@astralog/chassis";
import { topics } from "@astralog/schemas";
import { createAccumulator } from "./accumulator.ts";
import { createClaims } from "./claims.ts";
import { connectClickHouse } from "./clickhouse.ts";
import { createDeadLetters } from "./clickhouse-dead-letters.ts";
import { createEvents } from "./clickhouse-events.ts";
import { createLedger } from "./clickhouse-ledger.ts";
import type { shape } from "./config.ts";
import { createLetterReader } from "./dead-letter.ts";
import { createSinkMetrics } from "./metrics.ts";
import { type Arrival, createStore } from "./store.ts";

export const createSink = (deps: {
  config: Config<typeof shape>;
  log: Log;
  metrics: Metrics;
  kafka: KafkaClient;
  registry: Registry;
}) => {
  const { config, log, kafka, registry } = deps;
  const clean = kafka.name(topics.clean.name);
  const dead = kafka.name(topics.dead.name);
  const windowMs = config.DEDUP_WINDOW_MINUTES * 60_000;
  const clickhouse = connectClickHouse({
    url: config.CLICKHOUSE_URL,
    username: config.CLICKHOUSE_USERNAME,
    password: config.CLICKHOUSE_PASSWORD,
    database: config.CLICKHOUSE_DATABASE,
  });
  const metrics = createSinkMetrics(deps.metrics);
  const letters = createDeadLetters(clickhouse);
  const store = createStore({
    claims: createClaims(clickhouse, clean),
    events: createEvents(clickhouse, clean, async (id) => JSON.stringify((await registry.writerOf(id)).schema())),
    ledger: createLedger(clickhouse, clean, windowMs, config.DEDUP_IDS),
    letters,
    metrics,
    log,
    writerOf: registry.writerOf,
    windowMs,
  });
  const accumulator = createAccumulator<Arrival>({
    flushEvents: config.FLUSH_EVENTS,
    flushMs: config.FLUSH_MS,
    flush: store.flush,
  });
  const readBatch = createBatchReader(registry);
  const readLetter = createLetterReader(registry);

  const handleClean = async (delivery: Delivery): Promise<void> => {
    const { topic, partition } = delivery;
    const records = await Promise.all(delivery.records.map((record) => readBatch(topic, partition, record)));
    const events = records.reduce((sum, record) => sum + (record.kind === "batch" ? record.accepted : 0), 0);
    await accumulator.add({ delivery, records }, events);
  };

  const handleDead = async ({ topic, partition, records }: Delivery): Promise<void> => {
    const read = await Promise.all(records.map((record) => readLetter(topic, partition, record)));
    await letters.insert(read);
  };

  return {
    topics: [clean, dead],
    handle: (delivery: Delivery) => (delivery.topic === clean ? handleClean(delivery) : handleDead(delivery)),
    assign: (_: number, partitions: readonly { topic: string; partition: number }[]) =>
      store.assign(partitions.filter(({ topic }) => topic === clean).map(({ partition }) => partition)),
    stopRetrying: store.close,
    close: clickhouse.close,
  };
};
