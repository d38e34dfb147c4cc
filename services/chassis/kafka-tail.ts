/**
 * Reads a topic's end for somebody who watches: from now on, only the partitions that are asked for, and nothing is ever
 * committed. Every process has a group of its own, which Kafka forgets when the process is gone. After a lost connection
 * it goes on where it stood; records that could not be had are told as a gap, never passed over.
 */
import { randomUUID } from "node:crypto";
import type { EachBatchPayload, KafkaClient } from "./kafka.ts";
import { batches, recordsOf } from "./kafka-batches.ts";
import type { InRecord } from "./kafka-consumer.ts";
import type { Log } from "./log.ts";

export interface TopicTail {
  /** How many partitions the topic has. */
  readonly partitions: number;
  /** Resolves once every record that comes to these partitions from now on will be handled; the others rest. */
  follow(partitions: ReadonlySet<number>): Promise<void>;
  close(): Promise<void>;
}

export interface TailOptions {
  /** Begins the group's name, which is what the principal's right allows. */
  readonly principal: string;
  /** As the cluster names it. */
  readonly topic: string;
  handle(records: readonly InRecord[]): Promise<void>;
  /** Records of the partition were missed: it was trimmed or lay too far behind. */
  onGap(partition: number): void;
}

const sessionTimeoutMs = 10_000;
const maxWaitMs = 100;

/** Rejects when Kafka does not answer; nothing is left behind then. */
export const createTopicTail = async (
  kafka: KafkaClient,
  { log }: { log: Log },
  { principal, topic, handle, onGap }: TailOptions,
): Promise<TopicTail> => {
  const consumer = kafka.consumer({
    groupId: `${principal}.tail.${randomUUID()}`,
    maxBytesPerPartition: 4 * 2 ** 20,
    maxBytes: 16 * 2 ** 20,
    maxWaitMs,
    sessionTimeoutMs,
  });
  /** The next offset of each partition that is followed. */
  const next = new Map<number, number>();
  let assigned: readonly number[] = [];
  let closing = false;

  const place = (partition: number): void => {
    const offset = next.get(partition);
    if (offset === undefined) return;
    consumer.seek({ topic, partition, offset: String(offset) });
    consumer.resume([{ topic, partitions: [partition] }]);
  };
  // A client that starts again knows neither positions nor who rests.
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    assigned = payload.memberAssignment[topic] ?? [];
    consumer.pause([{ topic, partitions: assigned.filter((partition) => !next.has(partition)) }]);
    for (const partition of next.keys()) place(partition);
  });

  const eachBatch = async ({ batch, resolveOffset, heartbeat }: EachBatchPayload): Promise<void> => {
    const due = next.get(batch.partition);
    const last = batch.messages.at(-1);
    if (last === undefined) return;
    if (due !== undefined) {
      const records = recordsOf(batch).filter(({ offset }) => offset >= due);
      const [first] = records;
      if (first !== undefined) {
        if (first.offset > due) onGap(batch.partition);
        next.set(batch.partition, Number(last.offset) + 1);
        await handle(records);
      }
    }
    resolveOffset(last.offset);
    await heartbeat();
  };

  const admin = kafka.admin();
  const close = async (): Promise<void> => {
    closing = true;
    await Promise.allSettled([consumer.disconnect(), admin.disconnect()]);
  };
  const begin = batches(consumer, {
    log,
    topics: [topic],
    fromBeginning: false,
    atOnce: 4,
    eachBatch,
    closing: () => closing,
  });
  let partitions: number;
  try {
    await admin.connect();
    partitions = (await admin.fetchTopicOffsets(topic)).length;
    await begin();
  } catch (error) {
    await close();
    throw error;
  }

  const change = async (wanted: ReadonlySet<number>): Promise<void> => {
    const left = [...next.keys()].filter((partition) => !wanted.has(partition));
    for (const partition of left) next.delete(partition);
    if (left.length > 0) consumer.pause([{ topic, partitions: left }]);
    const added = [...wanted].filter((partition) => !next.has(partition));
    if (added.length === 0) return;
    for (const { partition, high } of await admin.fetchTopicOffsets(topic)) {
      if (!added.includes(partition)) continue;
      next.set(partition, Number(high));
      place(partition);
    }
  };
  let changing: Promise<unknown> = Promise.resolve();
  return {
    partitions,
    follow: (wanted) => {
      const changed = changing.then(() => change(wanted));
      changing = changed.catch(() => undefined);
      return changed;
    },
    close,
  };
};
