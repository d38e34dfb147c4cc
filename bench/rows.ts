/** The same events as rows of the `events` table, in three of ClickHouse's input formats, to know the bare cost of storing. */
import { AvroWriter } from "@astralog/schemas/avro-bytes";
import type { Event } from "@astralog/schemas/event-batch";

export const formats = ["RowBinary", "Avro", "JSONEachRow"] as const;
export type Format = (typeof formats)[number];

export const columns =
  "tenant, source, timestamp, received_at, expires_on, level, service, host, message, trace_id, span_id, attribute_types, attributes, topic, partition, offset, idx, inserted_at";

const benchTenant = "tn_bench";
const source = "src_bench";
const topic = "events.raw";
const partition = 3;
const dayOf = (millis: number): number => Math.floor(millis / 86_400_000);

/** Rows of one batch: all but the event. */
export interface Place {
  readonly receivedAt: number;
  readonly offset: number;
  /** Whose; one of the bench's own when left out. */
  readonly tenant?: string;
}

/** ClickHouse's own row format: little endian, strings and arrays with a LEB128 length. */
const rowBinary = (events: readonly Event[], { receivedAt, offset, tenant = benchTenant }: Place): Buffer => {
  let buffer = Buffer.allocUnsafe(1 << 20);
  let at = 0;
  const room = (bytes: number): void => {
    if (at + bytes <= buffer.length) return;
    buffer = Buffer.concat([buffer.subarray(0, at)], Math.max(buffer.length * 2, at + bytes));
  };
  const length = (n: number): void => {
    let rest = n;
    for (; rest > 127; rest >>>= 7) buffer[at++] = (rest & 127) | 128;
    buffer[at++] = rest;
  };
  const text = (value: string): void => {
    room(value.length * 3 + 5);
    const bytes = Buffer.byteLength(value);
    length(bytes);
    at += buffer.write(value, at);
  };
  events.forEach((event, idx) => {
    text(tenant);
    text(source);
    room(8 + 8 + 2 + 1);
    at = buffer.writeBigInt64LE(BigInt(event.millis) * 1_000_000n + BigInt(event.nanos), at);
    at = buffer.writeBigInt64LE(BigInt(receivedAt), at);
    at = buffer.writeUInt16LE(dayOf(receivedAt) + 30, at);
    at = buffer.writeUInt8(event.level, at);
    for (const value of [event.service, event.host, event.message, event.trace_id, event.span_id]) text(value);
    text(event.attribute_types);
    room(5);
    length(event.attributes.length / 2);
    for (const value of event.attributes) text(value);
    text(topic);
    room(2 + 8 + 4 + 4);
    at = buffer.writeUInt16LE(partition, at);
    at = buffer.writeBigInt64LE(BigInt(offset), at);
    at = buffer.writeUInt32LE(idx, at);
    at = buffer.writeUInt32LE(Math.floor(receivedAt / 1000), at);
  });
  return buffer.subarray(0, at);
};

const avroFields = [
  ...["tenant", "source"].map((name) => ({ name, type: "string" })),
  ...["timestamp", "received_at"].map((name) => ({ name, type: "long" })),
  ...["expires_on", "level"].map((name) => ({ name, type: "int" })),
  ...["service", "host", "message", "trace_id", "span_id", "attribute_types"].map((name) => ({ name, type: "string" })),
  { name: "attributes", type: { type: "map", values: "string" } },
  { name: "topic", type: "string" },
  { name: "partition", type: "int" },
  ...["offset", "idx", "inserted_at"].map((name) => ({ name, type: "long" })),
];
const avroSchema = JSON.stringify({ type: "record", name: "Row", fields: avroFields });
const sync = Buffer.alloc(16, 0xa5);

const avroHeader = (): Buffer => {
  const writer = new AvroWriter(4096);
  writer.bytes(Buffer.from("Obj\x01"), 0, 4);
  writer.long(2);
  for (const text of ["avro.codec", "null", "avro.schema", avroSchema]) writer.string(text);
  writer.long(0);
  writer.bytes(sync, 0, 16);
  return writer.buffer.subarray(0, writer.at);
};

const avroBlock = (events: readonly Event[], { receivedAt, offset }: Place): Buffer => {
  const rows = new AvroWriter(1 << 20);
  events.forEach((event, idx) => {
    rows.string(benchTenant);
    rows.string(source);
    rows.nanoseconds(event.millis, event.nanos);
    rows.long(receivedAt);
    rows.long(dayOf(receivedAt) + 30);
    rows.long(event.level);
    for (const value of [event.service, event.host, event.message, event.trace_id, event.span_id]) rows.string(value);
    rows.string(event.attribute_types);
    if (event.attributes.length > 0) {
      rows.long(event.attributes.length / 2);
      for (const value of event.attributes) rows.string(value);
    }
    rows.long(0);
    rows.string(topic);
    rows.long(partition);
    rows.long(offset);
    rows.long(idx);
    rows.long(Math.floor(receivedAt / 1000));
  });
  const block = new AvroWriter(rows.at + 64);
  block.long(events.length);
  block.long(rows.at);
  block.bytes(rows.buffer, 0, rows.at);
  block.bytes(sync, 0, 16);
  return block.buffer.subarray(0, block.at);
};

const jsonLines = (events: readonly Event[], { receivedAt, offset }: Place): Buffer =>
  Buffer.from(
    events
      .map((event, idx) => {
        const { millis, nanos: _, attributes, ...rest } = event;
        const map: Record<string, string> = {};
        for (let i = 0; i < attributes.length; i += 2) map[attributes[i] ?? ""] = attributes[i + 1] ?? "";
        return `${JSON.stringify({
          tenant: benchTenant,
          source,
          timestamp: (millis / 1000).toFixed(3),
          received_at: (receivedAt / 1000).toFixed(3),
          expires_on: dayOf(receivedAt) + 30,
          ...rest,
          attributes: map,
          topic,
          partition,
          offset,
          idx,
          inserted_at: Math.floor(receivedAt / 1000),
        })}\n`;
      })
      .join(""),
  );

/** What comes before the first batch of an INSERT. */
export const opening = (format: Format): Buffer[] => (format === "Avro" ? [avroHeader()] : []);

export const encode = (format: Format, events: readonly Event[], place: Place): Buffer =>
  format === "Avro" ? avroBlock(events, place) : (format === "RowBinary" ? rowBinary : jsonLines)(events, place);
