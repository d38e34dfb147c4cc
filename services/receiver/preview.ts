/** What a trial shows: the events as they would lie in Kafka, before redaction. */
import { eventSpans, levelName, readBatchHeader, readEvent } from "@astralog/schemas";
import type { Part } from "./event-parts.ts";

/** A trial of more events shows the first of them. */
const shown = 100;

export interface PreviewedEvent {
  /** RFC 3339 in nanoseconds, or null: the time of arrival would be used. */
  timestamp: string | null;
  level: string;
  severity_number: number;
  service: string;
  host: string;
  message: string;
  trace_id: string;
  span_id: string;
  attributes: Record<string, string>;
  attribute_types: string;
}

export const preview = (parts: readonly Part[]): PreviewedEvent[] => {
  const events: PreviewedEvent[] = [];
  for (const { value } of parts) {
    const spans = eventSpans(value, readBatchHeader(value).eventsAt);
    for (let i = 0; i < spans.length && events.length < shown; i += 2) {
      const event = readEvent(value, spans[i] as number);
      const seconds = event.millis === 0 && event.nanos === 0 ? null : new Date(event.millis).toISOString();
      events.push({
        timestamp: seconds === null ? null : `${seconds.slice(0, -1)}${String(event.nanos).padStart(6, "0")}Z`,
        level: levelName(event.level),
        severity_number: event.level,
        service: event.service,
        host: event.host,
        message: event.message,
        trace_id: event.trace_id,
        span_id: event.span_id,
        attributes: Object.fromEntries(pairs(event.attributes)),
        attribute_types: event.attribute_types,
      });
    }
  }
  return events;
};

function* pairs(flat: readonly string[]): Generator<[string, string]> {
  for (let i = 0; i < flat.length; i += 2) yield [flat[i] ?? "", flat[i + 1] ?? ""];
}
