import {
  BatchEncoder,
  type BatchHeader,
  type Event,
  emptyHeader,
  eventSpans,
  readBatchHeader,
  readEvent,
  types,
} from "@astralog/schemas";
import { expect, test } from "@jest/globals";
import { CountMismatch, redactBatch } from "./redact.ts";
import { redactText } from "./redact-text.ts";
import { ruleset } from "./ruleset.ts";
import { OutOfTime, withinTime } from "./time-budget.ts";

const at = { topic: "events.raw", partition: 3, offset: 41 };
const plain: Event = {
  millis: 1_750_000_000_123,
  nanos: 456,
  level: 9,
  service: "checkout",
  host: "node-3",
  message: "order 81734 shipped",
  trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
  span_id: "00f067aa0ba902b7",
  attribute_types: "sn",
  attributes: ["method", "GET", "ms", "12"],
};
const encode = (events: readonly Event[], more: Partial<BatchHeader> = {}): Buffer => {
  const encoder = new BatchEncoder();
  for (const event of events) encoder.append(event);
  return encoder.finish(5, {
    ...emptyHeader,
    tenant: "tn_a",
    source: "src_a",
    received_at: 1_750_000_000_000,
    accepted: events.length,
    ...more,
  });
};
const decode = (value: Buffer): { header: BatchHeader; events: Event[]; bytes: Buffer[] } => {
  const { eventsAt, ...header } = readBatchHeader(value);
  const spans = eventSpans(value, eventsAt);
  const starts = spans.filter((_, i) => i % 2 === 0);
  return {
    header,
    events: starts.map((start) => readEvent(value, start)),
    bytes: starts.map((start, i) => value.subarray(start, spans[i * 2 + 1])),
  };
};
const password = "mango-River9";

test("a clean batch keeps its events' bytes and gets its coordinates", () => {
  const given = encode([plain, plain]);
  const { value, dead, suspects } = redactBatch(given, at, 9);
  const { header, bytes } = decode(value);
  expect(value.readInt32BE(1)).toBe(9);
  expect(bytes).toEqual(decode(given).bytes);
  expect(header).toMatchObject({
    tenant: "tn_a",
    accepted: 2,
    raw_topic: "events.raw",
    raw_partition: 3,
    raw_offset: 41,
    redactions: {},
    ruleset,
  });
  expect([dead, suspects]).toEqual([[], 0]);
});

test("every field of text is redacted, and the neighbours are copied as they are", () => {
  const secret = `password=${password}`;
  const dirty: Event = {
    ...plain,
    service: secret,
    host: secret,
    message: secret,
    trace_id: secret,
    span_id: "4539148803436467",
    attribute_types: "ssnj",
    attributes: ["note", secret, secret, "x", "user.pin", "7302", "list", `[{"apiKey":"${password}"}]`],
  };
  const given = encode([plain, dirty, plain]);
  const { value, suspects } = redactBatch(given, at, 5);
  const { header, events, bytes } = decode(value);
  expect(value.includes(password)).toBe(false);
  expect(events[1]).toMatchObject({
    millis: plain.millis,
    nanos: plain.nanos,
    service: "password=[redacted:password]",
    span_id: "[redacted:payment_card]",
    attribute_types: "sssj",
    attributes: [
      "note",
      "password=[redacted:password]",
      "password=[redacted:password]",
      "x",
      "user.pin",
      "[redacted:card_data]",
      "list",
      '[{"apiKey":"[redacted:secret]"}]',
    ],
  });
  expect([bytes[0], bytes[2]]).toEqual([decode(given).bytes[0], decode(given).bytes[2]]);
  expect(header.redactions).toEqual({ password: 6, payment_card: 1, card_data: 1, secret: 1 });
  expect(suspects).toBe(1);
  expect(types.EventBatch.isValid(types.EventBatch.fromBuffer(value.subarray(5)))).toBe(true);
});

test("redacting a clean batch again changes nothing", () => {
  const first = redactBatch(encode([plain, { ...plain, message: `{"password":"${password}"}` }]), at, 5);
  const second = redactBatch(first.value, at, 5);
  expect(decode(second.value).bytes).toEqual(decode(first.value).bytes);
  expect(second.header.redactions).toEqual({});
});

test("what cannot be redacted leaves a tombstone, and the others keep their index", () => {
  const hopeless = { ...plain, message: `${"[".repeat(70)}"password"${"]".repeat(70)}` };
  const given = encode([plain, hopeless, plain]);
  const { value, dead, header } = redactBatch(given, at, 5);
  const { events } = decode(value);
  expect(events[1]).toMatchObject({ millis: -1, nanos: 999_999, message: "", attributes: [] });
  expect([events[0], events[2]]).toEqual([plain, plain]);
  expect(header).toMatchObject({ accepted: 3, dropped: { dead_letter: 1 } });
  expect(dead).toEqual([
    { index: 1, reason: "redaction_failed", detail: "RedactionError", payload: decode(given).bytes[1] },
  ]);
});

test("a wrong count, a cut and a tail are refused", () => {
  const given = encode([plain, plain]);
  expect(() => redactBatch(encode([plain], { accepted: 2 }), at, 5)).toThrow(CountMismatch);
  expect(() => redactBatch(given.subarray(0, given.length - 9), at, 5)).toThrow("over the end");
  expect(() => redactBatch(Buffer.concat([given, Buffer.from("x")]), at, 5)).toThrow("bytes follow");
});

test("what takes too long fails instead of holding the partition", () => {
  const slow = "Authorization: Token q7m2x9k4v1t8z ".repeat(1000);
  expect(() => withinTime(0, () => redactText(slow, new Map()))).toThrow(OutOfTime);
  expect(redactText(slow, new Map())).not.toContain("q7m2x9k4v1t8z");
});
