/** What the receiver counts. Tenants and sources are no labels: there may be any number of them; the ledger knows them. */
import { type Metrics, secondsBuckets } from "@astralog/chassis";
import type { InFlight } from "./in-flight.ts";

export const createReceiverMetrics = (metrics: Metrics, inFlight: InFlight) => {
  const bytes = metrics.gauge("in_flight_bytes", "Bytes held by requests that are not answered yet.");
  const requests = metrics.gauge("in_flight_requests", "Requests that are being read, parsed or confirmed.");
  // Read when they are asked for, not at each request.
  Object.assign(bytes, { collect: () => bytes.set(inFlight.bytes) });
  Object.assign(requests, { collect: () => requests.set(inFlight.requests) });
  return {
    requests: metrics.counter("requests_total", "Requests answered.", ["protocol", "status"]),
    refusals: metrics.counter("refusals_total", "Requests refused as a whole, by code.", ["protocol", "code"]),
    events: metrics.counter("events_total", "Events acknowledged.", ["protocol"]),
    rejected: metrics.counter("rejected_events_total", "Events named as rejected in an answer.", ["protocol", "code"]),
    sentBytes: metrics.counter("body_bytes_total", "Bytes of bodies as sent.", ["protocol"]),
    inflatedBytes: metrics.counter("inflated_bytes_total", "Bytes of bodies after inflating.", ["protocol"]),
    batchEvents: metrics.histogram(
      "batch_events",
      "Events in one request.",
      [1, 10, 100, 300, 1_000, 3_000, 10_000, 100_000],
      ["protocol"],
    ),
    ackSeconds: metrics.histogram(
      "acknowledge_seconds",
      "From the last byte of a body to Kafka's confirmation of all its events.",
      secondsBuckets,
    ),
  };
};

export type ReceiverMetrics = ReturnType<typeof createReceiverMetrics>;
