import { mask, shown } from "@astralog/schemas/mask";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { findPatterns, type MessageCount } from "./patterns.ts";

const many = (messages: readonly string[], count = 1): MessageCount[] =>
  messages.map((message, i) => ({ message, count, first: BigInt(i), last: BigInt(i), severity: 9 }));
const templates = (messages: readonly string[]): [string, number][] =>
  findPatterns(many(messages), []).map(({ template, count }) => [template, count]);

test.each([
  ["took 12 ms", "took <num> ms"],
  ["took 12ms, 3.5s and 1,024 bytes", "took <num>ms, <num>s and <num> bytes"],
  ["from 10.0.0.1:8080 to 192.168.0.0/16", "from <ip> to <ip>"],
  ["from 2001:db8::ff00:42:8329", "from <ip>"],
  ["at 2026-01-31T10:00:00.123Z or 2026-01-31", "at <time> or <time>"],
  ['[10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.1" 200', '[<time>] "GET /a HTTP/<num>" <num>'],
  ["order 3f2504e0-4f89-11d3-9a0c-0305e82c3301 done", "order <uuid> done"],
  ["commit 9fceb02d0ae598e95dc970b74767f19372d61af8", "commit <hex>"],
  ["at 0x7ffd", "at <hex>"],
  ["mac 00:1b:44:11:3a:b7", "mac <mac>"],
  ["mail to ann@example.org.", "mail to <email>."],
  ["id=42;n=7", "id=<num>;n=<num>"],
  ["-5 and +5", "-<num> and +<num>"],
  ["added decade facade", "added decade facade"],
  ["utf8 p99 http2 v1", "utf8 p99 http2 v1"],
  ["a <num> that was written", "a <num> that was written"],
])("%s", (message, template) => {
  expect(shown(mask(message))).toBe(template);
});

test("words that differ become a hole, shapes that differ stay apart", () => {
  expect(
    templates([
      "user ann logged in from 10.0.0.1",
      "user bo logged in from 10.0.0.2",
      "user cy logged in from 10.0.0.3",
      "disk sda1 is full",
      "disk sdb2 is full",
      "shutting down",
    ]),
  ).toEqual([
    ["user <any> logged in from <ip>", 3],
    ["disk <any> is full", 2],
    ["shutting down", 1],
  ]);
});

test("what is new is what the period before had none of", () => {
  const found = findPatterns(many(["job 1 failed", "job 2 failed", "job 3 started"]), many(["job 9 started"], 40));
  expect(found.map(({ template, count, before }) => [template, count, before])).toEqual([["job <num> <any>", 3, 40]]);
  const apart = findPatterns(many(["cannot reach db 1 at all", "job 3 started"]), many(["job 9 started"], 40));
  expect(apart.map(({ template, before }) => [template, before]).sort()).toEqual([
    ["cannot reach db <num> at all", 0],
    ["job <num> started", 40],
  ]);
});

test("the query names whole words only", () => {
  const [one] = findPatterns(many(['GET /cart/17 took 12ms by "x"', 'GET /cart/18 took 15ms by "y"']), []);
  expect(one).toMatchObject({ template: "GET /cart/<num> took <num>ms by <any>", query: '"GET cart" "took" "by"' });
});

test("no message is lost or counted twice, each shape has its example, and the order given does not matter", () => {
  const word = fc.constantFrom(
    "a",
    "b",
    "get",
    "42",
    "7",
    "10.0.0.1",
    "deadbeef1",
    "x=1",
    "",
    "\u0001num\u0002",
    "日本",
  );
  const message = fc.array(word, { maxLength: 6 }).map((words) => words.join(" "));
  fc.assert(
    fc.property(fc.uniqueArray(message, { maxLength: 60 }), (messages) => {
      const found = findPatterns(many(messages), []);
      expect(found.reduce((sum, { count }) => sum + count, 0)).toBe(messages.length);
      for (const { example } of found) expect(messages).toContain(example);
      const again = findPatterns(many(messages.toReversed()), []);
      expect(again.map(({ template, count }) => [template, count])).toEqual(
        found.map(({ template, count }) => [template, count]),
      );
    }),
  );
});

test("twenty thousand different messages take no time that grows with their square", () => {
  const messages = Array.from({ length: 20_000 }, (_, i) => `w${i % 977} said ${i} things to h${i % 31}`);
  expect(findPatterns(many(messages), []).length).toBeLessThan(3_000);
});
