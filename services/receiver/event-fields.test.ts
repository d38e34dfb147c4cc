import { levelName } from "@astralog/schemas";
import { fields, makeRoles, ranks } from "@astralog/schemas/json/index";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { native } from "./native.ts";
import { parseWith } from "./parsed.driver.ts";

const one = async (event: unknown, query = "") => {
  const text = typeof event === "string" ? event : JSON.stringify(event);
  const { events } = await parseWith(native, text, { query });
  expect(events).toHaveLength(1);
  return events[0] as (typeof events)[number];
};

test("known names become fields, also nested ones, and the rest attributes with types", async () => {
  const event = await one(
    '{"@timestamp":"2024-05-06T07:08:09.000000001Z","log":{"level":"WARN"},"msg":"héllo \\u00e9\\n","service":{"name":"web","node":1.50},' +
      '"host":"h1","trace":{"id":"0AF7651916CD43DD8448EB211C80319C"},"span_id":"00f067aa0ba902b7","big":12345678901234567890.10,"ok":true,"no":null,"list":[1,"\\u0061"],"empty":{}}',
  );
  expect(event).toMatchObject({
    timestamp: 1_714_979_289_000_000_001n,
    level: 13,
    service: "web",
    host: "h1",
    message: "héllo é\n",
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    span_id: "00f067aa0ba902b7",
    attribute_types: "nnb0jj",
    attributes: {
      "service.node": "1.50",
      big: "12345678901234567890.10",
      ok: "true",
      no: "null",
      list: '[1,"a"]',
      empty: "{}",
    },
  });
});

test.each([
  [{ level: "info" }, 9, {}],
  [{ level: "Notice" }, 10, { level: "Notice" }],
  [{ level: "LOUD" }, 0, { level: "LOUD" }],
  [{ level: 30 }, 9, {}],
  [{ level: 6 }, 0, { level: "6" }],
  [{ level: 35 }, 0, { level: "35" }],
  [{ severity_number: 18, severity: "oops" }, 18, { severity: "oops" }],
  [{ severityNumber: 25 }, 0, { severityNumber: "25" }],
  [{ PRIORITY: "3" }, 17, {}],
  [{ "syslog.severity.code": 7 }, 5, {}],
  [{ levelno: 20, levelname: "INFO" }, 9, { levelno: "20" }],
])("%j is level %i", async (given, level, attributes) => {
  const event = await one(given);
  expect([event.level, event.attributes]).toEqual([level, attributes]);
});

test("what does not fit a field stays an attribute", async () => {
  const given = {
    timestamp: "soon",
    message: { text: "x" },
    service: 7,
    host: "",
    trace_id: "abc",
    span_id: "0000000000000000",
    time: 1_700_000_000,
  };
  const event = await one(given);
  expect(event).toMatchObject({
    timestamp: 1_700_000_000_000_000_000n,
    message: "",
    service: "",
    host: "",
    trace_id: "",
  });
  expect(event.attributes).toEqual({
    timestamp: "soon",
    "message.text": "x",
    service: "7",
    host: "",
    trace_id: "abc",
    span_id: "0000000000000000",
  });
});

test("a repeated name, and a dotted name that means the same path, keep all values", async () => {
  const event = await one('{"a":1,"a":2,"a.b":3,"a#2":4,"b":{"c":5},"b.c":6,"message":"x","message":"y"}');
  expect(event.message).toBe("x");
  expect(event.attributes).toEqual({
    a: "1",
    "a#2": "2",
    "a.b": "3",
    "a#2#2": "4",
    "b.c": "5",
    "b.c#2": "6",
    "message#2": "y",
  });
});

test("names that reach into prototypes elsewhere are names here", async () => {
  const event = await one('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}},"toString":"x"}');
  expect(new Map(Object.entries(event.attributes))).toEqual(
    new Map([
      ["__proto__.polluted", "1"],
      ["constructor.prototype.polluted", "2"],
      ["toString", "x"],
    ]),
  );
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test("a request may name its fields", async () => {
  const query = "time_field=when&message_field=said.what&level_field=how";
  const event = await one(
    { when: 1_700_000_000, said: { what: "hi" }, how: "error", message: "m", level: "info", time: 1_600_000_000 },
    query,
  );
  expect(event).toMatchObject({ timestamp: 1_700_000_000_000_000_000n, message: "hi", level: 17 });
  expect(event.attributes).toEqual({ message: "m", level: "info", time: "1600000000" });
});

test("a lone surrogate becomes U+FFFD, the only change a text can suffer", async () => {
  const event = await one('{"message":"a\\ud800b","\\udc00":"\\ud83d\\ude00"}');
  expect(event.message).toBe("a\ufffdb");
  expect(event.attributes).toEqual({ "\ufffd": "😀" });
});

const roles = makeRoles();
const names = fc.oneof(
  fc.constantFrom(...roles.keys(), "a", "b", "a.b", "__proto__"),
  fc.string({ unit: "grapheme", maxLength: 8 }),
);
const scalar = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.constantFrom(
    "info",
    "WARN",
    "notice",
    "30",
    "2024-05-06T07:08:09Z",
    "0af7651916cd43dd8448eb211c80319c",
    "00f067aa0ba902b7",
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: 0, max: 70 }),
  fc.boolean(),
  fc.constant(null),
);
const { object } = fc.letrec<{ object: [string, unknown][]; value: unknown }>((tie) => ({
  object: fc.array(fc.tuple(names, tie("value")), { maxLength: 6 }),
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    scalar,
    fc.array(scalar, { maxLength: 3 }),
    tie("object").map((pairs) => ({ pairs })),
  ),
}));

interface Leaf {
  name: string;
  letter: string;
  text: string;
}

/** The JSON text of pairs, and its leaves as flattening must find them. */
const write = (pairs: [string, unknown][], prefix: string, leaves: Leaf[], taken: Set<string>): string =>
  `{${pairs
    .map(([key, value]) => {
      const path = prefix + key;
      const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
      if (isMap && (value as { pairs: [string, unknown][] }).pairs.length > 0)
        return `${JSON.stringify(key)}:${write((value as { pairs: [string, unknown][] }).pairs, `${path}.`, leaves, taken)}`;
      const text = isMap ? "{}" : typeof value === "string" ? value : JSON.stringify(value);
      const letter =
        isMap || Array.isArray(value)
          ? "j"
          : value === null
            ? "0"
            : (typeof value)[0] === "s"
              ? "s"
              : typeof value === "number"
                ? "n"
                : "b";
      let name = path;
      for (let n = 2; taken.has(name); n++) name = `${path}#${n}`;
      taken.add(name);
      leaves.push({ name, letter, text });
      return `${JSON.stringify(key)}:${isMap ? "{}" : JSON.stringify(value)}`;
    })
    .join(",")}}`;

test("any object comes back whole: each leaf is an attribute or the field that its name says", async () => {
  await fc.assert(
    fc.asyncProperty(object, async (pairs) => {
      const leaves: Leaf[] = [];
      const text = write(pairs, "", leaves, new Set());
      const {
        events: [event],
        rejected,
      } = await parseWith(native, text);
      fc.pre(rejected.every(({ code }) => code === "time_out_of_range"));
      if (event === undefined) return;
      const stored = new Map(Object.entries(event.attributes));
      const letters = [...event.attribute_types.padEnd(stored.size, "s")];
      let place = 0;
      for (const { name, letter, text: value } of leaves) {
        if (stored.has(name)) {
          expect([name, stored.get(name), letters[place]]).toEqual([name, value, letter]);
          place++;
          continue;
        }
        const field = fields[Math.floor((roles.get(name) ?? -1) / ranks)];
        if (field === "message" || field === "service" || field === "host") expect(event[field]).toBe(value);
        else if (field === "trace_id" || field === "span_id") expect(event[field]).toBe(value.toLowerCase());
        else if (field === "level")
          expect(value.toLowerCase() === levelName(event.level) || /^\d+$/.test(value)).toBe(true);
        else expect([name, field]).toEqual([name, "time"]);
      }
      expect(place).toBe(stored.size);
    }),
    { numRuns: 3_000 },
  );
});
