/** What backups count. */
import type { Metrics } from "@astralog/chassis";

export const createBackupMetrics = (metrics: Metrics) => ({
  madeAt: metrics.gauge("made_at_seconds", "When the newest backup was begun, since the epoch; 0 while there is none."),
  bytes: metrics.gauge("bytes", "What the newest backup's objects have in all."),
  addedBytes: metrics.gauge("added_bytes", "What the newest backup had to add to what was there."),
  seconds: metrics.gauge("duration_seconds", "How long the newest backup took."),
  kept: metrics.gauge("kept", "Backups in the bucket."),
  failures: metrics.counter("failures_total", "Backups that failed and are tried again."),
});
