import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { Names } from "./field-names.ts";
import { makeRoles } from "./field-roles.ts";
import { JsonScanner } from "./json-scan.ts";
import { arrayText } from "./json-text.ts";

const scanner = new JsonScanner(new Names(makeRoles()));

/** Whether the whole text is one JSON value, by the scanner: as an event when it opens like one, else read over. */
const accepts = (text: string): boolean => {
  const bytes = Buffer.from(text);
  scanner.multiline = true;
  scanner.over(bytes, 0, bytes.length);
  const read = scanner.peek() === 123 ? scanner.object() : scanner.value(0);
  return read && scanner.peek() === -1;
};
const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

// Real JSON with one thing wrong, or not: a cut, a swap, a doubled or a foreign character.
const damaged = fc
  .tuple(
    fc.oneof(
      fc.json({ maxDepth: 4 }),
      fc.json().map((t) => `{"a":${t},"b":[${t}]}`),
    ),
    fc.nat(),
    fc.constantFrom(
      "",
      ",",
      "{",
      "}",
      "[",
      "]",
      '"',
      "\\",
      ":",
      "0",
      "-",
      ".",
      "e",
      "\\u12",
      "\u0001",
      "\n",
      " ",
      "tru",
      "é",
    ),
    fc.nat(2),
  )
  .map(([text, at, piece, cut]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + piece + text.slice(place + cut);
  })
  .map((text) => text.toWellFormed());

test("accepts exactly what JSON.parse accepts", () => {
  fc.assert(
    fc.property(damaged, (text) => expect([text, accepts(text)]).toEqual([text, isJson(text)])),
    { numRuns: 20_000 },
  );
});

test.each([
  "1",
  "-0",
  "0.10",
  "1E+5",
  "-1.5e-9",
  "true",
  "null",
  '"\\u00e9\\n"',
  "[]",
  "[[]  ]",
  "{}",
  ' {"":{"":[]}}\r\n',
])("%j is JSON", (text) => expect(accepts(text)).toBe(true));
test.each([
  "",
  "01",
  "1.",
  ".5",
  "+1",
  "1e",
  "- 1",
  "0x1",
  "NaN",
  "nul",
  "truex",
  "'a'",
  '"\t"',
  '"\\x"',
  '"\\u12g4"',
  '"\\u\u0011\u0011\u0011\u0011"',
  "[1,]",
  "[,1]",
  "[1 2]",
  "{a:1}",
  '{"a":1,}',
  '{"a"}',
  '{"a":}',
  '{"a":1 "b":2}',
  '{"a":1}}',
  "[1]]",
  '{"a":1}/**/',
])("%j is not JSON", (text) => expect(accepts(text)).toBe(false));

test("a name that was guessed right is still read right", () => {
  for (const text of [
    '{"a":1,"b":2}',
    '{"a":1,"b":2}',
    '{"a":1,"bc":2}',
    '{"a\\u0062":1,"b":2}',
    '{"a"b":1}',
    '{"a":1',
  ]) {
    expect([text, accepts(text)]).toEqual([text, isJson(text)]);
    if (isJson(text))
      expect(scanner.leafNames.slice(0, scanner.count).map(({ text: name }) => name)).toEqual(
        Object.keys(JSON.parse(text)),
      );
  }
});

test("no nesting is too deep to be judged without a stack", () => {
  expect(accepts("[".repeat(100_000))).toBe(false);
  expect(scanner.hostile).toBe(true);
  expect(accepts(`{"a":${'{"a":'.repeat(100_000)}`)).toBe(false);
  expect(scanner.hostile).toBe(true);
  expect(accepts(`${"[".repeat(64)}${"]".repeat(64)}`)).toBe(true);
  expect(scanner.excess).toBeUndefined();
  expect(accepts(`${"[".repeat(65)}${"]".repeat(65)}`)).toBe(true);
  expect(scanner.excess).toBe("too_deep");
  expect(accepts(`${'{"a":'.repeat(64)}1${"}".repeat(64)}`)).toBe(true);
  expect(scanner.excess).toBeUndefined();
  expect(accepts(`${'{"a":'.repeat(65)}1${"}".repeat(65)}`)).toBe(true);
  expect(scanner.excess).toBe("too_deep");
});

test("what is remembered of names is bounded, and forgetting changes no result", () => {
  const small = new Names(makeRoles(), 100);
  const forgetful = new JsonScanner(small);
  for (let i = 0; i < 5_000; i++) {
    const bytes = Buffer.from(`{"k${i}":{"x${i}":1},"m":2}`);
    forgetful.over(bytes, 0, bytes.length);
    expect(forgetful.object()).toBe(true);
    expect(forgetful.leafNames.slice(0, forgetful.count).map(({ text }) => text)).toEqual([`k${i}.x${i}`, "m"]);
  }
  expect(small.root.children.size).toBeLessThan(101);
});

test("an array's text keeps its meaning and its numbers, and hides nothing behind escapes", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), (value) => {
      const hidden = JSON.stringify(value).replace(
        /"((?:[^"\\]|\\.)*)"/g,
        (_, inner: string) =>
          `"${inner.replace(/[a-z](?![0-9a-f]{4})/g, (c, at: number) => (inner[at - 1] === "\\" ? c : `\\u00${c.charCodeAt(0).toString(16)}`))}"`,
      );
      expect(JSON.parse(arrayText(hidden))).toEqual(JSON.parse(hidden));
      expect(arrayText(hidden)).not.toMatch(/\\u00[67]/);
    }),
  );
  expect(arrayText('[1.0, "\\u0061\\/", 12345678901234567890]')).toBe('[1.0, "a/", 12345678901234567890]');
});
