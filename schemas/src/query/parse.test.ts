import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { parseQuery, QueryError, queryLimits, toSql } from "./index.ts";

const now = Date.parse("2026-02-01T12:00:00Z");
const names = { sources: new Map([["src_1", "web"]]) };
const parse = (text: string) => parseQuery(text, { now });
const sql = (text: string) => toSql(parse(text), names);
const failure = (text: string): QueryError => {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof QueryError) return error;
    throw error;
  }
  throw new Error(`${text} was taken`);
};

test("words stand side by side, phrases keep their order, punctuation parts words", () => {
  expect(parse("a b")).toEqual({
    type: "and",
    parts: [
      { type: "words", words: ["a"] },
      { type: "words", words: ["b"] },
    ],
  });
  expect(parse('"Failed password, again"')).toEqual({ type: "words", words: ["Failed", "password", "again"] });
  expect(parse("10.0.0.1")).toEqual({ type: "words", words: ["10", "0", "0", "1"] });
  expect(parse("10:32:05")).toEqual({ type: "words", words: ["10", "32", "05"] });
  expect(parse("http://x/y")).toEqual({ type: "words", words: ["http", "x", "y"] });
  expect(parse('"!!"')).toEqual({ type: "contains", text: "!!" });
  expect(parse("")).toEqual({ type: "all" });
});

test("NOT binds before AND, AND before OR, parentheses before all", () => {
  const w = (word: string) => ({ type: "words", words: [word] });
  expect(parse("a OR b c")).toEqual({ type: "or", parts: [w("a"), { type: "and", parts: [w("b"), w("c")] }] });
  expect(parse("NOT a b")).toEqual({ type: "and", parts: [{ type: "not", part: w("a") }, w("b")] });
  expect(parse("-(a OR b)")).toEqual({ type: "not", part: { type: "or", parts: [w("a"), w("b")] } });
  expect(parse("a b c")).toEqual({ type: "and", parts: [w("a"), w("b"), w("c")] });
});

test("levels are ranges of severity numbers, and unspecified is in no range", () => {
  expect(parse("level:error")).toEqual({ type: "levels", min: 17, max: 20 });
  expect(parse("level:ERR")).toEqual({ type: "levels", min: 17, max: 20 });
  expect(parse("level:>=warn")).toEqual({ type: "levels", min: 13, max: 24 });
  expect(parse("level:>warn")).toEqual({ type: "levels", min: 17, max: 24 });
  expect(parse("level:<warn")).toEqual({ type: "levels", min: 1, max: 12 });
  expect(parse("level:[debug TO info]")).toEqual({ type: "levels", min: 5, max: 12 });
  expect(parse("level:notice")).toEqual({ type: "levels", min: 10, max: 10 });
  expect(parse("level:17")).toEqual({ type: "levels", min: 17, max: 17 });
});

test("numbers, times and wildcards", () => {
  expect(parse("ms:>=1.5e3")).toEqual({ type: "range", path: "ms", min: { value: 1500, inclusive: true } });
  expect(parse("ms:{-1 TO 5]")).toEqual({
    type: "range",
    path: "ms",
    min: { value: -1, inclusive: false },
    max: { value: 5, inclusive: true },
  });
  expect(parse("ms:[* TO *]")).toEqual({ type: "exists", field: { kind: "attribute", path: "ms" } });
  expect(parse("timestamp:>=-15m")).toEqual({
    type: "time",
    min: { value: BigInt(now - 900_000) * 1_000_000n, inclusive: true },
  });
  expect(parse("service:api-*")).toEqual({ type: "pattern", field: { kind: "service" }, pieces: ["api-", ""] });
  expect(parse("service:api\\*")).toEqual({ type: "equals", field: { kind: "service" }, value: "api*" });
  expect(parse('"my key":"a \\" b"')).toEqual({
    type: "equals",
    field: { kind: "attribute", path: "my key" },
    value: 'a " b',
  });
});

test.each([
  ['say "hello', 5, /never closed/],
  ["a OR", 3, /right side/],
  ["a OR OR b", 6, /both sides/],
  ["a --", 4, /right side/],
  ["(a", 1, /never closed/],
  ["a)", 2, /never opened/],
  ["()", 2, /empty/],
  ["service:", 9, /no value/],
  ["service: api", 9, /space/],
  ["ms:[1 TO", 4, /range is not complete/],
  ["ms:>", 5, /no value/],
  ["ms:>abc", 5, /no number/],
  ["level:loud", 7, /no level/],
  ["timestamp:>yesterdayish", 12, /no time/],
  ["ms>5", 3, /colon/],
  ["service:>5", 9, /no order/],
  ["x".repeat(queryLimits.characters + 1), queryLimits.characters + 1, /characters/],
  [`${"(".repeat(40)}a${")".repeat(40)}`, queryLimits.depth + 1, /nested/],
  [`${"NOT ".repeat(100)}a`, 129, /nested/],
  ["a ".repeat(queryLimits.terms + 1), 401, /terms/],
  ["a*b*c*d*e*f*g*h*i*j", 1, /stars/],
  [`"${"w ".repeat(70)}"`, 1, /words/],
])("%s: says what is wrong at column %i", (text, column, message) => {
  const error = failure(text);
  expect(error.message).toMatch(message);
  expect(error.column).toBe(column);
  expect(error.suggestion).not.toBe("");
});

test("any text is a query or an error with a column inside it, quickly", () => {
  const pieces = fc.constantFrom(
    "a",
    "OR",
    "NOT",
    "-",
    "(",
    ")",
    '"',
    "\\",
    "*",
    "x:",
    "level:",
    "[",
    "1",
    " TO ",
    "]",
    "'",
    "\0",
    "}",
    ">",
    "é",
    "\ud800",
    "--",
    "/*",
    ";",
    "{p0:String}",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.array(pieces, { maxLength: 60 }).map((list) => list.join("")),
      ),
      (text) => {
        try {
          toSql(parse(text), names);
        } catch (error) {
          expect(error).toBeInstanceOf(QueryError);
          expect((error as QueryError).column).toBeGreaterThanOrEqual(1);
          expect((error as QueryError).column).toBeLessThanOrEqual(text.length + 1);
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test("nothing a user wrote stands in the SQL", () => {
  const known =
    /^(?:\{p\d+:(?:String|Float64|UInt8|Int64)\}|hasAllTokens|hasPhrase|extract|substring|length|transform|intDiv|toUnixTimestamp64Nano|300000000000|lower|message|LIKE|match|attributes|mapContains|toFloat64OrNull|ifNull|fromUnixTimestamp64Nano|'UTC'|service|host|source|trace_id|span_id|timestamp|level|BETWEEN|AND|OR|NOT|IN|''|[(),[\]=<>!01*\s-])*$/;
  const value = fc.string({ unit: "binary", minLength: 1, maxLength: 30 });
  const quoted = value.map((text) => `"${text.replace(/["\\]/g, "\\$&")}"`);
  const term = fc.oneof(
    quoted,
    fc
      .tuple(fc.oneof(quoted, fc.constantFrom("service", "source", "message", "trace_id")), quoted)
      .map(([f, v]) => `${f}:${v}`),
    fc.tuple(quoted, fc.double({ noNaN: true, noDefaultInfinity: true })).map(([f, n]) => `${f}:>"${n}"`),
    value.map((text) => `service:${text.replace(/[^\p{L}]/gu, (c) => `\\${c}`)}*`),
  );
  fc.assert(
    fc.property(fc.array(term, { minLength: 1, maxLength: 6 }), (terms) => {
      let compiled: ReturnType<typeof sql>;
      try {
        compiled = sql(terms.join(" OR "));
      } catch (error) {
        expect(error).toBeInstanceOf(QueryError);
        return;
      }
      expect(compiled.sql).toMatch(known);
      for (const name of compiled.sql.matchAll(/\{(p\d+):/g)) expect(compiled.params).toHaveProperty(name[1] ?? "");
    }),
    { numRuns: 2000 },
  );
});

test("source names become ids; numbers are found in their usual spellings", () => {
  expect(sql("source:web").params).toEqual({ p0: "src_1" });
  expect(sql("source:w*").params).toEqual({ p0: "src_1" });
  expect(sql("source:other").params).toEqual({ p0: "other" });
  expect(sql("status:500").params).toEqual({ p0: "status", p1: "500", p2: "500.0" });
  expect(sql("run:12e456789012").params).toEqual({ p0: "run", p1: "12e456789012" });
});
