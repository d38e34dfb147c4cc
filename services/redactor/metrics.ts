/** What the redactor counts. Nothing here names a tenant: the ledger does, per batch. */
import { type Metrics, secondsBuckets } from "@astralog/chassis";

export const createRedactorMetrics = (metrics: Metrics) => ({
  batches: metrics.counter("batches_total", "Raw records passed on, as a batch or as an empty one."),
  events: metrics.counter("events_total", "Events read from events.raw."),
  bytes: metrics.counter("bytes_total", "Bytes read from events.raw."),
  suspects: metrics.counter("suspect_events_total", "Events that the scan could not clear, which were decoded."),
  foreign: metrics.counter(
    "foreign_schema_batches_total",
    "Batches under another version's schema, decoded as a whole.",
  ),
  redactions: metrics.counter("redactions_total", "Replacements made.", ["detector"]),
  deadLetters: metrics.counter("dead_letters_total", "Events and records sent to events.dead.", ["reason"]),
  seconds: metrics.histogram("batch_seconds", "Work on one raw record, without sending.", secondsBuckets),
});

export type RedactorMetrics = ReturnType<typeof createRedactorMetrics>;
