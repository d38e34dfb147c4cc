/** Puts the parts together: records of events.clean into flushes, records of events.dead into the dead-letter table. */
import {
  type Config,
  createStoreMetrics,
  createStoring,
  type Delivery,
  type KafkaClient,
  type Log,
  type Metrics,
  type Registry,
} from "@astralog/chassis";
import { topics } from "@astralog/schemas";
import { connectClickHouse } from "./clickhouse.ts";
import type { shape } from "./config.ts";
import { createLetterReader } from "./dead-letter.ts";

export const createSink = (deps: {
  config: Config<typeof shape>;
  log: Log;
  metrics: Metrics;
  kafka: KafkaClient;
  registry: Registry;
  /** Whose events are kept on a server of their own instead. */
  isElsewhere(tenant: string): boolean;
}) => {
  const { config, log, kafka, registry } = deps;
  const dead = kafka.name(topics.dead.name);
  const clickhouse = connectClickHouse({
    url: config.CLICKHOUSE_URL,
    username: config.CLICKHOUSE_USERNAME,
    password: config.CLICKHOUSE_PASSWORD,
    database: config.CLICKHOUSE_DATABASE,
  });
  const storing = createStoring({
    ...{ clickhouse, kafka, registry, log, metrics: createStoreMetrics(deps.metrics) },
    ...{ flushEvents: config.FLUSH_EVENTS, flushMs: config.FLUSH_MS, dedupIds: config.DEDUP_IDS },
    windowMs: config.DEDUP_WINDOW_MINUTES * 60_000,
    isElsewhere: deps.isElsewhere,
  });
  const readLetter = createLetterReader(registry);

  const handleDead = async ({ topic, partition, records }: Delivery): Promise<void> => {
    const read = await Promise.all(records.map((record) => readLetter(topic, partition, record)));
    await storing.letters.insert(read);
  };

  return {
    topics: [storing.topic, dead],
    handle: (delivery: Delivery) => (delivery.topic === dead ? handleDead(delivery) : storing.handle(delivery)),
    assign: (_: number, partitions: readonly { topic: string; partition: number }[]) => storing.assign(partitions),
    stopRetrying: storing.stopRetrying,
    close: clickhouse.close,
  };
};
