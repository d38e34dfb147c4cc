/** The law that everything rests on: what the scan clears holds nothing that a detector would find. */
import { BatchEncoder, type Event, emptyHeader, eventSpans, readBatchHeader } from "@astralog/schemas";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { detectors, nameDetectors } from "./detectors.ts";
import { redactEvent } from "./redact-event.ts";
import { suspects } from "./scan.ts";

/** More by hand, after a change to a pattern: SCAN_RUNS=20000. */
const runs = Number(process.env.SCAN_RUNS ?? 1200);

const names = nameDetectors.flatMap(({ names, shortNames = [], separateNames = [] }) => [
  ...names,
  ...shortNames,
  ...separateNames,
]);
const recased = fc
  .tuple(fc.constantFrom(...names), fc.constantFrom("", "_", "-", ".", " "), fc.integer({ min: 0, max: 3 }))
  .map(([name, separator, style]) => {
    const words = name.split(" ");
    const written = style === 3 ? words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)) : words;
    const joined = written.join(style === 3 ? "" : separator);
    return style === 1 ? joined.toUpperCase() : joined;
  });
const secret = fc.constantFrom(
  "q7m2x9k4v1t8z3n6",
  "mango-River9",
  "4539 1488 0343 6467",
  "730",
  "C73029581",
  "12345678",
  "Qm7Xk2Vt9Zn4Bw6Hd1Rs8Lp3Jf5Gc0aB",
);
const planted = fc.oneof(
  fc.constantFrom(...detectors.flatMap(({ example, lookalike }) => [example, lookalike])),
  fc
    .tuple(recased, fc.constantFrom("=", ":", '":"', "=>", " = ", "%3D", '\\":\\"', "' , '", ">"), secret)
    .map((parts) => parts.join("")),
  // The bare secret of an example, without the words around it.
  fc.constantFrom(...detectors.flatMap(({ example }) => example.split(" "))),
  recased,
  secret,
);
// Every length up to two bytes' worth of Avro length, so that the byte before a field takes every value.
const padding = fc.string({
  unit: fc.constantFrom("a", "0", "9", " ", "-", "_", ".", "é", '"', "K", "ſ", "\u212a", "\\", "\u0000", "\n"),
  maxLength: 70,
});
const field = fc.oneof(
  { arbitrary: fc.constant(""), weight: 2 },
  { arbitrary: padding, weight: 2 },
  { arbitrary: planted, weight: 3 },
  { arbitrary: fc.tuple(padding, planted, padding).map((parts) => parts.join("")), weight: 3 },
  {
    arbitrary: fc
      .tuple(recased, planted)
      .map(([name, value]) => JSON.stringify({ a: 1, [name]: value, list: [value] })),
    weight: 2,
  },
  { arbitrary: planted.map((value) => JSON.stringify({ inner: JSON.stringify({ value }) })), weight: 1 },
);
const attribute = fc.tuple(
  fc.oneof(
    recased,
    padding,
    fc.tuple(padding, recased).map((p) => p.join(".")),
  ),
  field,
);
const event: fc.Arbitrary<Event> = fc.record({
  millis: fc.integer({ min: 0, max: 4e12 }),
  nanos: fc.integer({ min: 0, max: 999_999 }),
  level: fc.integer({ min: 0, max: 24 }),
  service: fc.oneof(fc.constant("web"), field),
  host: fc.oneof(fc.constant("node-1"), field),
  message: field,
  trace_id: fc.constantFrom("", "4bf92f3577b34da6a3ce929d0e0e4736"),
  span_id: fc.oneof(fc.constant(""), planted),
  attribute_types: fc.constantFrom("", "s", "ssn", "sj"),
  attributes: fc.array(attribute, { maxLength: 4 }).map((pairs) => pairs.flat()),
});

const encode = (events: readonly Event[]): Buffer => {
  const encoder = new BatchEncoder();
  for (const one of events) encoder.append(one);
  return encoder.finish(7, { ...emptyHeader, tenant: "tn_a", source: "src_a", accepted: events.length });
};

const changes = (one: Event): boolean => {
  const counts = new Map<string, number>();
  try {
    return redactEvent(one, counts) !== one;
  } catch {
    return true;
  }
};

test("what the scan clears holds nothing", () => {
  let cleared = 0;
  let held = 0;
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 4 }), (events) => {
      const value = encode(events);
      const suspected = new Set(suspects(value, eventSpans(value, readBatchHeader(value).eventsAt)));
      events.forEach((one, i) => {
        if (changes(one)) {
          held++;
          expect({ i, event: one, suspected: suspected.has(i) }).toEqual({ i, event: one, suspected: true });
        } else if (!suspected.has(i)) cleared++;
      });
    }),
    { numRuns: runs },
  );
  // The property must have had something to say either way.
  expect(cleared).toBeGreaterThan(runs / 30);
  expect(held).toBeGreaterThan(runs / 3);
});

test("ordinary lines are cleared", () => {
  const message =
    '10.0.0.7 - - "GET /orders/81734?page=2 HTTP/1.1" 200 5120 "-" "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5)"';
  const one: Event = {
    millis: 1.75e12,
    nanos: 0,
    level: 9,
    service: "web",
    host: "node-1",
    message,
    trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
    span_id: "00f067aa0ba902b7",
    attribute_types: "ssnn",
    attributes: ["http.request.method", "GET", "client.address", "10.0.0.7", "duration_ms", "12"],
  };
  const value = encode([one, one, one]);
  expect(suspects(value, eventSpans(value, readBatchHeader(value).eventsAt))).toEqual([]);
});
