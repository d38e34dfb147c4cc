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
