import { sealBytes } from "@astralog/chassis";
import {
  decodeRecord,
  type EventRecord,
  encodeRecord,
  nativeTopic,
  parseAvro,
  placeText,
  types,
  wrapReplay,
} from "@astralog/schemas";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { nativeBatch } from "./native-batch.ts";
import { createNativeJudge } from "./native-judge.ts";
import { createRate, mayWait } from "./native-rate.ts";

const origin = { tenant: "tn_a", source: "src_a", retentionDays: 7, receivedAt: 1_750_000_000_000, dedupId: "" };
const at = { topic: "native.src_a", partition: 1, offset: 17 };
const plain: EventRecord = {
  ...{ timestamp: 1_750_000_000_000_000_001n, level: 9, service: "till", host: "", message: "sold", trace_id: "" },
  ...{ span_id: "", attribute_types: "", attributes: { k: "v" } },
};
const field = (name: string, type: unknown, more = {}) => ({ name, type, ...more });
const writers = new Map([
  [1, types.Event],
  [2, types.EventBatch],
  [3, types.KeyRecord],
  [
    4,
    parseAvro({
      ...{ type: "record", name: "com.shop.Event" },
      fields: [field("region", "string"), field("timestamp", "int"), field("message", "string")] as never,
    }),
  ],
  [
    5,
    parseAvro({
      ...{ type: "record", name: "Event" },
      fields: [field("timestamp", "long"), field("bomb", { type: "array", items: "null" })] as never,
    }),
  ],
  [6, parseAvro({ type: "record", name: "Event", fields: [field("message", "string")] as never })],
]);
const writerOf = async (id: number) => writers.get(id) ?? types.Event;
const deadLetterKey = Buffer.alloc(32, 7);
const judge = createNativeJudge({ schemaId: 2, writerOf, sourceOf: () => origin, deadLetterKey });
const judged = (value: Buffer | null) => judge({ value, timestamp: origin.receivedAt }, at);
const framed = (id: number, body: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, 0, id]), body]);
const batchOf = async (value: Buffer) =>
  decodeRecord("EventBatch", (await nativeBatch(value, origin, 2, writerOf)).value);

test("a schema with fewer fields, one more, an int for a long and another namespace is read all the same", async () => {
  const value = framed(
    4,
    (writers.get(4) as (typeof types)["Event"]).toBuffer({ region: "eu", timestamp: 5, message: "m" }),
  );
  expect(await batchOf(value)).toMatchObject({
    ...{ tenant: "tn_a", source: "src_a", protocol: "kafka", retention_days: 7, received_at: 1_750_000_000_000n },
    accepted: 1,
    events: [{ timestamp: 5n, message: "m", level: 0, attributes: {} }],
  });
});

test("JSON and Avro of one event are the same event", async () => {
  const avro = await batchOf(encodeRecord("Event", 1, { ...plain, attributes: {} }));
  const json = await batchOf(
    Buffer.from(
      '\uFEFF {"timestamp":"2025-06-15T15:06:40.000000001Z","level":"INFO","service":"till","message":"sold"}',
    ),
  );
  expect(json).toEqual(avro);
});

test.each([
  [
    "an array of nothing, which could go on for ever",
    framed(5, Buffer.from([2, 0xfe, 0xff, 0xff, 0xff, 0x0f])),
    "wrong_schema",
  ],
  ["a schema that lacks the time", framed(6, Buffer.from([2, 65])), "wrong_schema"],
  ["another record", framed(3, Buffer.from([0])), "wrong_schema"],
  ["a tail", Buffer.concat([encodeRecord("Event", 1, plain), Buffer.from([0])]), "undecodable"],
  ["JSON cut off", Buffer.from('[{"a":1}'), "not_json"],
  ["JSON that is no UTF-8", Buffer.from([123, 34, 0xff, 34, 58, 49, 125]), "not_json"],
  ["JSON too deep for anybody", Buffer.from("[".repeat(2_000)), "limit_exceeded"],
  ["text", Buffer.from("plain"), "not_framed"],
  ["nothing", Buffer.alloc(0), "not_framed"],
] as const)("%s dies as one event of its source", async (_, value, reason) => {
  const verdict = await judged(value);
  expect(verdict.deaths).toMatchObject([{ tenant: "tn_a", source: "src_a", index: -1, reason, payload: value }]);
  expect(decodeRecord("EventBatch", verdict.value)).toMatchObject({
    ...{ tenant: "tn_a", source: "src_a", accepted: 1, dropped: { dead_letter: 1 }, events: [] },
    ...{ raw_topic: at.topic, raw_partition: 1, raw_offset: 17n },
  });
});

test("events beyond a limit leave their place empty, and -1 ns is no way to vanish", async () => {
  const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [`k${i}`, ""]));
  const events = [
    plain,
    { ...plain, attributes: many },
    { ...plain, timestamp: -1n },
    { ...plain, timestamp: -(2n ** 63n) },
  ];
  const value = encodeRecord("EventBatch", 2, {
    ...{
      tenant: "tn_b",
      source: "src_b",
      received_at: 0n,
      protocol: "",
      retention_days: 0,
      dedup_id: "x",
      accepted: 9,
    },
    ...{ raw_topic: "", raw_partition: 0, raw_offset: 0n, dropped: {}, redactions: {}, ruleset: "", events },
  });
  const verdict = await judged(value);
  expect(verdict.deaths.map(({ index, reason, detail }) => [index, reason, detail])).toEqual([
    [1, "limit_exceeded", "too_many_fields"],
    [3, "limit_exceeded", "time_out_of_range"],
  ]);
  const batch = decodeRecord("EventBatch", verdict.value);
  expect(batch).toMatchObject({ tenant: "tn_a", dedup_id: "", accepted: 4, dropped: { dead_letter: 2 } });
  expect(batch.events.map(({ timestamp }) => timestamp)).toEqual([plain.timestamp, -1n, 0n, -1n]);
});

test("what comes back from the dead letters is read as its producer wrote it, under one dedup_id; nobody else can send it so", async () => {
  const value = Buffer.from('{"message":"back"}');
  const place = placeText({ ...at, index: -1 });
  const back = async (key: Buffer, sealedFor: string, says: string) => {
    const verdict = await judged(wrapReplay(says, sealBytes(key, value, sealedFor)));
    const { dedup_id, protocol, events } = decodeRecord("EventBatch", verdict.value);
    return [verdict.deaths.map(({ reason }) => reason), dedup_id, protocol, events.map(({ message }) => message)];
  };
  expect(await back(deadLetterKey, place, place)).toEqual([[], `replay/${place}`, "replay", ["back"]]);
  const elsewhere = placeText({ ...at, topic: "native.src_b", index: -1 });
  for (const forged of [
    await back(Buffer.alloc(32, 8), place, place),
    await back(deadLetterKey, elsewhere, elsewhere),
    await back(deadLetterKey, elsewhere, place),
  ])
    expect(forged).toEqual([["not_framed"], "", "kafka", []]);
  // What fails again is the producer's own record once more, not what it was wrapped in.
  const bad = Buffer.from('{"message":');
  const verdict = await judged(wrapReplay(place, sealBytes(deadLetterKey, bad, place)));
  expect(verdict.deaths).toMatchObject([{ reason: "not_json", payload: bad }]);
});

test("whatever the bytes, there is one verdict, and its counts agree", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
        fc.json().map((text) => Buffer.from(text)),
        fc
          .tuple(fc.integer({ min: 1, max: 6 }), fc.uint8Array({ maxLength: 60 }))
          .map(([id, bytes]) => framed(id, Buffer.from(bytes))),
      ),
      async (value) => {
        const { accepted, dropped, events } = decodeRecord("EventBatch", (await judged(value)).value);
        const kept = events.filter(({ timestamp }) => timestamp !== -1n).length;
        expect(kept + (dropped.dead_letter ?? 0)).toBe(accepted);
      },
    ),
  );
});

test("a source may spend two seconds of its rate at once, then waits as long as it takes", () => {
  let now = 0;
  const rate = createRate(() => now);
  expect(rate.wait("t", 100)).toBe(0);
  rate.spend("t", 500);
  expect(rate.wait("t", 100)).toBe(3_000);
  now = 2_000;
  expect(rate.wait("t", 100)).toBe(1_000);
  expect(rate.wait("t", 0)).toBe(0);
  expect(rate.wait("another", 100)).toBe(0);
  now = 3_000;
  expect(rate.wait("t", 100)).toBe(0);
});

test("what Kafka acknowledged waits half as long as Kafka keeps it, and no longer", () => {
  const half = nativeTopic("src_a", 1).retentionMs / 2;
  expect([mayWait(1_000, 1_000), mayWait(1_000, 999 + half), mayWait(1_000, 1_000 + half)]).toEqual([
    true,
    true,
    false,
  ]);
});
