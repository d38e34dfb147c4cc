/**
 * One record of events.clean as what stores events sees it: the header as values, the events as bytes nobody decodes. A header is
 * read by hand when the writer's schema is this version's, and through avsc when it is another's.
 */

import {
  AvroError,
  type BatchHeader,
  type DeadLetterReason,
  decodeRecord,
  encodeRecord,
  readBatchHeader,
  schemaIdOf,
  types,
} from "@astralog/schemas";
import type { Type } from "avsc";
import { Fault } from "./fault.ts";
import type { InRecord } from "./kafka-consumer.ts";
import type { Registry } from "./registry.ts";

export interface CleanBatch extends BatchHeader {
  kind: "batch";
  cleanTopic: string;
  cleanPartition: number;
  cleanOffset: number;
  schemaId: number;
  /** Of the events, encoded and not compressed. */
  eventBytes: number;
  /** The framed record. */
  value: Buffer;
}

/** A record of events.clean that is no batch. Its raw coordinates are unknown, so the ledger cannot have it. */
export interface Unreadable {
  kind: "unreadable";
  cleanTopic: string;
  cleanPartition: number;
  cleanOffset: number;
  reason: DeadLetterReason;
  value: Buffer;
}

/** Events that should be in the batch beside its tombstones. */
export const expectedEvents = (batch: BatchHeader): number =>
  Object.values(batch.dropped).reduce((rest, count) => rest - count, batch.accepted);

const topicForm = /^[\w.-]{1,249}$/;

/** How the headers of a schema id are read. Throws AvroError. */
type ReadHeader = (value: Buffer) => BatchHeader & { eventBytes: number };

const readCurrent: ReadHeader = (value) => {
  const { eventsAt, ...header } = readBatchHeader(value);
  return { ...header, eventBytes: value.length - eventsAt };
};

const readAs = async (registry: Registry, id: number): Promise<ReadHeader> => {
  const writer = await registry.writerOf(id);
  if (writer.fingerprint().equals(types.EventBatch.fingerprint())) return readCurrent;
  try {
    types.EventBatch.createResolver(writer);
  } catch (error) {
    throw new Fault("schema_not_avro", `Schema id ${id} is not an EventBatch.`, { cause: error });
  }
  return (value) => {
    try {
      // Written anew in this version's form, so that a byte counts the same whoever wrote it.
      return readCurrent(encodeRecord("EventBatch", id, decodeRecord("EventBatch", value, writer)));
    } catch {
      throw new AvroError("the record is not what its schema says", 0);
    }
  };
};

/** Whether every byte of the batch is what its schema says, found by decoding all of it: slow, for doubtful cases. */
export const isSound = (batch: CleanBatch, writer: Type): boolean => {
  try {
    decodeRecord("EventBatch", batch.value, writer);
    return true;
  } catch {
    return false;
  }
};

/** Faults with `retriable` (the registry does not answer) are the caller's; all else about a record is in the answer. */
export const createBatchReader = (registry: Registry) => {
  const readers = new Map<number, ReadHeader>();
  return async (cleanTopic: string, cleanPartition: number, record: InRecord): Promise<CleanBatch | Unreadable> => {
    const value = record.value ?? Buffer.alloc(0);
    const at = { cleanTopic, cleanPartition, cleanOffset: record.offset, value };
    const unreadable = (reason: DeadLetterReason): Unreadable => ({ kind: "unreadable", reason, ...at });
    const schemaId = schemaIdOf(value);
    if (schemaId === undefined) return unreadable("not_framed");
    let read = readers.get(schemaId);
    if (read === undefined) {
      try {
        read = await readAs(registry, schemaId);
      } catch (error) {
        if (!(error instanceof Fault) || error.retriable) throw error;
        return unreadable(error.code === "schema_unknown" ? "unknown_schema" : "wrong_schema");
      }
      readers.set(schemaId, read);
    }
    try {
      const header = read(value);
      if (!topicForm.test(header.raw_topic) || header.raw_partition < 0 || header.raw_offset < 0)
        return unreadable("undecodable");
      return { kind: "batch", schemaId, ...at, ...header };
    } catch (error) {
      if (error instanceof AvroError) return unreadable("undecodable");
      throw error;
    }
  };
};
