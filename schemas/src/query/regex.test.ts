import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { parsePipeline, parseQuery, QueryError } from "./index.ts";
import { readRegex } from "./regex.ts";
import { regexEnd } from "./regex-token.ts";
import { nearest } from "./suggest.ts";

test("an expression is written anew from what it means", () => {
  expect(readRegex("/a.c/", 0)).toBe("a[\\x{0}-\\x{10ffff}]c");
  expect(readRegex("/a-b/i", 0)).toBe("[Aa]\\x{2d}[Bb]");
  expect(readRegex("/(?i)é/", 0)).toBe("\\x{e9}");
  expect(readRegex("/[^a-c]/i", 0)).toBe("[\\x{0}-\\x{40}D-\\x{60}d-\\x{10ffff}]");
  expect(readRegex("/(?<name>a|b)+?$/", 0)).toBe("(?:(?:a|b))+$");
  expect(readRegex("/[\\D]/", 0)).toBe("[\\x{0}-\\x{2f}\\x{3a}-\\x{10ffff}]");
});

test("where RE2 and JavaScript both know what is meant, they agree", () => {
  const piece = fc.constantFrom(
    "a",
    "B",
    ".",
    "\\d",
    "\\W",
    "[a-c]",
    "[^x]",
    "(a|b)",
    "a?",
    "b*",
    "\\.",
    "^",
    "$",
    "\\b",
  );
  fc.assert(
    fc.property(
      fc.array(piece, { minLength: 1, maxLength: 6 }),
      fc.string({ unit: fc.constantFrom("a", "B", "c", ".", "1", " ", "\n") }),
      (list, text) => {
        // \x{…} is \u{…} in JavaScript.
        const ours = new RegExp(readRegex(`/${list.join("")}/`, 0).replaceAll("\\x{", "\\u{"), "u");
        expect(ours.test(text)).toBe(new RegExp(list.join(""), "su").test(text));
      },
    ),
  );
});

test("a path is no expression, an expression may hold pipes and spaces", () => {
  expect(regexEnd("/api/v2", 0)).toBeUndefined();
  expect(regexEnd("/health", 0)).toBeUndefined();
  expect(regexEnd("/a b|[/]c/i)", 0)).toBe(11);
  expect(parseQuery("GET /api/v2", { now: 0 })).toMatchObject({
    parts: [{ type: "words" }, { type: "words", words: ["api", "v2"] }],
  });
  expect(parsePipeline("/a|b/ | limit 1", { now: 0 })).toMatchObject({
    filter: { type: "regex", source: "a|b" },
    stages: [{ type: "limit" }],
  });
});

test("spans and sizes become numbers in the unit of the field's name", () => {
  const range = (q: string) => parseQuery(q, { now: 0 });
  expect(range("latency:>1.5s")).toMatchObject({ unit: 1e6, min: { value: 1.5e9 } });
  expect(range("took_s:[200ms TO 2]")).toMatchObject({ unit: 1e9, min: { value: 2e8 }, max: { value: 2e9 } });
  expect(range("body:<=10KiB")).toEqual({ type: "range", path: "body", max: { value: 10_240, inclusive: true } });
  expect(() => range("x:[1s TO 1KB]")).toThrow(/other a size/);
});

test("any text between slashes is an expression or an error inside it, and any pipeline a pipeline or an error", () => {
  const bits = fc.constantFrom(
    "a",
    "(",
    ")",
    "[",
    "]",
    "{2}",
    "{",
    "*",
    "+",
    "?",
    "\\",
    "|",
    "^",
    "$",
    "-",
    "é",
    "\ud800",
    "(?:",
    "(?=",
    "\\1",
    "\\x{",
    "}",
    "i",
    "😀",
  );
  fc.assert(
    fc.property(
      fc.array(bits, { maxLength: 20 }),
      fc.constantFrom("/", "/i", "/ | stats count() by ", "/ | sort ", "| where "),
      (list, end) => {
        const text = `/${list.join("")}${end}`;
        try {
          parsePipeline(text, { now: 0 });
        } catch (error) {
          expect(error).toBeInstanceOf(QueryError);
          expect((error as QueryError).column).toBeLessThanOrEqual(text.length + 1);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test("what was meant is the nearest word, or none", () => {
  expect(nearest("cuont", ["count", "sum"])).toBe("count");
  expect(nearest("servcie", ["service", "level"])).toBe("service");
  expect(nearest("zebra", ["count", "sum"])).toBeUndefined();
});
