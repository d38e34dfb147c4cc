/**
 * Consumes a group's partitions, several side by side, each in order. The handler gets what one fetch brought for one
 * partition; when it resolves, the position moves on and is committed soon after. When it throws, the partition rests,
 * with growing pauses, and the same records come again: nothing is ever skipped. A repeat after a crash or a rebalance
 * is therefore normal, and handlers must know how to recognise it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { EachBatchPayload, KafkaClient } from "./kafka.ts";
import { batches, recordsOf } from "./kafka-batches.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";

export interface InRecord {
  offset: number;
  /** Milliseconds since the epoch, as Kafka has it. */
  timestamp: number;
  key: Buffer | null;
  value: Buffer | null;
}

export interface Delivery {
  topic: string;
  partition: number;
  records: readonly InRecord[];
  /** Counts this process' assignments; a new one means that state of the partition must be looked up again. */
  assignment: number;
  /** False once the partition may be somebody else's: stop, and let go of what is not stored yet. */
  current(): boolean;
}

/** What a handler resolves with when the partition shall rest for a while, without anything having failed. */
export interface Rest {
  ms: number;
  /** False: none of the delivery's records was handled, and they come again. */
  taken: boolean;
}

export interface ConsumeOptions {
  group: string;
  /** As the cluster names them. */
  topics: readonly string[];
  handle(delivery: Delivery): Promise<Rest | undefined> | Promise<void>;
  /** Called with the partitions of each new assignment, before any of their records. */
  onAssigned?(assignment: number, partitions: readonly { topic: string; partition: number }[]): void;
  partitionsAtOnce?: number;
  maxBytesPerPartition?: number;
  maxWaitMs?: number;
  sessionTimeoutMs?: number;
}

export interface GroupConsumer {
  /** Whether the group has given this process its part. */
  readonly joined: boolean;
  /** Lets running handlers end, commits, leaves the group. */
  close(): Promise<void>;
}

/** The least a broker allows unless told otherwise: so long a killed process' partitions wait for the next. */
const defaultSessionTimeoutMs = 6_000;
const commitEveryMs = 250;
const lagEveryMs = 5_000;
const firstPauseMs = 250;
const longestPauseMs = 5_000;

export const consume = async (
  kafka: KafkaClient,
  { log, metrics }: { log: Log; metrics?: Metrics },
  options: ConsumeOptions,
): Promise<GroupConsumer> => {
  const { topics, handle } = options;
  const sessionTimeoutMs = options.sessionTimeoutMs ?? defaultSessionTimeoutMs;
  const consumer = kafka.consumer({
    groupId: options.group,
    maxBytesPerPartition: options.maxBytesPerPartition ?? 4 * 2 ** 20,
    maxBytes: 32 * 2 ** 20,
    maxWaitMs: options.maxWaitMs ?? 100,
    sessionTimeoutMs,
  });
  const lag = metrics?.gauge(
    "kafka_consumer_lag_records",
    "Records between the group's position and the end of the partition.",
    ["topic", "partition"],
  );
  const pauses = metrics?.counter(
    "kafka_consumer_pauses_total",
    "Times a partition had to rest because its handler failed.",
    ["topic"],
  );

  let assignment = 0;
  let joined = false;
  let closing = false;
  const owned = new Set<string>();
  const positions = new Map<string, { topic: string; partition: number; offset: number; committed: number }>();
  const failures = new Map<string, number>();
  const lane = (topic: string, partition: number) => `${topic}/${partition}`;

  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    assignment++;
    owned.clear();
    for (const { topic, partition } of positions.values()) lag?.remove({ topic, partition: String(partition) });
    positions.clear();
    const partitions = Object.entries(payload.memberAssignment).flatMap(([topic, list]) =>
      list.map((partition) => ({ topic, partition })),
    );
    for (const { topic, partition } of partitions) owned.add(lane(topic, partition));
    joined = true;
    log.info({ group: payload.groupId, partitions: partitions.length, assignment }, "partitions assigned");
    options.onAssigned?.(assignment, partitions);
  });
  consumer.on(consumer.events.REBALANCING, () => {
    joined = false;
  });
  consumer.on(consumer.events.CRASH, () => {
    joined = false;
  });

  const commit = async (): Promise<void> => {
    const due = [...positions.values()].filter((p) => p.offset > p.committed);
    if (due.length === 0) return;
    const at = due.map((p) => ({ p, offset: p.offset }));
    await consumer.commitOffsets(
      at.map(({ p, offset }) => ({ topic: p.topic, partition: p.partition, offset: String(offset) })),
    );
    for (const { p, offset } of at) p.committed = offset;
  };
  let committing = Promise.resolve();
  const commitTimer = setInterval(() => {
    // A commit that fails costs a repeat, which handlers recognise; the next one covers it.
    committing = committing.then(commit).catch((error) => log.debug({ err: error }, "a commit failed"));
  }, commitEveryMs);

  const rest = (payload: EachBatchPayload, error: unknown): void => {
    const { topic, partition } = payload.batch;
    const key = lane(topic, partition);
    const tries = (failures.get(key) ?? 0) + 1;
    failures.set(key, tries);
    pauses?.inc({ topic });
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (tries - 1));
    log.warn(
      { err: error, topic, partition, offset: payload.batch.firstOffset(), tries, pause_ms: pauseMs },
      "the partition rests and tries again",
    );
    const resume = payload.pause();
    setTimeout(resume, pauseMs).unref();
  };

  const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
    const { batch } = payload;
    const { topic, partition } = batch;
    const mine = assignment;
    const key = lane(topic, partition);
    const current = () => mine === assignment && owned.has(key) && !payload.isStale();
    const records = recordsOf(batch);
    const last = records.at(-1);
    if (last === undefined) return;
    const beat = setInterval(() => void payload.heartbeat().catch(() => undefined), sessionTimeoutMs / 4);
    let asked: Rest | undefined;
    try {
      asked = (await handle({ topic, partition, records, assignment: mine, current })) as Rest | undefined;
    } catch (error) {
      if (current()) rest(payload, error);
      return;
    } finally {
      clearInterval(beat);
    }
    failures.delete(key);
    if (!current()) return;
    if (asked !== undefined) setTimeout(payload.pause(), asked.ms).unref();
    if (asked?.taken === false) return;
    payload.resolveOffset(String(last.offset));
    const position = positions.get(key);
    if (position === undefined) positions.set(key, { topic, partition, offset: last.offset + 1, committed: -1 });
    else position.offset = last.offset + 1;
  };

  const admin = kafka.admin();
  const measureLag = async (): Promise<void> => {
    for (const topic of topics) {
      for (const end of await admin.fetchTopicOffsets(topic)) {
        const position = positions.get(lane(topic, end.partition));
        if (position !== undefined)
          lag?.set({ topic, partition: String(end.partition) }, Math.max(0, Number(end.offset) - position.offset));
      }
    }
  };
  const lagTimer = setInterval(
    () => void measureLag().catch((error) => log.debug({ err: error }, "the lag could not be measured")),
    lagEveryMs,
  );

  await admin.connect();
  const begin = batches(consumer, {
    log,
    topics,
    fromBeginning: true,
    atOnce: options.partitionsAtOnce ?? 6,
    eachBatch,
    closing: () => closing,
  });
  await begin();

  return {
    get joined() {
      return joined;
    },
    close: async () => {
      if (closing) return;
      closing = true;
      clearInterval(commitTimer);
      clearInterval(lagTimer);
      // stop() waits for running handlers; their positions are committed while still a member would be refused after it.
      const stopped = consumer.stop();
      const settle = (async () => {
        while (await Promise.race([stopped.then(() => false), sleep(50, true)])) await commit().catch(() => undefined);
      })();
      await stopped;
      await settle;
      await Promise.all([consumer.disconnect(), admin.disconnect()]);
    },
  };
};
