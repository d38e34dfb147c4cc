/** What the alerter counts. Nothing here names a tenant or a rule. */
import { type Metrics, secondsBuckets } from "@astralog/chassis";

export const createAlerterMetrics = (metrics: Metrics) => ({
  rules: metrics.gauge("rules", "Rules in force."),
  events: metrics.counter("events_total", "Events held against rules."),
  late: metrics.counter(
    "late_batches_total",
    "Batches that came after the window of their receipt was closed: what they hold is not counted there.",
  ),
  lag: metrics.gauge("unproven_seconds", "How long a partition has waited for raw records to come through.", [
    "partition",
  ]),
  transitions: metrics.counter("transitions_total", "Changes that were written.", ["to"]),
  marks: metrics.counter("incomplete_windows_total", "Windows that were not complete after their grace."),
  judgedSeconds: metrics.histogram(
    "window_to_judged_seconds",
    "From a window's end, with its lateness, to its judgement.",
    secondsBuckets,
  ),
});

export type AlerterMetrics = ReturnType<typeof createAlerterMetrics>;
