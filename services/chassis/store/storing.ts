/** Storing put together: records of events.clean, or those of one tenant, into one ClickHouse, exactly once. */
import { topics } from "@astralog/schemas";
import { type CleanBatch, createBatchReader, type Unreadable } from "../clean-batch.ts";
import type { KafkaClient } from "../kafka.ts";
import type { Delivery } from "../kafka-consumer.ts";
import type { Log } from "../log.ts";
import type { Registry } from "../registry.ts";
import { createAccumulator } from "./accumulator.ts";
import { createClaims } from "./claims.ts";
import type { ClickHouse } from "./clickhouse.ts";
import { createDeadLetters } from "./clickhouse-dead-letters.ts";
import { createEvents } from "./clickhouse-events.ts";
import { createLedger } from "./clickhouse-ledger.ts";
import type { StoreMetrics } from "./metrics.ts";
import { type Arrival, createStore, type Told } from "./store.ts";

export interface StoringOptions {
  readonly clickhouse: ClickHouse;
  readonly kafka: Pick<KafkaClient, "name">;
  readonly registry: Registry;
  readonly metrics: StoreMetrics;
  readonly log: Log;
  readonly flushEvents: number;
  readonly flushMs: number;
  readonly windowMs: number;
  /** dedup_ids that are kept in memory. */
  readonly dedupIds: number;
  /** What of events.clean is stored; all when left out. */
  take?(record: CleanBatch | Unreadable): boolean;
  /** Where several write into one place, each what it takes: claims and the ledger's clean_topic are each one's own. */
  readonly scope?: string;
  readonly told?: Told;
  /** Whose events are kept on a server of their own instead, so that here is only a row in the ledger. */
  isElsewhere?(tenant: string): boolean;
}

export const createStoring = (options: StoringOptions) => {
  const { clickhouse, kafka, registry, metrics, log, windowMs } = options;
  const topic = kafka.name(topics.clean.name);
  const scope = options.scope === undefined ? topic : `${topic}/${options.scope}`;
  const letters = createDeadLetters(clickhouse);
  const store = createStore({
    claims: createClaims(clickhouse, scope),
    events: createEvents(clickhouse, scope, async (id) => JSON.stringify((await registry.writerOf(id)).schema())),
    ledger: createLedger(clickhouse, scope, windowMs, options.dedupIds),
    ...{ letters, metrics, log, windowMs, writerOf: registry.writerOf },
    ...(options.told === undefined ? {} : { told: options.told }),
    ...(options.isElsewhere === undefined ? {} : { isElsewhere: options.isElsewhere }),
  });
  const accumulator = createAccumulator<Arrival>({
    ...{ flushEvents: options.flushEvents, flushMs: options.flushMs, flush: store.flush },
  });
  const readBatch = createBatchReader(registry);

  return {
    /** As the cluster names it. */
    topic,
    /** What the ledger has as clean_topic. */
    scope,
    letters,
    /** Resolves when what the delivery brought is stored. */
    handle: async (delivery: Delivery): Promise<void> => {
      const { partition } = delivery;
      const read = await Promise.all(delivery.records.map((record) => readBatch(topic, partition, record)));
      const records = options.take === undefined ? read : read.filter(options.take);
      if (records.length === 0) return;
      const events = records.reduce((sum, record) => sum + (record.kind === "batch" ? record.accepted : 0), 0);
      await accumulator.add({ delivery, records }, events);
    },
    /** A new assignment: nothing that was remembered holds any more. */
    assign: (partitions: readonly { readonly topic: string; readonly partition: number }[]): void =>
      store.assign(partitions.filter((one) => one.topic === topic).map(({ partition }) => partition)),
    /** From now on a failure is final. */
    stopRetrying: store.close,
  };
};
