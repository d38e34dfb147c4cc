/** Puts the redactor together: registry, producer, consumer, and how to stop them. */
import { type Context, consume, createKafka, createProducer, createRegistry, insist } from "@astralog/chassis";
import { topics } from "@astralog/schemas";
import type { shape } from "./config.ts";
import { createJudge } from "./judge.ts";
import { createRedactorMetrics } from "./metrics.ts";
import { startNative } from "./native.ts";
import { ruleset } from "./ruleset.ts";
import { createStage } from "./stage.ts";

export const start = async (context: Context<typeof shape>): Promise<void> => {
  const { config, log, metrics, health, onStop } = context;
  const kafka = createKafka(config, log, "redactor");
  const registry = createRegistry(config);
  const [rawTopic, cleanTopic, deadTopic] = [
    kafka.name(topics.raw.name),
    kafka.name(topics.clean.name),
    kafka.name(topics.dead.name),
  ];
  const schemaId = await insist(log, () => registry.idOf("EventBatch", cleanTopic));
  const deadSchemaId = await insist(log, () => registry.idOf("DeadLetter", deadTopic));

  const producer = await createProducer(kafka, { log, metrics }, { lingerMs: 0 });
  onStop("producer", () => producer.close());
  health.require("producer", () => producer.healthy || "the last request to Kafka failed");

  const parts = {
    schemaId,
    writerOf: registry.writerOf,
    producer,
    metrics: createRedactorMetrics(metrics),
    cleanTopic,
    deadTopic,
    deadSchemaId,
    deadLetterKey: config.DEAD_LETTER_KEY,
  };
  await startNative(context, kafka, registry, parts);
  const consumer = await consume(
    kafka,
    { log, metrics },
    {
      group: config.GROUP,
      topics: [rawTopic],
      handle: createStage({ ...parts, judge: createJudge(parts), cleanPartition: (_, partition) => partition }),
      partitionsAtOnce: config.PARTITIONS_AT_ONCE,
      // A fetch that waits longer keeps an event from being found; shorter ones cost the broker.
      maxWaitMs: 50,
    },
  );
  onStop("consumer", () => consumer.close());
  health.require("consumer", () => consumer.joined || "no partitions assigned yet");
  log.info({ ruleset }, "redacting");
};
