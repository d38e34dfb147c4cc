/** What becomes of one raw record: the clean batch that stands for it, and what died. */
import {
  AvroError,
  type AvroWriter,
  BatchEncoder,
  type BatchHeader,
  type DeadLetterReason,
  emptyHeader,
  type parseAvro,
} from "@astralog/schemas";
import type { Death } from "./dead-letter.ts";
import { type Coordinates, CountMismatch, type Redacted } from "./redact.ts";
import { ruleset } from "./ruleset.ts";

/** A writer's schema. */
export type Writer = ReturnType<typeof parseAvro>;

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

/** A reason to give up a whole record. */
export class Poison extends Error {
  readonly reason: DeadLetterReason;
  constructor(reason: DeadLetterReason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

const causeOf = (error: unknown): { reason: DeadLetterReason; detail: string } => {
  if (error instanceof Poison) return { reason: error.reason, detail: error.message };
  if (error instanceof AvroError) return { reason: "undecodable", detail: `${error.message} at byte ${error.at}` };
  if (error instanceof CountMismatch) return { reason: "count_mismatch", detail: error.message };
  // Another error's message may quote what it failed on.
  return { reason: "redaction_failed", detail: error instanceof Error ? error.name : "unknown" };
};

/** Throws Poison when the clean batch is larger than its topic takes. */
export const passed = (redacted: Redacted, maxBytes: number, foreign: boolean): Verdict => {
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
};

/** The record as a whole dies; an empty batch under what is known of its header stands for it. */
export const died = (
  value: Buffer | null,
  at: Coordinates,
  schemaId: number,
  header: BatchHeader,
  error: unknown,
  foreign: boolean,
): Verdict => {
  const { tenant, source, accepted } = header;
  const { reason, detail } = causeOf(error);
  const stub: BatchHeader = {
    ...emptyHeader,
    tenant,
    source,
    received_at: header.received_at,
    protocol: header.protocol,
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
    deaths: [{ tenant, source, index: -1, reason, detail, payload: value ?? Buffer.alloc(0) }],
    events: accepted,
    suspects: 0,
    foreign,
  };
};
