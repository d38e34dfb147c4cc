import { consume, createKafka, createRegistry, run } from "@astralog/chassis";
import { shape } from "./config.ts";
import { followElsewhere } from "./elsewhere.ts";
import { createSink } from "./sink.ts";

run({
  service: "sink",
  shape,
  start: async ({ config, log, metrics, health, onStop }) => {
    const kafka = createKafka(config, log, "sink");
    const registry = createRegistry(config);
    const { isElsewhere, close } = await followElsewhere(kafka, { log, registry });
    onStop("connections", close);
    const sink = createSink({ config, log, metrics, kafka, registry, isElsewhere });
    onStop("clickhouse", sink.close);
    const consumer = await consume(
      kafka,
      { log, metrics },
      {
        group: config.GROUP,
        topics: sink.topics,
        handle: sink.handle,
        onAssigned: sink.assign,
        // Every partition may have records in the same insert.
        partitionsAtOnce: 64,
        // The shortest that brokers allow by default: after a crash the partitions wait for it.
        sessionTimeoutMs: 6_000,
      },
    );
    health.require("kafka", () => consumer.joined || "the group has not given this process its partitions");
    onStop("consumer", consumer.close);
    onStop("store", sink.stopRetrying);
  },
});
