/**
 * Collects a request's events into parts, each the value of one Kafka record. Where it cuts depends on the events
 * alone, so the same body sent again makes the same parts and the same dedup ids.
 */
import { hash } from "node:crypto";
import { type AvroWriter, BatchEncoder, type Event, emptyHeader, WriterPool } from "@astralog/schemas";
import { maxEventBytes, maxFields, maxNameBytes } from "@astralog/schemas/json/index";
import { maxRejected, recordBytes, recordEvents } from "./limits.ts";
import { randomId } from "./random-id.ts";
import { Refusal } from "./refusals.ts";

/** An event that was not taken. */
export interface Rejection {
  /** Its place among the request's events, from 0. */
  readonly index: number;
  readonly code: string;
  /** The member that is at fault, when it is one. */
  readonly field?: string;
  readonly message: string;
}

export interface EventSink {
  /** Takes an event that is already Avro: bytes start to end. */
  encoded(buffer: Buffer, start: number, end: number): void;
  /** Takes an event after checking it against the limits. */
  event(event: Event): void;
  /** Names an event that is not taken. Throws a Refusal when there are too many. */
  reject(code: string, message: string, field?: string): void;
  /** Makes repeats of this request recognisable by `key`, unless the client gave a key of its own. Before the first event. */
  dedupBy(key: string): void;
}

export interface Part {
  readonly value: Buffer;
  readonly count: number;
  /** Of the events alone. */
  readonly eventBytes: number;
  /** What `value` lies in. */
  readonly room: AvroWriter;
}

const rooms = new WriterPool(24, 2 * recordBytes);

/** Takes back what the parts lie in. Only when nobody can still read them: Kafka has confirmed each. */
export const recycle = (parts: readonly Part[]): void => {
  for (const { room } of parts) rooms.give(room);
};

export interface Origin {
  readonly tenant: string;
  readonly source: string;
  readonly protocol: string;
  readonly retentionDays: number;
  readonly schemaId: number;
  /** The client's Idempotency-Key; "" when it gave none. */
  readonly idempotencyKey: string;
}

const idle: BatchEncoder[] = [];
const maxIdle = 4;

export class EventParts implements EventSink {
  readonly parts: Part[] = [];
  readonly rejected: Rejection[] = [];
  accepted = 0;
  /** What repeats of this request are recognised by; "" when nothing is. */
  dedupKey: string;
  private readonly origin: Origin;
  private readonly receivedAt = Date.now();
  private readonly encoder: BatchEncoder;

  constructor(origin: Origin) {
    this.origin = origin;
    this.dedupKey = origin.idempotencyKey === "" ? "" : `key:${origin.idempotencyKey}`;
    this.encoder = idle.pop() ?? new BatchEncoder();
  }

  dedupBy(key: string): void {
    if (this.dedupKey === "") this.dedupKey = key;
  }

  encoded(buffer: Buffer, start: number, end: number): void {
    const { encoder } = this;
    if (encoder.count >= recordEvents || (encoder.count > 0 && encoder.bytes + end - start > recordBytes)) this.cut();
    encoder.appendEncoded(buffer, start, end);
    this.accepted++;
  }

  event(event: Event): void {
    const { attributes } = event;
    if (attributes.length > maxFields * 2)
      return this.reject("too_many_fields", `The event has more than ${maxFields} attributes.`);
    for (let i = 0; i < attributes.length; i += 2) {
      const name = attributes[i] ?? "";
      if (name.length * 3 > maxNameBytes && Buffer.byteLength(name) > maxNameBytes)
        return this.reject("name_too_long", `An attribute's name is longer than ${maxNameBytes} bytes.`);
    }
    const { encoder } = this;
    if (encoder.count >= recordEvents) this.cut();
    const { bytes, count } = encoder;
    encoder.append(event);
    const size = encoder.bytes - bytes;
    if (size > maxEventBytes) {
      encoder.truncate(bytes, count);
      return this.reject("event_too_large", `The event takes ${size} bytes; at most ${maxEventBytes} are taken.`);
    }
    this.accepted++;
    if (encoder.bytes >= recordBytes) this.cut();
  }

  reject(code: string, message: string, field?: string): void {
    const { rejected } = this;
    if (rejected.length >= maxRejected)
      throw new Refusal(
        "too_many_rejected",
        `More than ${maxRejected} events of this body cannot be taken, so nothing of it was. The first: ${rejected[0]?.message}`,
      );
    const index = this.accepted + rejected.length;
    rejected.push(field === undefined ? { index, code, message } : { index, code, field, message });
  }

  /** Ends the last part. */
  finish(): void {
    if (this.encoder.count > 0) this.cut();
  }

  /** Gives the buffers back. Nothing else may be called after it. */
  release(): void {
    this.encoder.truncate(0, 0);
    if (idle.length < maxIdle) idle.push(this.encoder);
  }

  private cut(): void {
    const { origin, encoder, parts } = this;
    const { count, bytes } = encoder;
    const room = rooms.take(512 + bytes);
    const header = {
      ...emptyHeader,
      tenant: origin.tenant,
      source: origin.source,
      received_at: this.receivedAt,
      protocol: origin.protocol,
      retention_days: origin.retentionDays,
      dedup_id: this.dedupId(parts.length),
      accepted: count,
    };
    parts.push({ value: encoder.finish(origin.schemaId, header, room), count, eventBytes: bytes, room });
  }

  private dedupId(part: number): string {
    // Without a key the id still tells a record from its own repeat, which a producer's second try may leave.
    if (this.dedupKey === "") return randomId(16);
    const { tenant, source } = this.origin;
    return hash("sha256", JSON.stringify([tenant, source, this.dedupKey, part]), "base64url").slice(0, 24);
  }
}
