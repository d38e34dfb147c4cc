import { field, kafkaShape, storageShape } from "@astralog/chassis";

export const shape = {
  ...kafkaShape,
  ...storageShape,
  CLICKHOUSE_URL: field.url("A ClickHouse over HTTP that turns batches into Parquet; it stores nothing."),
  CLICKHOUSE_USERNAME: field.text("A user with the rights of astralog_archive: none.", "astralog_archive"),
  CLICKHOUSE_PASSWORD: field.secret("Its password.", ""),
  FLUSH_SECONDS: field.integer("Longest that an event waits for company in its object.", { min: 1, max: 3_600 }, "300"),
  FLUSH_MB: field.integer(
    "Megabytes, as they come, that make a piece of a partition full.",
    { min: 1, max: 256 },
    "32",
  ),
  STATE_SECONDS: field.integer(
    "How often it is told how far a partition is, where nothing else is new.",
    { min: 1, max: 3_600 },
    "10",
  ),
  DEDUP_WINDOW_MINUTES: field.integer(
    "How long a dedup_id is remembered, by the time of receipt; the sink's.",
    { min: 1, max: 10_080 },
    "60",
  ),
};
