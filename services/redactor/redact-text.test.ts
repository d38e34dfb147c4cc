import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { detectors } from "./detectors.ts";
import { redactValue } from "./redact-json.ts";
import { redactText } from "./redact-text.ts";

const text = (value: string): string => redactText(value, new Map());
const value = (given: string): string => redactValue(given, new Map());
const key = "q7m2x9k4v1t8z3n6";

test.each([
  [`token: ${key}`, "token: [redacted:token]"],
  [`X-Api-Key: ${key}`, "X-Api-Key: [redacted:secret]"],
  [`"clientSecret" => "${key}"`, '"clientSecret" => "[redacted:secret]"'],
  [`setenv("APP_TOKEN", "${key}")`, 'setenv("APP_TOKEN", "[redacted:token]")'],
  [`<apiToken>\n  ${key}\n</apiToken>`, "<apiToken>\n  [redacted:token]\n</apiToken>"],
  [`said "{\\"password\\":\\"mango\\"}" twice`, 'said "{\\"password\\":\\"[redacted:password]\\"}" twice'],
  ["GET /in?user=ada&password=mango%21x&next=/", "GET /in?user=ada&password=[redacted:password]&next=/"],
  ["redis://:mango-River9@cache:6379/0", "redis://:[redacted:url_credentials]@cache:6379/0"],
  ["pwd=mango-River9, again mango-River9", "pwd=[redacted:password], again [redacted:password]"],
  ["\u001b[33mpassword=mango-River9\u001b[0m", "\u001b[33mpassword=[redacted:password]\u001b[0m"],
])("%j", (given, expected) => expect(text(given)).toBe(expected));

test.each([
  "Failed password for invalid user admin from 10.0.0.7 port 4242 ssh2",
  "password authentication failed for user deploy",
  "prompt_tokens=812 completion_tokens=94 max_tokens: 4096",
  "trace 4bf92f3577b34da6a3ce929d0e0e4736 span 00f067aa0ba902b7",
  "commit 8f14e45fceea167a5a36dedd4bea2543deadbeef pushed",
  "id 3fa85f64-5717-4562-b3fc-2c963f66afa6 took 1750000000123 ms",
  "user=ada ip=203.0.113.9 action=login",
  "token_expires_at=2026-01-02T03:04:05Z password_changed=true",
  "order 4539148803436468 shipped",
  "session opened for user root by (uid=0)",
])("spares %j", (given) => expect(value(given)).toBe(given));

test("JSON keeps its form around what is redacted", () => {
  const given =
    '{ "user" : "ada", "password":12345, "n": 1.50, "list":[ {"apiKey":"a b c d e"} ], "cookie": ["a=b","c=d"] }';
  expect(value(given)).toBe(
    '{ "user" : "ada", "password":"[redacted:password]", "n": 1.50, "list":[ {"apiKey":"[redacted:secret]"} ], "cookie": ["[redacted:cookie]","[redacted:cookie]"] }',
  );
});

test("names and secrets written as JSON escapes are seen", () => {
  expect(value('{"pass\\u0077ord":"mango"}')).toBe('{"pass\\u0077ord":"[redacted:password]"}');
  expect(value('{"inner":"{\\"secret\\":\\"mango river\\"}"}')).toBe(
    '{"inner":"{\\"secret\\":\\"[redacted:secret]\\"}"}',
  );
});

test("JSON deeper than is looked into is refused, not passed", () => {
  const deep = `${"[".repeat(80)}"password"${"]".repeat(80)}`;
  expect(() => value(deep)).toThrow("deep");
});

test("what is masked already stays as it is", () => {
  for (const masked of ["password=********", "password=[redacted:password]", '{"password":"***","token":""}'])
    expect(value(masked)).toBe(masked);
  expect(text("password=[redacted:not_a_rule]")).not.toContain("not_a_rule");
});

const pieces = fc.oneof(
  fc.constantFrom(...detectors.flatMap(({ example, lookalike }) => [example, lookalike])),
  fc.constantFrom(
    "password",
    "token=",
    ": ",
    '"',
    "'",
    "[redacted:jwt]",
    "\\",
    "{",
    "}",
    "&",
    "@",
    "//",
    "4539",
    "-",
    " ",
    "\n",
    "key",
    "=>",
    "é",
  ),
  fc.string({ maxLength: 12 }),
);

test("redacting again changes nothing", () => {
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
      const once = value(parts.join(""));
      expect(value(once)).toBe(once);
    }),
    { numRuns: 2000 },
  );
});

test("a hostile megabyte takes no longer than its size", () => {
  for (const unit of [
    "password=",
    "4539 ",
    "a@b.cc ",
    "[redacted:jwt]",
    "token='",
    "//a:",
    "-----BEGIN PRIVATE KEY-----",
    "kind: Secret a: QUJDREVG\n",
    "eyJ.ey",
  ]) {
    const start = performance.now();
    value(unit.repeat(Math.ceil(1_000_000 / unit.length)));
    expect(performance.now() - start).toBeLessThan(15_000);
  }
});
