import { type Metrics, secondsBuckets } from "@astralog/chassis";

export type ArchiveMetrics = ReturnType<typeof createArchiveMetrics>;

export const createArchiveMetrics = (metrics: Metrics) => ({
  events: metrics.counter("events_archived_total", "Events written to buckets."),
  objects: metrics.counter("objects_written_total", "Parquet objects written."),
  bytes: metrics.counter("object_bytes_total", "Bytes of the Parquet objects written."),
  skipped: metrics.counter("records_skipped_total", "Records of archived tenants that were not written.", ["reason"]),
  failures: metrics.counter("failures_total", "Pieces that could not be written and are tried again, by code.", [
    "code",
  ]),
  missed: metrics.counter("missed_records_total", "Records that Kafka let go before they were archived."),
  failing: metrics.gauge("failing", "1 while a connection's bucket takes nothing.", ["connection"]),
  lag: metrics.gauge("lag_records", "Records between a connection's position and the end.", ["connection"]),
  connections: metrics.gauge("connections", "Connections that this process archives for."),
  pieceSeconds: metrics.histogram("piece_seconds", "One piece, from full to written.", secondsBuckets),
});
