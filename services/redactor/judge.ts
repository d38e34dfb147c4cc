/**
 * The verdict on one raw record: the one batch that stands for it on events.clean, and what died on the way. Every raw
 * record has exactly one, so the ledger of raw offsets has no gaps. What cannot be read, or fails in any other way, dies
 * as a whole and leaves an empty batch behind.
 */
import { Fault, type InRecord } from "@astralog/chassis";
import {
  type BatchHeader,
  decodeRecord,
  emptyHeader,
  encodeRecord,
  readBatchHeader,
  schemaIdOf,
  topics,
} from "@astralog/schemas";
import { type Coordinates, redactBatch } from "./redact.ts";
import { died, Poison, passed, type Verdict, type Writer } from "./verdict.ts";

export interface JudgeOptions {
  /** The id that clean batches are written under, which raw ones of this version carry too. */
  schemaId: number;
  /** The schema that an id stands for. Faults as the chassis' registry has them. */
  writerOf(id: number): Promise<Writer>;
  /** Most bytes of a clean record. */
  maxBytes?: number;
}

const current = "dev.astralog.v1.EventBatch";
// Kafka counts the record's and the batch's own framing, too.
const framing = 8192;
export const mostCleanBytes = topics.clean.maxMessageBytes - framing;

/** Judges one raw record that lies there. Rejects as each kind of judge says. */
export type Judge = (record: Pick<InRecord, "value" | "timestamp">, at: Coordinates) => Promise<Verdict>;

/**
 * For events.raw. Rejects only with a retriable Fault: the registry is away, and the record must be judged again later.
 */
export const createJudge = ({ schemaId, writerOf, maxBytes = mostCleanBytes }: JudgeOptions): Judge => {
  /** The batch in this version's schema. */
  const readable = async (value: Buffer, id: number): Promise<Buffer> => {
    if (id === schemaId) return value;
    const writer = await knownWriter(writerOf, id);
    if (writer.name !== current)
      throw new Poison("wrong_schema", `schema id ${id} is of ${writer.name ?? "no record"}`);
    const body = decoded(value, id, writer);
    return encodeRecord("EventBatch", schemaId, body);
  };

  return async ({ value }, at) => {
    let header: BatchHeader | undefined;
    let foreign = false;
    try {
      if (value === null) throw new Poison("not_framed", "the record has no value");
      const id = schemaIdOf(value);
      if (id === undefined) throw new Poison("not_framed", `${value.length} bytes without the magic byte`);
      foreign = id !== schemaId;
      const batch = await readable(value, id);
      header = sensibleHeader(batch);
      return passed(redactBatch(batch, at, schemaId), maxBytes, foreign);
    } catch (error) {
      if (error instanceof Fault && error.retriable) throw error;
      return died(value, at, schemaId, header ?? emptyHeader, error, foreign);
    }
  };
};

/** Throws Poison when there is no such schema, and what is retriable as it is. */
export const knownWriter = async (writerOf: JudgeOptions["writerOf"], id: number): Promise<Writer> => {
  try {
    return await writerOf(id);
  } catch (error) {
    if (!(error instanceof Fault) || error.retriable) throw error;
    throw new Poison(error.code === "schema_unknown" ? "unknown_schema" : "wrong_schema", `schema id ${id}`);
  }
};

const decoded = (value: Buffer, id: number, writer: Writer) => {
  try {
    return decodeRecord("EventBatch", value, writer);
  } catch (error) {
    // avsc refuses a pair of schemas that do not resolve and bytes that do not fit in the same way.
    throw new Poison("undecodable", `under schema id ${id}: ${error instanceof Error ? error.name : "unknown"}`);
  }
};

const mostEvents = 1_000_000;
const name = /^[\w.-]{1,64}$/;

/** The header if its beginning can be read and says nothing absurd; the bytes after it may still be wrong. */
const sensibleHeader = (batch: Buffer): BatchHeader | undefined => {
  try {
    const { eventsAt, ...header } = readBatchHeader(batch);
    const known = header.accepted >= 0 && header.accepted <= mostEvents && name.test(header.tenant);
    // What a dead record says of its protocol is not believed either.
    return known ? { ...header, source: name.test(header.source) ? header.source : "", protocol: "" } : undefined;
  } catch {
    return undefined;
  }
};
