/** Law 8: what the server finds with a query is what the predicate in memory says of the same events. */
import { type EventInMemory, parseQuery, QueryError, toPredicate, toSql } from "@astralog/schemas/query/index";
import { type Platform, platform, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import fc from "fast-check";
import RE2 from "re2";
import { planter } from "../api.driver.ts";
import { type ClickHouseClient, connectClickHouse } from "../clickhouse.ts";

const context = {
  sources: new Map([
    ["src_1", "web"],
    ["src_2", "web*"],
    ["src_3", "Größe"],
  ]),
  regex: (source: string) => {
    const expression = new RE2(source, "u");
    return (text: string) => expression.test(text);
  },
};

const words = [
  ...["a", "A", "ab", "foo", "FOO", "bar", "42", "é", "É", "ß", "ſ", "K", "日本", "😀", "x1", "user"],
  ...["İ", "ﬁ", "\u0301", "\u200b", "\ufffd", "\u{10ffff}"],
];
const joints = [
  " ",
  "-",
  ".",
  "  ",
  "_",
  "\n",
  "\t",
  "\u0000",
  "%",
  "\\",
  '"',
  "'",
  "/",
  "(",
  "*",
  "",
  ":",
  "|",
  "^",
  "$",
  "\u00a0",
];
const text = fc
  .array(fc.tuple(fc.constantFrom(...words), fc.constantFrom(...joints)), { maxLength: 6 })
  .map((pairs) => pairs.flat().join(""));
const numbers = [
  ...[
    "1",
    "1.0",
    "1.50",
    "-0",
    "007",
    "1e3",
    "1E400",
    "inf",
    "-Infinity",
    "nan",
    "+5",
    ".5",
    "5.",
    "1_0",
    " 1",
    "0x10",
  ],
  ...[
    "9007199254740993",
    "0.1",
    "0.30000000000000004",
    "1.5s",
    "1500ms",
    "1500",
    "2m",
    "7µs",
    "12.5",
    "ms",
    "1e2us",
    "-3s",
  ],
];
const paths = ["ms", "d", "took_s", "k.a", "it's", "é", "user"];
const value = fc.oneof(text, fc.constantFrom(...numbers), fc.double().map(String), fc.integer().map(String));
const event = fc.record({
  message: fc.oneof(
    { weight: 4, arbitrary: text },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 20 }).map((t) => t.toWellFormed()) },
  ),
  level: fc.integer({ min: 0, max: 24 }),
  service: text,
  host: fc.constantFrom("", "h", "H", "h*"),
  trace_id: fc.constantFrom("", "ab", "cd"),
  source: fc.constantFrom("src_1", "src_2", "src_3", "src_gone"),
  at: fc.bigInt({ min: -3n, max: 3n }).map((n) => 1_760_000_400_000_000_000n + n * 150_000_000_001n),
  attributes: fc.dictionary(fc.constantFrom(...paths), value, { maxKeys: 5 }),
});

const quote = (plain: string): string => `"${plain.replace(/["\\]/g, "\\$&")}"`;
const bare = (plain: string): string =>
  Array.from(plain, (one) => (/[\p{L}\p{N}]/u.test(one) ? one : /\s/.test(one) ? "" : `\\${one}`)).join("");
const starred = fc
  .array(fc.oneof(text, fc.constantFrom(...words)).map(bare), { minLength: 2, maxLength: 4 })
  .map((list) => list.join("*"));
const pieces = [
  "a",
  "b",
  ".",
  "[a-z]",
  "[^a]",
  "\\d",
  "\\W",
  "\\s",
  "é",
  "ß",
  "K",
  "k",
  "(a|b)",
  "(?:foo)?",
  "x*",
  ".+?",
  "{2}",
  "^",
  "$",
  "\\b",
  "\\x41",
  "😀",
  "[é-ï]",
  "\\.",
];
const regex = fc
  .tuple(fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 6 }), fc.constantFrom("", "i"))
  .map(([list, flag]) => `/${list.join("")}/${flag}`);
const bound = fc.constantFrom(
  "0",
  "1",
  "1.5",
  "-3",
  "1e3",
  "1500",
  "1.5s",
  "200ms",
  "2m",
  "7µs",
  "9007199254740993",
  "0.1",
  "10KB",
);
const path = fc.constantFrom(...paths).map((name) => (/^[a-z_.]+$/.test(name) ? name : quote(name)));
const textField = fc.oneof(path, fc.constantFrom("service", "host", "message", "source", "trace_id"));
const times = ["2025-10-09T09:00:00Z", "1760000400000", "2025-10-09T08:55:00Z", "1905-01-01", "2200-01-01"];
const term = fc.oneof(
  text.map(quote),
  fc.constantFrom(...words).map(bare),
  starred.map((one) => (one.startsWith("-") ? `a${one}` : one)),
  regex,
  fc
    .tuple(textField, fc.oneof(value.map(quote), starred, regex, fc.constant("*")))
    .map(([field, one]) => `${field}:${one}`),
  fc.tuple(path, fc.constantFrom(">", ">=", "<", "<="), bound).map(([field, sign, one]) => `${field}:${sign}${one}`),
  fc
    .tuple(path, bound, bound, fc.boolean())
    .map(([field, from, to, open]) => (open ? `${field}:[${from} TO ${to}]` : `${field}:{${from} TO ${to}}`)),
  fc.constantFrom("level:error", "level:>=warn", "level:<info", "level:*", "level:unspecified"),
  fc
    .tuple(fc.constantFrom(">", ">=", "<", "<="), fc.constantFrom(...times))
    .map(([sign, at]) => `timestamp:${sign}${at}`),
);
const query = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    term,
    fc.tuple(tie("any"), fc.constantFrom(" ", " OR ", " AND "), tie("any")).map((parts) => `(${parts.join("")})`),
    tie("any").map((inner) => `NOT (${inner})`),
  ),
})).any;

let one: Platform;
let client: ClickHouseClient;
let plant: ReturnType<typeof planter>;
let stored: EventInMemory[];

beforeAll(async () => {
  one = await platform(sharedStack());
  plant = planter(one);
  const { url, database, users } = one.stack.clickhouse;
  client = connectClickHouse({ url, database, username: "astralog_admin", password: users.astralog_admin ?? "" });
  const events = fc.sample(event, { numRuns: 400, seed: 7 });
  stored = events.map(({ at, attributes, ...rest }) => ({
    ...rest,
    ...{ millis: Number(at / 1_000_000n), nanos: Number(at % 1_000_000n), span_id: "", attribute_types: "" },
    attributes: Object.entries(attributes).flat(),
  }));
  for (const source of new Set(events.map((each) => each.source))) {
    const mine = events.flatMap(({ at, ...each }, index) =>
      each.source === source ? [{ ...each, timestamp: at, index }] : [],
    );
    await plant.events(one.tenant, source, 0, 1, mine);
  }
});
afterAll(async () => {
  await client?.close();
  await plant?.close();
  await one?.stop();
});

test("the server and the predicate find the same events", async () => {
  let taken = 0;
  let found = 0;
  await fc.assert(
    fc.asyncProperty(query, async (q) => {
      let parsed: ReturnType<typeof parseQuery>;
      try {
        parsed = parseQuery(q, { now: 0 });
      } catch (error) {
        expect(error).toBeInstanceOf(QueryError);
        return;
      }
      const { sql, params } = toSql(parsed, context);
      const answer = await client.query({
        query: `SELECT idx FROM events WHERE tenant = {tenant:String} AND ${sql} ORDER BY idx`,
        query_params: { ...params, tenant: one.tenant },
        format: "JSONCompact",
      });
      const ids = (await answer.json<[number]>()).data.map(([idx]) => idx);
      const matches = toPredicate(parsed, context);
      expect(stored.flatMap((each, i) => (matches(each) ? [i] : []))).toEqual(ids);
      taken++;
      if (ids.length > 0 && ids.length < stored.length) found++;
    }),
    { numRuns: 300 },
  );
  // The generator must not have drifted into queries that find nothing, or are refused.
  expect(taken).toBeGreaterThan(200);
  expect(found).toBeGreaterThan(80);
});
