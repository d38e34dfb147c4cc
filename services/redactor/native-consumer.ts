/**
 * Consumes whatever native topics there are. kafkajs takes its list of topics once, so a new topic means a new consumer;
 * the group is one of its own, so events.raw never notices.
 */
import {
  type ConsumeOptions,
  consume,
  type GroupConsumer,
  type KafkaClient,
  type Log,
  type Metrics,
} from "@astralog/chassis";

/** Topics that come together are taken up together; one that Kafka does not have yet is looked for again as often. */
const settleMs = 250;
const retryMs = 2_000;

export const followTopics = (
  kafka: KafkaClient,
  context: { log: Log; metrics: Metrics },
  options: Omit<ConsumeOptions, "topics">,
  wanted: () => readonly string[],
) => {
  const { log } = context;
  let consumer: GroupConsumer | undefined;
  let followed: readonly string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> | undefined;
  let closed = false;

  /** Those that are there: one that is missing would keep kafkajs from all the others. */
  const present = async (topics: readonly string[]): Promise<string[]> => {
    const admin = kafka.admin();
    await admin.connect();
    try {
      const known = new Set(await admin.listTopics());
      return topics.filter((topic) => known.has(topic));
    } finally {
      await admin.disconnect();
    }
  };

  const update = async (): Promise<void> => {
    const list = wanted();
    if (list.length === followed.length && list.every((topic, i) => topic === followed[i])) return;
    const topics = await present(list);
    if (topics.join() !== followed.join()) {
      await consumer?.close();
      consumer = undefined;
      followed = [];
      if (topics.length > 0) consumer = await consume(kafka, context, { ...options, topics });
      followed = topics;
      log.info({ topics: topics.length }, "native topics are followed");
    }
    if (topics.length < list.length) later(retryMs);
  };

  const later = (ms: number): void => {
    clearTimeout(timer);
    if (closed) return;
    timer = setTimeout(() => {
      working = (working ?? Promise.resolve()).then(update).catch((error) => {
        log.warn({ err: error }, "native topics cannot be followed yet");
        later(retryMs);
      });
    }, ms);
  };

  return {
    /** Looks soon at what is wanted now. */
    changed: (): void => later(settleMs),
    close: async (): Promise<void> => {
      closed = true;
      clearTimeout(timer);
      await working;
      await consumer?.close();
    },
  };
};
