/** What every service stands on. */
export * from "./addresses.ts";
export * from "./config.ts";
export * from "./control-table.ts";
export * from "./fault.ts";
export * from "./health.ts";
export * from "./kafka.ts";
export * from "./kafka-consumer.ts";
export * from "./kafka-producer.ts";
export * from "./kafka-tail.ts";
export * from "./key-uses.ts";
export * from "./log.ts";
export * from "./metrics.ts";
export * from "./one-shot.ts";
export * from "./outgoing.ts";
export * from "./registry.ts";
export * from "./run.ts";
export * from "./webhook.ts";
