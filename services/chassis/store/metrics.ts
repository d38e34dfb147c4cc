import { type Metrics, secondsBuckets } from "../metrics.ts";

export type StoreMetrics = ReturnType<typeof createStoreMetrics>;

export const createStoreMetrics = (metrics: Metrics) => ({
  rows: metrics.counter("events_stored_total", "Events written to ClickHouse."),
  bytes: metrics.counter("insert_bytes_total", "Bytes sent to ClickHouse in inserts of events."),
  batches: metrics.counter("batches_total", "Batches by what became of them.", ["verdict"]),
  letters: metrics.counter("dead_letters_total", "Dead letters written by reason.", ["reason"]),
  retries: metrics.counter("insert_retries_total", "Flushes that failed and were judged again, by code.", ["code"]),
  claims: metrics.counter("claims_total", "Partitions claimed."),
  paused: metrics.gauge("paused", "1 while ClickHouse takes nothing and every partition waits."),
  insertSeconds: metrics.histogram("insert_seconds", "One insert of events.", secondsBuckets),
  storedSeconds: metrics.histogram(
    "ingest_to_stored_seconds",
    "From the edge to searchable, by batch.",
    secondsBuckets,
  ),
});
