import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { AvroError, AvroReader, AvroWriter } from "./avro-bytes.ts";
import {
  BatchEncoder,
  type BatchHeader,
  type Event,
  emptyHeader,
  eventSpans,
  readBatchHeader,
  readEvent,
  replaceBatchHeader,
  replaceEvents,
  tombstone,
} from "./event-batch.ts";
import { EventView } from "./event-view.ts";
import { decodeRecord, types } from "./records.ts";

// Text of every kind, but well-formed: a lone surrogate cannot be written as UTF-8.
const text = fc.string({ unit: "binary", maxLength: 300 }).map((s) => s.toWellFormed());
const event: fc.Arbitrary<Event> = fc.record({
  millis: fc.oneof(
    fc.integer({ min: -9_000_000_000_000, max: 9_000_000_000_000 }),
    fc.integer({ min: 0, max: 2_000_000 }),
  ),
  nanos: fc.integer({ min: 0, max: 999_999 }),
  level: fc.integer({ min: 0, max: 24 }),
  service: text,
  host: text,
  message: text,
  trace_id: text,
  span_id: text,
  attribute_types: fc.string({ unit: fc.constantFrom("s", "n", "b", "j", "0"), maxLength: 5 }),
  attributes: fc
    .uniqueArray(text, { maxLength: 6 })
    .chain((keys) =>
      fc
        .array(text, { minLength: keys.length, maxLength: keys.length })
        .map((values) => keys.flatMap((key, i) => [key, values[i] ?? ""])),
    ),
});
const counts = fc.dictionary(
  fc.string({ maxLength: 9 }).map((key) => `k${key}`),
  fc.nat(),
  { maxKeys: 3, noNullPrototype: false },
);
const header: fc.Arbitrary<BatchHeader> = fc.record({
  tenant: text,
  source: text,
  received_at: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  protocol: text,
  retention_days: fc.nat(),
  dedup_id: text,
  accepted: fc.nat(),
  raw_topic: text,
  raw_partition: fc.integer({ min: -1, max: 10_000 }),
  raw_offset: fc.integer({ min: -1, max: 2 ** 50 }),
  dropped: counts,
  redactions: counts,
  ruleset: text,
});

const encode = (events: readonly Event[], head: BatchHeader = emptyHeader): Buffer => {
  const encoder = new BatchEncoder();
  for (const item of events) encoder.append(item);
  return encoder.finish(7, head);
};

// avsc takes a map as an object, which would put integer-like keys first; a letter in front keeps the order.
const lettered = (flat: readonly string[]): string[] => flat.map((part, i) => (i % 2 === 0 ? `k${part}` : part));

test("the encoder writes byte for byte what avsc writes", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 4 }), header, (events, head) => {
      const items = events.map((item) => ({ ...item, attributes: lettered(item.attributes) }));
      const record = {
        ...head,
        received_at: BigInt(head.received_at),
        raw_offset: BigInt(head.raw_offset),
        events: items.map(({ millis, nanos, attributes, ...rest }) => ({
          ...rest,
          timestamp: BigInt(millis) * 1_000_000n + BigInt(nanos),
          attributes: Object.fromEntries(pairs(attributes)),
        })),
      };
      const bytes = encode(items, head);
      expect(bytes[0]).toBe(0);
      expect(bytes.readInt32BE(1)).toBe(7);
      expect(bytes.subarray(5).equals(types.EventBatch.toBuffer(record))).toBe(true);
    }),
  );
});

const pairs = (flat: readonly string[]): [string, string][] =>
  Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i] ?? "", flat[2 * i + 1] ?? ""]);

test("header and events are read back as they were written", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 4 }), header, (events, head) => {
      const bytes = encode(events, head);
      const { eventsAt, ...read } = readBatchHeader(bytes);
      expect({ ...read, dropped: { ...read.dropped }, redactions: { ...read.redactions } }).toEqual(head);
      const spans = eventSpans(bytes, eventsAt);
      expect(spans).toHaveLength(events.length * 2);
      expect(events.map((_, i) => readEvent(bytes, spans[2 * i] ?? -1))).toEqual(events);
    }),
  );
});

test("an event seen where it lies says what the decoded one says, in whatever order it is asked, blocks or not", () => {
  const plain = fc.array(event, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(plain, plain, fc.boolean(), (one, two, attributesFirst) => {
      const [first, second] = [encode(one), encode(two)];
      const { eventsAt } = readBatchHeader(second);
      const blocks = Buffer.concat([first.subarray(0, -1), second.subarray(eventsAt)]);
      const reader = new AvroReader(blocks, readBatchHeader(first).eventsAt);
      const view = new EventView(reader);
      const seen: Event[] = [];
      for (let count = reader.block(); count > 0; count = reader.block())
        for (let i = 0; i < count; i++) {
          view.next();
          const wanted = [...one, ...two][seen.length] as Event;
          const named = (): void => {
            for (const [name] of pairs(wanted.attributes))
              expect(view.attribute(name)).toBe(pairs(wanted.attributes).find(([other]) => other === name)?.[1]);
            expect(view.attribute("no such name")).toBeUndefined();
          };
          if (attributesFirst) named();
          const { millis, nanos, level, service, host, message, trace_id, span_id, attribute_types, attributes } = view;
          seen.push({ millis, nanos, level, service, host, message, trace_id, span_id, attribute_types, attributes });
          named();
        }
      expect(seen).toEqual([...one, ...two]);
      expect(reader.at).toBe(blocks.length);
    }),
  );
});

test("a replaced header leaves every event's bytes as they were", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 4 }), header, header, (events, before, after) => {
      const bytes = encode(events, before);
      const replaced = replaceBatchHeader(bytes, readBatchHeader(bytes).eventsAt, 7, after);
      expect(replaced.equals(encode(events, after))).toBe(true);
    }),
  );
});

test("replaced events stand where the old ones stood, in arrays of several blocks too, in a writer used before", () => {
  const writer = new AvroWriter(64);
  const some = fc.array(fc.record({ before: event, after: fc.option(event) }), { maxLength: 4 });
  fc.assert(
    fc.property(some, some, header, (one, two, head) => {
      const all = [...one, ...two];
      const [first, second] = [one, two].map((block) => encode(block.map(({ before }) => before)));
      const { eventsAt } = readBatchHeader(second as Buffer);
      const blocks = Buffer.concat([(first as Buffer).subarray(0, -1), (second as Buffer).subarray(eventsAt)]);
      const given = one.length === 0 ? (second as Buffer) : blocks;
      const spans = eventSpans(given, readBatchHeader(given).eventsAt);
      const replaced = new Map(all.flatMap(({ after }, i) => (after === null ? [] : [[i, after]])));
      const value = replaceEvents(given, spans, replaced, 7, head, writer);
      expect(
        value.equals(
          encode(
            all.map(({ before, after }) => after ?? before),
            head,
          ),
        ),
      ).toBe(true);
    }),
  );
});

test("bytes that end too early or too late are refused, never read beyond", () => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 3 }), fc.nat(), (events, cut) => {
      const bytes = encode(events);
      const { eventsAt } = readBatchHeader(bytes);
      const short = bytes.subarray(0, eventsAt + (cut % (bytes.length - eventsAt)));
      expect(() => eventSpans(short, eventsAt)).toThrow(AvroError);
      expect(() => eventSpans(Buffer.concat([bytes, Buffer.of(0)]), eventsAt)).toThrow(AvroError);
    }),
  );
});

test("any bytes either decode or throw AvroError, and never loop", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      const bytes = Buffer.concat([Buffer.of(0, 0, 0, 0, 1), noise]);
      try {
        eventSpans(bytes, readBatchHeader(bytes).eventsAt);
      } catch (error) {
        expect(error).toBeInstanceOf(AvroError);
      }
    }),
  );
});

test("a tombstone is an event of time -1 that keeps its neighbours' index", () => {
  const bytes = encode([tombstone]);
  const decoded = decodeRecord("EventBatch", bytes);
  expect(decoded.events[0]?.timestamp).toBe(-1n);
});

test("a finished batch shares nothing with the encoder", () => {
  const encoder = new BatchEncoder();
  encoder.append({ ...tombstone, message: "first" });
  const first = encoder.finish(1, emptyHeader);
  const copy = Buffer.from(first);
  encoder.append({ ...tombstone, message: "other" });
  encoder.finish(1, emptyHeader);
  expect(first.equals(copy)).toBe(true);
});
