/**
 * Batch in, clean batch out. Pure: the same bytes and the same rules give the same result. An event nobody suspects is
 * copied as it is, undecoded. An event that cannot be redacted is not passed on: a tombstone takes its place, so that
 * the others keep their index, and its bytes go to the dead letters.
 */
import {
  type AvroWriter,
  type BatchHeader,
  type DeadLetterReason,
  eventSpans,
  readBatchHeader,
  readEvent,
  replaceBatchHeader,
  replaceEvents,
  tombstone,
  WriterPool,
} from "@astralog/schemas";
import { redactEvent } from "./redact-event.ts";
import { ruleset } from "./ruleset.ts";
import { suspects } from "./scan.ts";
import { withinTime } from "./time-budget.ts";

/** Where a raw record lies. */
export interface Coordinates {
  topic: string;
  partition: number;
  offset: number;
}

export interface DeadEvent {
  index: number;
  reason: DeadLetterReason;
  /** Says what failed, never what it failed on. */
  detail: string;
  /** The event as it was encoded. */
  payload: Buffer;
}

export interface Redacted {
  /** Framed for events.clean. */
  value: Buffer;
  /** What it lies in, for recycle(). */
  room: AvroWriter;
  header: BatchHeader;
  dead: DeadEvent[];
  events: number;
  /** Events that had to be decoded. */
  suspects: number;
}

/** The batch says another number of events than it holds. */
export class CountMismatch extends Error {
  override readonly name = "CountMismatch";
}

// An ordinary suspect takes tens of microseconds; together these stay well below the group's session timeout.
const eventMs = 2_000;
const recordMs = 4_000;

// Two groups of each partition that is worked on at once. A native record is small, and there are hundreds in a group:
// they would hold the large rooms, and leave small ones that grow again and again under what is large.
const rooms = new WriterPool(48, 2 ** 21, 2 ** 15);

/** Takes back what the values lie in, once Kafka has confirmed them. */
export const recycle = (used: readonly AvroWriter[]): void => {
  for (const room of used) rooms.give(room);
};

/**
 * Redacts one framed EventBatch of this version's schema. Throws AvroError when the bytes are not one, CountMismatch
 * when its count is wrong; whatever else happens concerns single events and is in the result.
 */
export const redactBatch = (value: Buffer, at: Coordinates, schemaId: number): Redacted => {
  const { eventsAt, ...given } = readBatchHeader(value);
  const spans = eventSpans(value, eventsAt);
  const events = spans.length / 2;
  if (given.accepted !== events) throw new CountMismatch(`accepted ${given.accepted}, but ${events} events follow`);
  const counts = new Map<string, number>();
  const header: BatchHeader = {
    ...given,
    raw_topic: at.topic,
    raw_partition: at.partition,
    raw_offset: at.offset,
    redactions: {},
    ruleset,
  };
  const suspected = suspects(value, spans);
  const { changed, dead } = redactSuspects(value, spans, suspected, counts);
  const { dead_letter: before = 0 } = header.dropped;
  if (dead.length > 0) header.dropped = { ...header.dropped, dead_letter: before + dead.length };
  header.redactions = Object.fromEntries(counts);
  const room = rooms.take(1024 + value.length);
  return {
    value:
      changed.size === 0
        ? replaceBatchHeader(value, eventsAt, schemaId, header, room)
        : replaceEvents(value, spans, changed, schemaId, header, room),
    room,
    header,
    dead,
    events,
    suspects: suspected.length,
  };
};

type Changed = Map<number, ReturnType<typeof readEvent>>;

const redactSuspects = (
  value: Buffer,
  spans: readonly number[],
  suspected: readonly number[],
  counts: Map<string, number>,
) => {
  const changed: Changed = new Map();
  const dead: DeadEvent[] = [];
  const recordEnds = performance.now() + recordMs;
  for (const index of suspected) {
    const [start = 0, end = 0] = [spans[index * 2], spans[index * 2 + 1]];
    const found = new Map<string, number>();
    try {
      const event = readEvent(value, start);
      const left = Math.min(eventMs, recordEnds - performance.now());
      const redacted = withinTime(left, () => redactEvent(event, found));
      if (redacted !== event) changed.set(index, redacted);
      for (const [name, count] of found) counts.set(name, (counts.get(name) ?? 0) + count);
    } catch (error) {
      changed.set(index, tombstone);
      const detail = error instanceof Error ? error.name : "unknown";
      dead.push({ index, reason: "redaction_failed", detail, payload: Buffer.from(value.subarray(start, end)) });
    }
  }
  return { changed, dead };
};
