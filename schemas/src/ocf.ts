/**
 * Wraps batches into one Avro object container file without touching a byte of them: the body of a Kafka record is a
 * datum of the file, because both are plain Avro under the same writer's schema. Each batch is a block of its own, so a
 * body that is too short or too long is refused at its own end and cannot shift the next.
 */
import { randomBytes } from "node:crypto";
import { AvroWriter } from "./avro-bytes.ts";
import { frameBytes } from "./event-batch.ts";

const magic = Buffer.from([0x4f, 0x62, 0x6a, 0x01]);
const sync = randomBytes(16);

/** The file's head for a writer's schema, given as JSON. */
export const ocfHead = (schema: string): Buffer => {
  const writer = new AvroWriter(schema.length + 128);
  writer.bytes(magic, 0, magic.length);
  writer.long(2);
  writer.string("avro.schema");
  writer.string(schema);
  writer.string("avro.codec");
  writer.string("null");
  writer.long(0);
  writer.bytes(sync, 0, sync.length);
  return writer.buffer.subarray(0, writer.at);
};

/** One file of framed records, all of one writer's schema. It lies in `writer`, which is begun anew. */
export const wrapOcf = (head: Buffer, values: readonly Buffer[], writer = new AvroWriter(0)): Buffer => {
  writer.at = 0;
  writer.reserve(values.reduce((sum, value) => sum + value.length + 32, head.length));
  writer.bytes(head, 0, head.length);
  for (const value of values) {
    writer.long(1);
    writer.long(value.length - frameBytes);
    writer.bytes(value, frameBytes, value.length);
    writer.bytes(sync, 0, sync.length);
  }
  return writer.buffer.subarray(0, writer.at);
};

/**
 * How ClickHouse reads the events of such a file, as ARRAY JOIN gives them, one for one: whoever stores them, table or
 * object, stores the same.
 */
export const eventsInSql = {
  column: `events Array(Tuple(timestamp Int64, level Int32, service String, host String, message String, trace_id String,
    span_id String, attribute_types String, attributes Map(String, String)))`,
  join: "ARRAY JOIN events AS e, arrayEnumerate(events) AS i",
  /** False for what stands in the place of an event that was dropped. */
  there: "e.timestamp != -1",
  level: "toUInt8(if(e.level BETWEEN 0 AND 24, e.level, 0))",
  /** Nanoseconds; an event without a time of its own has its batch's. `receivedAt` is the SQL of that, milliseconds. */
  instant: (receivedAt: string): string => `if(e.timestamp = 0, ${receivedAt} * 1000000, e.timestamp)`,
} as const;
