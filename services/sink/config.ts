import { field, kafkaShape } from "@astralog/chassis";

export const shape = {
  ...kafkaShape,
  CLICKHOUSE_URL: field.url("ClickHouse over HTTP."),
  CLICKHOUSE_USERNAME: field.text("A user with the rights of astralog_sink."),
  CLICKHOUSE_PASSWORD: field.secret("Its password.", ""),
  CLICKHOUSE_DATABASE: field.text("The database with the tables.", "astralog"),
  GROUP: field.text("Consumer group; each destination has its own.", "sink.shared"),
  // The client fetches anew only when all that one fetch brought is stored, so waiting longer gathers nothing more: it only
  // made each round longer (150 ms: 399 ms from acknowledged to searchable at the median, 20 ms: 193 ms).
  FLUSH_MS: field.integer("Longest that a record waits for company, milliseconds.", { min: 1, max: 10_000 }, "20"),
  FLUSH_EVENTS: field.integer("Events that fill an insert.", { min: 1, max: 1_000_000 }, "100000"),
  DEDUP_WINDOW_MINUTES: field.integer(
    "How long a dedup_id is remembered, by the time of receipt.",
    { min: 1, max: 10_080 },
    "60",
  ),
  DEDUP_IDS: field.integer(
    "dedup_ids kept in memory; older ones are asked for in the ledger.",
    { min: 1_000, max: 10_000_000 },
    "300000",
  ),
};
