import type { Metrics } from "@astralog/chassis";

export type DeliveryMetrics = ReturnType<typeof createDeliveryMetrics>;

export const createDeliveryMetrics = (metrics: Metrics) => ({
  notices: metrics.counter("notices_total", "Notices made, by what happened.", ["happening"]),
  tries: metrics.counter("notice_tries_total", "Tries to bring a notice, by the target's kind and what came of it.", [
    "kind",
    "outcome",
  ]),
  seconds: metrics.histogram(
    "notice_seconds",
    "From a change of an incident to the first answer of a target that took its notice.",
    [0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 600],
  ),
  due: metrics.gauge("notices_due", "Notices that are not brought yet."),
  waiting: metrics.gauge("notices_waiting", "Notices that wait for a place to be tried."),
});
