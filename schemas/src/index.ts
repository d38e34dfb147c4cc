/** Every shape that two processes share. Imports nothing of ours. */
export * from "./audit.ts";
export * from "./audit-chain.ts";
export * from "./audit-export.ts";
export * from "./audit-head.ts";
export * from "./avro-bytes.ts";
export * from "./coordinates.ts";
export * from "./dead-letter-place.ts";
export * from "./dead-letter-reasons.ts";
export * from "./event-batch.ts";
export * from "./keys.ts";
export * from "./levels.ts";
export * from "./partitions.ts";
export * from "./permissions.ts";
export * from "./plans.ts";
export * from "./records.ts";
export * from "./topics.ts";
export * from "./writer-pool.ts";
