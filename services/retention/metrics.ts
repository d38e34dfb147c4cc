/** What retention counts. Nothing here names a tenant. */
import { type Metrics, secondsBuckets } from "@astralog/chassis";

export const createRetentionMetrics = (metrics: Metrics) => ({
  removed: metrics.counter("removed_total", "Events and letters removed, by place and cause.", ["place", "cause"]),
  overdue: metrics.gauge("overdue", "What is past its time and still there after the last sweep.", ["place"]),
  sweptAt: metrics.gauge("swept_at_seconds", "When the last sweep ended that found nothing overdue, since the epoch."),
  sweepSeconds: metrics.histogram("sweep_seconds", "One sweep through all places.", secondsBuckets),
  mutations: metrics.counter(
    "mutations_total",
    "Partitions that had to be rewritten, for parts shared with others or for fields.",
  ),
  compacted: metrics.counter("compacted_objects_total", "Objects of buckets that were made into larger ones."),
  rehydrated: metrics.counter(
    "rehydrated_objects_total",
    "Objects of buckets that were looked through to bring events back.",
  ),
  deletions: metrics.gauge("open_deletions", "Deletions that are not finished."),
});

export type RetentionMetrics = ReturnType<typeof createRetentionMetrics>;
