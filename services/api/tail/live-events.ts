/** Records of events.clean as the events that a listener is shown: the same view that search gives of them once stored. */
import { Fault, type Registry } from "@astralog/chassis";
import {
  AvroError,
  type BatchHeader,
  eventSpans,
  formatEventId,
  levelName,
  readBatchHeader,
  readEvent,
  schemaIdOf,
  tombstone,
  types,
} from "@astralog/schemas";
import type { EventInMemory } from "@astralog/schemas/query/index";
import { attributesOf, type EventView, rfc3339 } from "../search/event-rows.ts";

export interface LiveEvent {
  readonly event: EventInMemory;
  /** Index in the batch as accepted. */
  readonly index: number;
  /** Bytes as encoded: what it costs to keep. */
  readonly bytes: number;
}

export type LiveHeader = BatchHeader & { readonly eventsAt: number };

/** The header of a record that this version can read, else undefined: another version's is told as a gap. */
export const createHeaderReader = (registry: Pick<Registry, "writerOf">) => {
  const readable = new Map<number, boolean>();
  const known = types.EventBatch.fingerprint();
  return async (value: Buffer | null): Promise<LiveHeader | undefined> => {
    const id = value === null ? undefined : schemaIdOf(value);
    if (value === null || id === undefined) return undefined;
    let can = readable.get(id);
    if (can === undefined) {
      try {
        can = (await registry.writerOf(id)).fingerprint().equals(known);
      } catch (error) {
        if (!(error instanceof Fault) || error.retriable) return undefined;
        can = false;
      }
      readable.set(id, can);
    }
    try {
      return can ? readBatchHeader(value) : undefined;
    } catch (error) {
      if (error instanceof AvroError) return undefined;
      throw error;
    }
  };
};

/** Without what was dropped on the way. Throws AvroError. */
export const liveEvents = (value: Buffer, header: LiveHeader): LiveEvent[] => {
  const spans = eventSpans(value, header.eventsAt);
  const events: LiveEvent[] = [];
  for (let i = 0; i < spans.length; i += 2) {
    const [start = 0, end = 0] = [spans[i], spans[i + 1]];
    const event = { ...readEvent(value, start), source: header.source };
    if (event.millis === tombstone.millis && event.nanos === tombstone.nanos) continue;
    // Who told no time is given that of his arrival, as it will be stored.
    if (event.millis === 0 && event.nanos === 0) event.millis = header.received_at;
    events.push({ event, index: i / 2, bytes: end - start });
  }
  return events;
};

export const liveView = (
  { event, index }: LiveEvent,
  header: LiveHeader,
  topicPrefix: string,
  sourceName: string,
): EventView => {
  const { raw_topic: topic, raw_partition: partition, raw_offset: offset } = header;
  const keys = event.attributes.filter((_, i) => i % 2 === 0);
  const values = event.attributes.filter((_, i) => i % 2 === 1);
  const plain = topic.startsWith(topicPrefix) ? topic.slice(topicPrefix.length) : topic;
  return {
    id: formatEventId({ topic: plain, partition, offset, index }),
    timestamp: rfc3339(BigInt(event.millis) * 1_000_000n + BigInt(event.nanos)),
    received_at: new Date(header.received_at).toISOString(),
    level: levelName(event.level),
    severity_number: event.level,
    source: sourceName,
    source_id: header.source,
    service: event.service,
    host: event.host,
    message: event.message,
    trace_id: event.trace_id,
    span_id: event.span_id,
    attributes: attributesOf(event.attribute_types, keys, values),
  };
};
