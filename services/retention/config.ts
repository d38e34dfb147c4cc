/** The configuration of retention; README.md has it as a table. */
import { field, kafkaShape, type Shape, storageShape, takeoutShape } from "@astralog/chassis";

export const shape = {
  ...kafkaShape,
  ...storageShape,
  ...takeoutShape,
  CLICKHOUSE_URL: field.url("ClickHouse over HTTP."),
  CLICKHOUSE_USERNAME: field.text("A user with the rights of astralog_retention.", "astralog_retention"),
  CLICKHOUSE_PASSWORD: field.secret("Its password.", ""),
  CLICKHOUSE_DATABASE: field.text("The database with the tables.", "astralog"),
  REDACTOR_GROUP: field.text("The redactor's consumer group, whose position says what it has passed on.", "redactor"),
  SINK_GROUP: field.text("The sink's consumer group, whose position says what is stored.", "sink.shared"),
  SWEEP_SECONDS: field.integer(
    "How often all is looked through. A changed rule is taken up at once.",
    { min: 1, max: 86_400 },
    "3600",
  ),
  SETTLE_SECONDS: field.integer(
    "How long stored events are left alone, so that their ledger rows are there before one removes them.",
    { min: 0, max: 86_400 },
    "600",
  ),
  IN_FLIGHT_MS: field.integer(
    "How long a record may be on its way from its receipt to Kafka.",
    { min: 0, max: 600_000 },
    "5000",
  ),
  BACKUP_KEEP_DAYS: field.integer(
    "Days that a backup is kept, as backups are told; certificates of deletion say so. 0: none are made.",
    { min: 0, max: 3_650 },
    "0",
  ),
  COMPACT_OBJECTS: field.integer(
    "So many small objects of a day and source in a bucket become one.",
    { min: 2, max: 500 },
    "12",
  ),
  COMPACT_MB: field.integer("Megabytes that an object in a bucket is to have.", { min: 1, max: 128 }, "64"),
  COMPACT_AFTER_SECONDS: field.integer(
    "How old an object is when it is made into another: older than any writing of it may last.",
    { min: 0, max: 86_400 },
    "3600",
  ),
} satisfies Shape;
