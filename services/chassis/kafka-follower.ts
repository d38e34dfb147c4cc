/**
 * Follows a whole topic of keyed records: from its beginning at start, and from then on. Each process has a group of its
 * own, because each needs all of it; the group ends with the process.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { KafkaClient } from "./kafka.ts";
import { consume, type InRecord } from "./kafka-consumer.ts";
import type { Log } from "./log.ts";

export interface TopicFollower {
  /** Whether everything that stood in the topic at the start has been handled. */
  readonly complete: boolean;
  /** Resolves when all that lies in the partition at the call has been handled. */
  caughtUp(partition: number): Promise<void>;
  close(): Promise<void>;
}

export interface FollowerOptions {
  /** Begins the group's name, which is what the principal's right allows. */
  readonly group: string;
  /** As the cluster names it. */
  readonly topic: string;
  /** When it throws, the record is passed over with an error in the log. Records without a key do not come here. */
  handle(key: string, record: InRecord, partition: number): Promise<void> | void;
}

const pollMs = 20;

/**
 * Which records are news. A consumer that was cut off reads again what it had not committed, and for a moment an older record
 * of a key would take the place of a newer one: a revoked key would be good again. A topic that was made anew begins at 0
 * with records that are younger than all that was seen.
 */
export const createNews = () => {
  const seen = new Map<number, { offset: number; timestamp: number }>();
  return {
    isNew: (partition: number, { offset, timestamp }: Pick<InRecord, "offset" | "timestamp">): boolean => {
      const last = seen.get(partition);
      return last === undefined || offset > last.offset || timestamp > last.timestamp;
    },
    saw: (partition: number, { offset, timestamp }: Pick<InRecord, "offset" | "timestamp">): void => {
      seen.set(partition, { offset, timestamp: Math.max(timestamp, seen.get(partition)?.timestamp ?? 0) });
    },
    reached: (partition: number, offset: number): boolean => (seen.get(partition)?.offset ?? -1) >= offset,
  };
};

/** Rejects when the topic cannot be read. */
export const followTopic = async (
  kafka: KafkaClient,
  { log }: { log: Log },
  { group: begin, topic, handle }: FollowerOptions,
): Promise<TopicFollower> => {
  const group = `${begin}.${randomUUID()}`;
  const news = createNews();

  const admin = kafka.admin();
  await admin.connect();
  /** The last offset of each partition that has any. */
  const lasts = async (): Promise<Map<number, number>> =>
    new Map(
      (await admin.fetchTopicOffsets(topic))
        .filter(({ high, low }) => Number(high) > Number(low))
        .map(({ partition, high }) => [partition, Number(high) - 1]),
    );
  const targets = [...(await lasts())];

  const consumer = await consume(
    kafka,
    { log },
    {
      group,
      topics: [topic],
      // How long the broker holds an empty answer back, not how late news is: it answers at once when there is any. Every
      // process follows several topics, and what they ask in vain costs the broker. A stop waits for the last answer.
      maxWaitMs: 500,
      handle: async ({ partition, records }) => {
        for (const record of records) {
          const { offset, key } = record;
          if (!news.isNew(partition, record)) continue;
          if (key !== null)
            try {
              await handle(key.toString("utf8"), record, partition);
            } catch (error) {
              // What was known of this key stays; a newer version of the project may have written it.
              log.error({ err: error, topic, partition, offset }, "a record could not be read");
            }
          news.saw(partition, record);
        }
      },
    },
  );

  return {
    get complete() {
      return targets.every(([partition, last]) => news.reached(partition, last));
    },
    caughtUp: async (partition) => {
      const last = (await lasts()).get(partition) ?? -1;
      while (!news.reached(partition, last)) await sleep(pollMs);
    },
    close: async () => {
      await consumer.close();
      await admin.deleteGroups([kafka.name(group)]).catch(() => undefined);
      await admin.disconnect();
    },
  };
};
