/**
 * The codec of the data path: EventBatch as bytes, without an object per event where none is needed.
 *
 * The events are the record's last field. So a header can be read and replaced while the events' bytes stay as they
 * are, and a record body can stand in an Avro object container file unchanged. tests hold this equal to avsc.
 */
import { AvroError, AvroReader, AvroWriter } from "./avro-bytes.ts";

/** An event on its way in or under redaction. Time is split so that no bigint is needed: millis × 10⁶ + nanos. */
export interface Event {
  /** Milliseconds since the epoch, integer; may be negative. */
  millis: number;
  /** Nanoseconds within the millisecond, 0 to 999,999. */
  nanos: number;
  level: number;
  service: string;
  host: string;
  message: string;
  trace_id: string;
  span_id: string;
  attribute_types: string;
  /** key, value, key, value … in the client's order. */
  attributes: string[];
}

export interface BatchHeader {
  tenant: string;
  source: string;
  /** Milliseconds since the epoch. */
  received_at: number;
  protocol: string;
  retention_days: number;
  dedup_id: string;
  accepted: number;
  raw_topic: string;
  raw_partition: number;
  raw_offset: number;
  dropped: Record<string, number>;
  redactions: Record<string, number>;
  ruleset: string;
}

export const emptyHeader: BatchHeader = {
  tenant: "",
  source: "",
  received_at: 0,
  protocol: "",
  retention_days: 0,
  dedup_id: "",
  accepted: 0,
  raw_topic: "",
  raw_partition: -1,
  raw_offset: -1,
  dropped: {},
  redactions: {},
  ruleset: "",
};

/**
 * What stands in the place of an event that was dropped on the way, so that the others keep their index: its timestamp
 * is -1 ns. Readers skip it.
 */
export const tombstone: Event = {
  millis: -1,
  nanos: 999_999,
  level: 0,
  service: "",
  host: "",
  message: "",
  trace_id: "",
  span_id: "",
  attribute_types: "",
  attributes: [],
};

/** Bytes of the Confluent frame before the Avro body: 0x00 and the schema id as int32. */
export const frameBytes = 5;

const writeEvent = (writer: AvroWriter, event: Event): void => {
  writer.nanoseconds(event.millis, event.nanos);
  writer.long(event.level);
  writer.string(event.service);
  writer.string(event.host);
  writer.string(event.message);
  writer.string(event.trace_id);
  writer.string(event.span_id);
  writer.string(event.attribute_types);
  const { attributes } = event;
  if (attributes.length > 0) {
    writer.long(attributes.length / 2);
    for (const text of attributes) writer.string(text);
  }
  writer.long(0);
};

const skipEvent = (reader: AvroReader): void => {
  reader.skipLong();
  reader.skipLong();
  for (let i = 0; i < 6; i++) reader.skipString();
  for (let count = reader.block(); count > 0; count = reader.block()) {
    for (let i = 0; i < count * 2; i++) reader.skipString();
  }
};

/** Decodes one event at `at`. Throws AvroError. */
export const readEvent = (buffer: Buffer, at: number): Event => readEventFrom(new AvroReader(buffer, at));

/** Decodes the event that the reader stands at, and moves behind it. Throws AvroError. */
export const readEventFrom = (reader: AvroReader): Event => {
  const event: Event = {
    millis: reader.nanoseconds(),
    nanos: reader.nanos,
    level: reader.long(),
    service: reader.string(),
    host: reader.string(),
    message: reader.string(),
    trace_id: reader.string(),
    span_id: reader.string(),
    attribute_types: reader.string(),
    attributes: [],
  };
  for (let count = reader.block(); count > 0; count = reader.block()) {
    for (let i = 0; i < count * 2; i++) event.attributes.push(reader.string());
  }
  return event;
};

const writeHeader = (writer: AvroWriter, header: BatchHeader): void => {
  writer.string(header.tenant);
  writer.string(header.source);
  writer.long(header.received_at);
  writer.string(header.protocol);
  writer.long(header.retention_days);
  writer.string(header.dedup_id);
  writer.long(header.accepted);
  writer.string(header.raw_topic);
  writer.long(header.raw_partition);
  writer.long(header.raw_offset);
  writeCounts(writer, header.dropped);
  writeCounts(writer, header.redactions);
  writer.string(header.ruleset);
};

const writeCounts = (writer: AvroWriter, counts: Record<string, number>): void => {
  const entries = Object.entries(counts);
  if (entries.length > 0) {
    writer.long(entries.length);
    for (const [name, count] of entries) {
      writer.string(name);
      writer.long(count);
    }
  }
  writer.long(0);
};

const readCounts = (reader: AvroReader): Record<string, number> => {
  const counts: Record<string, number> = Object.create(null);
  for (let count = reader.block(); count > 0; count = reader.block()) {
    for (let i = 0; i < count; i++) counts[reader.string()] = reader.long();
  }
  return counts;
};

/**
 * Reads all but the events of a framed EventBatch of this version's schema. `eventsAt` is where their array begins.
 * Throws AvroError.
 */
export const readBatchHeader = (value: Buffer): BatchHeader & { eventsAt: number } => {
  const reader = new AvroReader(value, frameBytes);
  return {
    tenant: reader.string(),
    source: reader.string(),
    received_at: reader.long(),
    protocol: reader.string(),
    retention_days: reader.long(),
    dedup_id: reader.string(),
    accepted: reader.long(),
    raw_topic: reader.string(),
    raw_partition: reader.long(),
    raw_offset: reader.long(),
    dropped: readCounts(reader),
    redactions: readCounts(reader),
    ruleset: reader.string(),
    eventsAt: reader.at,
  };
};

/**
 * Where each event of the array at `eventsAt` starts and ends, as [start, end) pairs, without decoding any.
 * Throws AvroError when the bytes are not exactly one array.
 */
export const eventSpans = (value: Buffer, eventsAt: number): number[] => {
  const reader = new AvroReader(value, eventsAt);
  const spans: number[] = [];
  for (let count = reader.block(); count > 0; count = reader.block()) {
    for (let i = 0; i < count; i++) {
      spans.push(reader.at);
      skipEvent(reader);
      spans.push(reader.at);
    }
  }
  if (reader.at !== value.length) throw new AvroError("bytes follow the last event", reader.at);
  return spans;
};

const frame = (writer: AvroWriter, schemaId: number): void => {
  writer.reserve(frameBytes);
  writer.buffer[writer.at] = 0;
  writer.buffer.writeInt32BE(schemaId, writer.at + 1);
  writer.at += frameBytes;
};

/** The same events under another header: one copy, no decoding. The value lies in `writer`, which is begun anew. */
export const replaceBatchHeader = (
  value: Buffer,
  eventsAt: number,
  schemaId: number,
  header: BatchHeader,
  writer = new AvroWriter(512 + value.length - eventsAt),
): Buffer => {
  writer.at = 0;
  frame(writer, schemaId);
  writeHeader(writer, header);
  writer.bytes(value, eventsAt, value.length);
  return writer.buffer.subarray(0, writer.at);
};

/**
 * The same with the events of some indexes replaced, the others undecoded. `spans` are as eventSpans() has them; what lies
 * together is copied together.
 */
export const replaceEvents = (
  value: Buffer,
  spans: readonly number[],
  replaced: ReadonlyMap<number, Event>,
  schemaId: number,
  header: BatchHeader,
  writer = new AvroWriter(512 + value.length),
): Buffer => {
  writer.at = 0;
  frame(writer, schemaId);
  writeHeader(writer, header);
  if (spans.length > 0) writer.long(spans.length / 2);
  let [start, end] = [0, 0];
  for (let i = 0; i < spans.length; i += 2) {
    const event = replaced.get(i / 2);
    const [from = 0, to = 0] = [spans[i], spans[i + 1]];
    if (event !== undefined || from !== end) {
      writer.bytes(value, start, end);
      start = from;
    }
    if (event !== undefined) {
      writeEvent(writer, event);
      start = to;
    }
    end = to;
  }
  writer.bytes(value, start, end);
  writer.long(0);
  return writer.buffer.subarray(0, writer.at);
};

/** Collects events into one reused buffer and makes framed batches of them. */
export class BatchEncoder {
  private readonly events = new AvroWriter(1 << 20);
  count = 0;

  /** Bytes of the events held. */
  get bytes(): number {
    return this.events.at;
  }

  append(event: Event): void {
    writeEvent(this.events, event);
    this.count++;
  }

  /** Appends an event that is already encoded. */
  appendEncoded(source: Buffer, start: number, end: number): void {
    this.events.bytes(source, start, end);
    this.count++;
  }

  /** The bytes of the events that were appended since `from`; good until the next is. */
  since(from: number): Buffer {
    return this.events.buffer.subarray(from, this.events.at);
  }

  /** Forgets the last event: `bytes` and `count` as they were before it. */
  truncate(bytes: number, count: number): void {
    this.events.at = bytes;
    this.count = count;
  }

  /**
   * Makes a value of its own (nothing is shared with this encoder) and starts anew. `writer` is where the value lies:
   * who gives one of its own may use it again when the value is needed no more.
   */
  finish(schemaId: number, header: BatchHeader, writer = new AvroWriter(512 + this.events.at)): Buffer {
    writer.at = 0;
    writer.reserve(512 + this.events.at);
    frame(writer, schemaId);
    writeHeader(writer, header);
    if (this.count > 0) {
      writer.long(this.count);
      writer.bytes(this.events.buffer, 0, this.events.at);
    }
    writer.long(0);
    this.events.at = 0;
    this.count = 0;
    return writer.buffer.subarray(0, writer.at);
  }
}
