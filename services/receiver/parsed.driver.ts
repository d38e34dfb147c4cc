/** For tests: what a protocol makes of a body, read back. */
import { decodeRecord, eventSpans, readBatchHeader, readEvent } from "@astralog/schemas";
import { EventParts, type Rejection } from "./event-parts.ts";
import type { Head, Protocol, Result } from "./protocol.ts";

export interface ParsedEvent {
  readonly timestamp: bigint;
  readonly level: number;
  readonly service: string;
  readonly host: string;
  readonly message: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly attribute_types: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Parsed {
  readonly events: readonly ParsedEvent[];
  readonly rejected: readonly Rejection[];
  readonly parts: EventParts;
  readonly result: Result;
}

export const headOf = (contentType: string, query = ""): Head => ({
  path: "/",
  query: new URLSearchParams(query),
  headers: contentType === "" ? {} : { "content-type": contentType },
  contentType: contentType.split(";", 1)[0] ?? "",
  requestId: "test",
});

/** Rejects with the protocol's Refusal. */
export const parseWith = async (
  protocol: Protocol,
  body: string | Buffer,
  { contentType = "application/json", query = "", idempotencyKey = "" } = {},
): Promise<Parsed> => {
  const head = headOf(contentType, query);
  protocol.check(head);
  const parts = new EventParts({
    tenant: "tn_1",
    source: "src_1",
    protocol: protocol.name,
    retentionDays: 30,
    schemaId: 7,
    idempotencyKey,
  });
  try {
    await protocol.parse(Buffer.from(body as string), head, parts);
    parts.finish();
  } finally {
    parts.release();
  }
  const events = parts.parts.flatMap(({ value, count }) => {
    // The reference codec must agree that this is a batch of so many.
    if (decodeRecord("EventBatch", value).events.length !== count) throw new Error("the part is not what it says");
    return decode(value);
  });
  const { accepted, rejected } = parts;
  return { events, rejected, parts, result: { accepted, rejected, receipt: "0-0x1" } };
};

const decode = (value: Buffer): ParsedEvent[] => {
  const spans = eventSpans(value, readBatchHeader(value).eventsAt);
  return spans
    .filter((_, i) => i % 2 === 0)
    .map((start) => {
      const { millis, nanos, attributes, ...rest } = readEvent(value, start);
      const pairs = attributes.flatMap((name, i) => (i % 2 === 0 ? [[name, attributes[i + 1] ?? ""] as const] : []));
      return { ...rest, timestamp: BigInt(millis) * 1_000_000n + BigInt(nanos), attributes: Object.fromEntries(pairs) };
    });
};
