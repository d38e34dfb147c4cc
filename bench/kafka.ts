/** Kafka as its administrator, for what no service would do. */
import {
  createKafka,
  createLog,
  createMetrics,
  createProducer,
  type KafkaClient,
  kafkaShape,
  loadConfig,
  type RecordProducer,
} from "@astralog/chassis";
import type { Platform } from "@astralog/testbed";

export const adminKafka = (platform: Platform): KafkaClient => {
  const env = {
    ...platform.env("api"),
    KAFKA_USERNAME: "admin",
    KAFKA_PASSWORD: platform.stack.kafka.users.admin ?? "",
  };
  return createKafka(loadConfig(kafkaShape, env), createLog("bench", "fatal"), "bench");
};

export const adminProducer = (kafka: KafkaClient): Promise<RecordProducer> =>
  createProducer(kafka, { log: createLog("bench", "fatal"), metrics: createMetrics("bench") }, { lingerMs: 0 });
