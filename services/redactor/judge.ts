/**
 * The verdict on one raw record: the one batch that stands for it on events.clean, and what died on the way. Every raw
 * record has exactly one, so the ledger of raw offsets has no gaps. What cannot be read, or fails in any other way, dies
 * as a whole and leaves an empty batch behind.
 */
import { Fault } from "@astralog/chassis";
import {
  AvroError,
  type AvroWriter,
  BatchEncoder,
  type BatchHeader,
  type DeadLetterReason,
  decodeRecord,
  emptyHeader,
  encodeRecord,
  type parseAvro,
  readBatchHeader,
  schemaIdOf,
  topics,
} from "@astralog/schemas";
import type { Death } from "./dead-letter.ts";
import { type Coordinates, CountMismatch, redactBatch } from "./redact.ts";
import { ruleset } from "./ruleset.ts";

/** A writer's schema. */
type Writer = ReturnType<typeof parseAvro>;

export interface Verdict {
  /** Value for events.clean. */
  value: Buffer;
  /** What it lies in, to be given back once it is sent. */
  room?: AvroWriter;
  redactions: Record<string, number>;
  deaths: Death[];
  events: number;
  suspects: number;
  /** Written under another version's schema. */
  foreign: boolean;
}

export interface JudgeOptions {
  /** The id that clean batches are written under, which raw ones of this version carry too. */
  schemaId: number;
  /** The schema that an id stands for. Faults as the chassis' registry has them. */
  writerOf(id: number): Promise<Writer>;
  /** Most bytes of a clean record. */
  maxBytes?: number;
}

/** A reason to give up a whole record. */
class Poison extends Error {
  readonly reason: DeadLetterReason;
  constructor(reason: DeadLetterReason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

const current = "dev.astralog.v1.EventBatch";
// Kafka counts the record's and the batch's own framing, too.
const framing = 8192;

/**
 * Rejects only with a retriable Fault: the registry is away, and the record must be judged again later.
 */
export const createJudge = ({
  schemaId,
  writerOf,
  maxBytes = topics.clean.maxMessageBytes - framing,
}: JudgeOptions) => {
  /** The batch in this version's schema. */
  const readable = async (value: Buffer, id: number): Promise<Buffer> => {
    if (id === schemaId) return value;
    let writer: Writer;
    try {
      writer = await writerOf(id);
    } catch (error) {
      if (!(error instanceof Fault) || error.retriable) throw error;
      throw new Poison(error.code === "schema_unknown" ? "unknown_schema" : "wrong_schema", `schema id ${id}`);
    }
    if (writer.name !== current)
      throw new Poison("wrong_schema", `schema id ${id} is of ${writer.name ?? "no record"}`);
    const body = decoded(value, id, writer);
    return encodeRecord("EventBatch", schemaId, body);
  };

  return async (value: Buffer | null, at: Coordinates): Promise<Verdict> => {
    let header: BatchHeader | undefined;
    let foreign = false;
    try {
      if (value === null) throw new Poison("not_framed", "the record has no value");
      const id = schemaIdOf(value);
      if (id === undefined) throw new Poison("not_framed", `${value.length} bytes without the magic byte`);
      foreign = id !== schemaId;
      const batch = await readable(value, id);
      header = sensibleHeader(batch);
      const redacted = redactBatch(batch, at, schemaId);
      if (redacted.value.length > maxBytes)
        throw new Poison("too_large", `${redacted.value.length} bytes, ${maxBytes} allowed`);
      const { tenant, source } = redacted.header;
      return {
        value: redacted.value,
        room: redacted.room,
        redactions: redacted.header.redactions,
        deaths: redacted.dead.map((dead) => ({ tenant, source, ...dead })),
        events: redacted.events,
        suspects: redacted.suspects,
        foreign,
      };
    } catch (error) {
      if (error instanceof Fault && error.retriable) throw error;
      const { reason, detail } = causeOf(error);
      return { ...empty(value, at, schemaId, header, reason, detail), foreign };
    }
  };
};

const decoded = (value: Buffer, id: number, writer: Writer) => {
  try {
    return decodeRecord("EventBatch", value, writer);
  } catch (error) {
    // avsc refuses a pair of schemas that do not resolve and bytes that do not fit in the same way.
    throw new Poison("undecodable", `under schema id ${id}: ${error instanceof Error ? error.name : "unknown"}`);
  }
};

const causeOf = (error: unknown): { reason: DeadLetterReason; detail: string } => {
  if (error instanceof Poison) return { reason: error.reason, detail: error.message };
  if (error instanceof AvroError) return { reason: "undecodable", detail: `${error.message} at byte ${error.at}` };
  if (error instanceof CountMismatch) return { reason: "count_mismatch", detail: error.message };
  // Another error's message may quote what it failed on.
  return { reason: "redaction_failed", detail: error instanceof Error ? error.name : "unknown" };
};

const mostEvents = 1_000_000;

/** The header if its beginning can be read and says nothing absurd; the bytes after it may still be wrong. */
const sensibleHeader = (batch: Buffer): BatchHeader | undefined => {
  try {
    const { eventsAt, ...header } = readBatchHeader(batch);
    const known = header.accepted >= 0 && header.accepted <= mostEvents && /^[\w.-]{1,64}$/.test(header.tenant);
    return known ? header : undefined;
  } catch {
    return undefined;
  }
};

const empty = (
  value: Buffer | null,
  at: Coordinates,
  schemaId: number,
  header: BatchHeader | undefined,
  reason: DeadLetterReason,
  detail: string,
): Omit<Verdict, "foreign"> => {
  const { tenant, source, received_at, accepted } = header ?? emptyHeader;
  const safeSource = /^[\w.-]{1,64}$/.test(source) ? source : "";
  const stub: BatchHeader = {
    ...emptyHeader,
    tenant,
    source: safeSource,
    received_at,
    accepted,
    dropped: accepted > 0 ? { dead_letter: accepted } : {},
    raw_topic: at.topic,
    raw_partition: at.partition,
    raw_offset: at.offset,
    ruleset,
  };
  return {
    value: new BatchEncoder().finish(schemaId, stub),
    redactions: {},
    deaths: [{ tenant, source: safeSource, index: -1, reason, detail, payload: value ?? Buffer.alloc(0) }],
    events: accepted,
    suspects: 0,
  };
};
