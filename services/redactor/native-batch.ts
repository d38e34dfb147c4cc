/**
 * From one record of a native topic to the batch that events.raw would have had: tenant, source and retention are the
 * topic's, the time of receipt is the broker's, and nothing of that is read from the payload. Events that are not taken
 * leave a tombstone and are named as dead.
 */
import { BatchEncoder, type Event, emptyHeader, schemaIdOf, tombstone } from "@astralog/schemas";
import { maxEventBytes, maxFields, maxNameBytes, settle } from "@astralog/schemas/json/index";
import { knownWriter } from "./judge.ts";
import { eventsReader } from "./native-avro.ts";
import { opensLikeJson, readJson } from "./native-json.ts";
import type { DeadEvent } from "./redact.ts";
import { Poison, type Writer } from "./verdict.ts";

export interface Origin {
  tenant: string;
  source: string;
  retentionDays: number;
  /** Milliseconds since the epoch. */
  receivedAt: number;
  /** Of a record that came back from the dead letters; "" otherwise. */
  dedupId: string;
}

export interface NativeBatch {
  /** Framed, under this version's schema. */
  value: Buffer;
  dead: DeadEvent[];
}

export const headerOf = (origin: Origin, accepted: number) => ({
  ...emptyHeader,
  tenant: origin.tenant,
  source: origin.source,
  retention_days: origin.retentionDays,
  received_at: origin.receivedAt,
  protocol: origin.dedupId === "" ? "kafka" : "replay",
  dedup_id: origin.dedupId,
  accepted,
});

const encoder = new BatchEncoder();

/** Throws Poison or AvroError for a record that dies as a whole, and a retriable Fault while the registry is away. */
export const nativeBatch = async (
  value: Buffer | null,
  origin: Origin,
  schemaId: number,
  writerOf: (id: number) => Promise<Writer>,
): Promise<NativeBatch> => {
  if (value === null) throw new Poison("not_framed", "the record has no value");
  const id = schemaIdOf(value);
  if (id === undefined && !opensLikeJson(value))
    throw new Poison("not_framed", `${value.length} bytes that begin neither with the magic byte nor like JSON`);
  // Nothing below waits: the encoder is one for all.
  const read = id === undefined ? undefined : eventsReader(await knownWriter(writerOf, id), id);
  const dead: DeadEvent[] = [];
  const refuse = (detail: string, payload: Buffer): void => {
    dead.push({ index: encoder.count, reason: "limit_exceeded", detail, payload });
    encoder.append(tombstone);
  };
  encoder.truncate(0, 0);
  if (read === undefined)
    for (const { unfit, encoded, start, end } of readJson(value)) {
      if (unfit === undefined) encoder.appendEncoded(encoded, 0, encoded.length);
      else refuse(unfit.code, Buffer.from(value.subarray(start, end)));
    }
  else for (const event of read(value)) appendEvent(event, refuse);
  const header = headerOf(origin, encoder.count);
  if (dead.length > 0) header.dropped = { dead_letter: dead.length };
  return { value: encoder.finish(schemaId, header), dead };
};

const traceId = /^[0-9a-f]{32}$/i;
const spanId = /^[0-9a-f]{16}$/i;

/** Appends the event as POST /v1/events would have made it, or refuses it. */
const appendEvent = (event: Event, refuse: (detail: string, payload: Buffer) => void): void => {
  const { attributes, millis, nanos } = event;
  const verdict = settle(millis, nanos);
  const { bytes, count } = encoder;
  encoder.append({
    ...event,
    ...(verdict === "no_time" ? { millis: 0, nanos: 0 } : {}),
    level: event.level >= 0 && event.level <= 24 ? event.level : 0,
    trace_id: traceId.test(event.trace_id) ? event.trace_id.toLowerCase() : event.trace_id,
    span_id: spanId.test(event.span_id) ? event.span_id.toLowerCase() : event.span_id,
    attribute_types: /^[snb0j]*$/.test(event.attribute_types) ? event.attribute_types : "",
  });
  const detail =
    encoder.bytes - bytes > maxEventBytes
      ? "event_too_large"
      : attributes.length > maxFields * 2
        ? "too_many_fields"
        : attributes.some((name, i) => i % 2 === 0 && isLong(name))
          ? "name_too_long"
          : verdict === "out_of_range"
            ? "time_out_of_range"
            : undefined;
  if (detail === undefined) return;
  const payload = Buffer.from(encoder.since(bytes));
  encoder.truncate(bytes, count);
  refuse(detail, payload);
};

const isLong = (name: string): boolean => name.length * 3 > maxNameBytes && Buffer.byteLength(name) > maxNameBytes;
