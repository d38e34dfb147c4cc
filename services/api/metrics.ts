/** What the api measures; names begin with astralog_api_. */
import { type Metrics, secondsBuckets } from "@astralog/chassis";

export const createApiMetrics = (metrics: Metrics) => ({
  requests: metrics.counter("requests_total", "Requests by route and status.", ["route", "status"]),
  requestSeconds: metrics.histogram("request_seconds", "From the request's head to the answer's end.", secondsBuckets, [
    "route",
  ]),
  querySeconds: metrics.histogram("query_seconds", "Time of one ClickHouse query as it says itself.", secondsBuckets, [
    "query",
  ]),
  rowsRead: metrics.counter("rows_read_total", "Rows ClickHouse read.", ["query"]),
  bytesRead: metrics.counter("bytes_read_total", "Bytes ClickHouse read.", ["query"]),
  outboxLag: metrics.gauge("outbox_lag_seconds", "Age of the oldest change that Kafka has not confirmed; 0 when none."),
  outboxLeading: metrics.gauge("outbox_leading", "1 in the one process that carries the outbox."),
  outboxPublished: metrics.counter("outbox_published_total", "Changes that Kafka confirmed.", ["topic"]),
  outboxSeconds: metrics.histogram(
    "outbox_seconds",
    "From a change's transaction to Kafka's confirmation.",
    secondsBuckets,
  ),
  auditBroken: metrics.gauge(
    "audit_broken_trails",
    "Audit trails in Postgres that do not contain their signed head in Kafka; 0 unless somebody cut or changed them.",
  ),
  auditDeliveries: metrics.counter("audit_deliveries_total", "Tries to send an event of a trail to a webhook.", [
    "outcome",
  ]),
  auditAnchors: metrics.counter(
    "audit_anchors_total",
    "Heads of trails for organizations' own buckets; contradicted: the bucket has another head of the same event.",
    ["outcome"],
  ),
  mails: metrics.counter("mails_total", "Mail by what became of a try to send it.", ["outcome"]),
  cspReports: metrics.counter("csp_reports_total", "What browsers kept our pages from, by the policy's directive.", [
    "directive",
  ]),
  takeoutFiles: metrics.counter("takeout_files_total", "Files written of what organizations take out.", ["kind"]),
  takeoutBytes: metrics.counter("takeout_bytes_total", "Their bytes."),
  imports: metrics.counter("import_events_total", "Events brought in from another Astralog, by what became of them.", [
    "outcome",
  ]),
  replays: metrics.counter("dead_letter_replays_total", "Dead letters sent back to events.raw."),
});

export type ApiMetrics = ReturnType<typeof createApiMetrics>;
