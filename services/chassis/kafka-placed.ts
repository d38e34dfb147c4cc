/**
 * A group's consumer whose positions are its owner's: an assigned partition rests until it is placed, and nothing is ever
 * committed. For owners that keep position and state together, which a commit beside the state could not.
 */
import type { EachBatchPayload, KafkaClient } from "./kafka.ts";
import { batches, recordsOf } from "./kafka-batches.ts";
import type { Delivery } from "./kafka-consumer.ts";
import type { Log } from "./log.ts";

export interface PlacedOptions {
  readonly group: string;
  /** As the cluster names it. */
  readonly topic: string;
  readonly maxWaitMs: number;
  readonly sessionTimeoutMs?: number;
  /** Called with the partitions of each new assignment; all before are somebody else's. */
  onAssigned(partitions: readonly number[]): void;
  /** Called when the group is about to share anew: what is in hand may soon be somebody else's. */
  onLost(): void;
  /** One delivery of a partition at a time. It must not throw: what it did not take it must place again. */
  handle(delivery: Pick<Delivery, "partition" | "records" | "current">): Promise<void>;
}

export interface PlacedConsumer {
  readonly joined: boolean;
  /** Joins the group; the first assignment comes before it resolves. */
  start(): Promise<void>;
  /** The partition is read from this offset on. */
  place(partition: number, offset: number): void;
  rest(partition: number): void;
  close(): Promise<void>;
}

export const createPlacedConsumer = (
  kafka: KafkaClient,
  { log }: { log: Log },
  options: PlacedOptions,
): PlacedConsumer => {
  const { topic, sessionTimeoutMs = 6_000 } = options;
  const consumer = kafka.consumer({
    groupId: options.group,
    maxBytesPerPartition: 4 * 2 ** 20,
    maxBytes: 16 * 2 ** 20,
    maxWaitMs: options.maxWaitMs,
    sessionTimeoutMs,
  });
  let assignment = 0;
  let joined = false;
  let closing = false;
  let owned = new Set<number>();

  const lost = (): void => {
    if (!joined) return;
    joined = false;
    options.onLost();
  };
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    assignment++;
    const partitions = payload.memberAssignment[topic] ?? [];
    owned = new Set(partitions);
    consumer.pause([{ topic, partitions }]);
    joined = true;
    log.info({ group: payload.groupId, partitions: partitions.length }, "partitions assigned");
    options.onAssigned(partitions);
  });
  consumer.on(consumer.events.REBALANCING, lost);
  consumer.on(consumer.events.CRASH, lost);

  const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
    const { batch } = payload;
    const mine = assignment;
    const { partition } = batch;
    const current = () => mine === assignment && joined && owned.has(partition) && !payload.isStale();
    const records = recordsOf(batch);
    const last = records.at(-1);
    if (last === undefined) return;
    const beat = setInterval(() => void payload.heartbeat().catch(() => undefined), sessionTimeoutMs / 4);
    try {
      await options.handle({ partition, records, current });
    } finally {
      clearInterval(beat);
    }
    if (current()) payload.resolveOffset(String(last.offset));
  };
  const begin = batches(consumer, {
    log,
    topics: [topic],
    fromBeginning: true,
    atOnce: 6,
    eachBatch,
    closing: () => closing,
  });

  return {
    get joined() {
      return joined;
    },
    start: begin,
    place: (partition, offset) => {
      if (!owned.has(partition)) return;
      consumer.seek({ topic, partition, offset: String(offset) });
      consumer.resume([{ topic, partitions: [partition] }]);
    },
    rest: (partition) => {
      if (owned.has(partition)) consumer.pause([{ topic, partitions: [partition] }]);
    },
    close: async () => {
      if (closing) return;
      closing = true;
      await consumer.stop();
      await consumer.disconnect();
    },
  };
};
