/**
 * What every consumer asks of the client: batches, whose positions it moves itself.
 *
 * kafkajs starts a consumer again by itself after what it calls retriable, and gives up after the rest; but a broker that
 * dies in the middle of a SASL handshake is "the rest" to it. To give up would leave the partitions to nobody, silently.
 */
import type { EachBatchPayload, KafkaConsumer } from "./kafka.ts";
import type { InRecord } from "./kafka-consumer.ts";
import type { Log } from "./log.ts";

const pauseMs = 1_000;

export const recordsOf = ({ messages }: EachBatchPayload["batch"]): InRecord[] =>
  messages.map(({ offset, timestamp, key, value }) => ({
    offset: Number(offset),
    timestamp: Number(timestamp),
    key,
    value,
  }));

export interface BatchesOptions {
  readonly log: Log;
  /** As the cluster names them. */
  readonly topics: readonly string[];
  /** Where a group without a position begins: at the beginning, or with what comes from now on. */
  readonly fromBeginning: boolean;
  /** Partitions whose batches are handled side by side. */
  readonly atOnce: number;
  eachBatch(payload: EachBatchPayload): Promise<void>;
  closing(): boolean;
}

/** Returns what starts the consumer; it is called again whenever the client has given up, until `closing` says so. */
export const batches = (
  consumer: KafkaConsumer,
  { log, topics, fromBeginning, atOnce, eachBatch, closing }: BatchesOptions,
): (() => Promise<void>) => {
  const begin = async (): Promise<void> => {
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: atOnce,
      eachBatch,
    });
  };
  const revive = (): void => {
    setTimeout(() => {
      if (closing()) return;
      begin().catch((error) => {
        log.warn({ err: error }, "the consumer could not start again yet");
        revive();
      });
    }, pauseMs).unref();
  };
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    log.warn({ err: payload.error }, "the consumer lost its connection and starts again");
    if (!payload.restart) revive();
  });
  return begin;
};
