/**
 * Reads stretches of partitions on demand, as one reads a file: from an offset to an offset, and nothing is committed. For
 * who must look something up in a topic before he goes on.
 */
import { randomUUID } from "node:crypto";
import type { EachBatchPayload, KafkaClient } from "./kafka.ts";
import { batches, recordsOf } from "./kafka-batches.ts";
import type { InRecord } from "./kafka-consumer.ts";
import type { Log } from "./log.ts";

export interface Stretch {
  /** As the cluster names it: one of those that the reader was made for. */
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

export interface TopicReader {
  /** Gives every record there is of the stretch, in order. One stretch of a partition at a time; others wait. */
  read(stretch: Stretch, handle: (records: readonly InRecord[]) => Promise<void> | void): Promise<void>;
  close(): Promise<void>;
}

interface Reading {
  next: number;
  readonly to: number;
  readonly handle: (records: readonly InRecord[]) => Promise<void> | void;
  done(): void;
  fail(error: unknown): void;
}

const maxWaitMs = 100;

/** `principal` begins the group's name, which is what its right allows. Nothing is joined before something is read. */
export const createTopicReader = (
  kafka: KafkaClient,
  { log }: { log: Log },
  { principal, topics }: { principal: string; topics: readonly string[] },
): TopicReader => {
  const consumer = kafka.consumer({
    groupId: `${principal}.reader.${randomUUID()}`,
    maxBytesPerPartition: 4 * 2 ** 20,
    maxBytes: 16 * 2 ** 20,
    maxWaitMs,
    sessionTimeoutMs: 10_000,
  });
  const readings = new Map<string, Reading>();
  const queues = new Map<string, Promise<void>>();
  let closing = false;
  const lane = (topic: string, partition: number) => `${topic}/${partition}`;

  const place = (topic: string, partition: number, { next }: Reading): void => {
    consumer.seek({ topic, partition, offset: String(next) });
    consumer.resume([{ topic, partitions: [partition] }]);
  };
  const { promise: ready, resolve: isReady } = Promise.withResolvers<void>();
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    for (const [topic, partitions] of Object.entries(payload.memberAssignment)) {
      consumer.pause([{ topic, partitions }]);
      for (const partition of partitions) {
        const reading = readings.get(lane(topic, partition));
        if (reading !== undefined) place(topic, partition, reading);
      }
    }
    isReady();
  });

  const eachBatch = async ({ batch, resolveOffset, heartbeat }: EachBatchPayload): Promise<void> => {
    const { topic, partition } = batch;
    const reading = readings.get(lane(topic, partition));
    const last = batch.messages.at(-1);
    if (last === undefined) return;
    if (reading !== undefined) {
      const records = recordsOf(batch).filter(({ offset }) => offset >= reading.next && offset < reading.to);
      try {
        if (records.length > 0) await reading.handle(records);
      } catch (error) {
        reading.fail(error);
      }
      reading.next = Number(last.offset) + 1;
      if (reading.next >= reading.to) reading.done();
    }
    resolveOffset(last.offset);
    await heartbeat();
  };
  const begin = batches(consumer, { log, topics, fromBeginning: true, atOnce: 4, eachBatch, closing: () => closing });
  let begun: Promise<void> | undefined;

  const read: TopicReader["read"] = async ({ topic, partition, from, to }, handle) => {
    if (from >= to) return;
    begun ??= begin();
    await begun.catch((error) => {
      begun = undefined;
      throw error;
    });
    await ready;
    const key = lane(topic, partition);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const reading: Reading = { next: from, to, handle, done: resolve, fail: reject };
    readings.set(key, reading);
    place(topic, partition, reading);
    try {
      await promise;
    } finally {
      consumer.pause([{ topic, partitions: [partition] }]);
      readings.delete(key);
    }
  };
  return {
    read: (stretch, handle) => {
      const key = lane(stretch.topic, stretch.partition);
      const turn = (queues.get(key) ?? Promise.resolve()).then(() => read(stretch, handle));
      queues.set(
        key,
        turn.catch(() => undefined),
      );
      return turn;
    },
    close: async () => {
      closing = true;
      await consumer.disconnect();
    },
  };
};
