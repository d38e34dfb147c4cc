import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { readAnsi } from "./ansi.ts";
import { filterOf, findWrong, hasFilter, marksOf, pipeWords, splitPipes, withFilter } from "./language.ts";
import { shift } from "./time-range.ts";
import { readRange } from "./time-words.ts";
import { readState, writeState } from "./url-state.ts";

// A Tuesday.
const now = Date.UTC(2026, 10, 24, 15, 30);

test.each([
  ["20m", "-20m", ""],
  ["last 3 days", "-3d", ""],
  ["past hour", "-1h", ""],
  ["yesterday", "2026-11-23T00:00:00.000Z", "2026-11-24T00:00:00.000Z"],
  ["yesterday 14:00 to 15:00", "2026-11-23T14:00:00.000Z", "2026-11-23T15:00:00.000Z"],
  ["14:00-15:30", "2026-11-24T14:00:00.000Z", "2026-11-24T15:30:00.000Z"],
  ["23:00 to 01:00", "2026-11-24T23:00:00.000Z", "2026-11-25T01:00:00.000Z"],
  ["since monday", "2026-11-23T00:00:00.000Z", ""],
  ["last week", "2026-11-16T00:00:00.000Z", "2026-11-23T00:00:00.000Z"],
  ["2026-11-20 9:30 to 10:00", "2026-11-20T09:30:00.000Z", "2026-11-20T10:00:00.000Z"],
  ["between 2pm and 3pm", "2026-11-24T14:00:00.000Z", "2026-11-24T15:00:00.000Z"],
  ["24 nov", "2026-11-24T00:00:00.000Z", "2026-11-25T00:00:00.000Z"],
  ["all time", "", ""],
])("%s", (words, from, to) => {
  expect(readRange(words, now, true)).toEqual({ from, to });
});

test.each(["soon", "31 feb", "25:00 to 26:00", "yesterday to", "", "5"])("%s is no time", (words) => {
  expect(readRange(words, now, true)).toBeUndefined();
});

test("a window moves by half of itself, and not past now", () => {
  const earlier = shift({ from: "-1h", to: "" }, -0.5, now);
  expect(earlier).toEqual({ from: "2026-11-24T14:00:00.000Z", to: "2026-11-24T15:00:00.000Z" });
  expect(shift(earlier, 2, now).to).toBe("2026-11-24T15:30:00.000Z");
});

test("a filter of any value is a query that can be run, and taking it out again leaves what was", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }), fc.boolean(), (value, exclude) => {
      const filter = filterOf("service", value);
      const added = withFilter("timeout level:>=warn", filter, exclude);
      expect(findWrong(added)).toBeUndefined();
      expect(hasFilter(added, filter)).toBe(exclude ? "out" : "in");
      expect(withFilter(added, filter, exclude)).toBe("timeout level:>=warn");
    }),
  );
  expect(withFilter("a OR b", "level:error", false)).toBe("(a OR b) level:error");
  expect(withFilter("level:error", "level:error", true)).toBe("-level:error");
});

test("what is looked for is marked, what is excluded is not", () => {
  expect("Connection, refused".match(marksOf('"connection refused" -timeout') ?? /x/)?.[0]).toBe("Connection, refused");
  expect(marksOf("-timeout level:error")).toBeUndefined();
});

test("colours become names, and no other control sequence is left", () => {
  expect(readAnsi("\x1b[31mred\x1b[0m plain\x1b[2J\x1b]0;title\x07")).toEqual([
    { text: "red", className: "ansi-red" },
    { text: " plain", className: "" },
  ]);
});

test("the address gives back what it was made from", () => {
  const state = {
    q: "a b",
    range: { from: "-7d", to: "" },
    pinned: ["a,b", "user.id"],
    event: "3-1-0",
    wrap: true,
    utc: true,
  };
  expect(readState(new URLSearchParams(writeState(state).toString()))).toEqual(state);
});

test("pipes are told from what only looks like one, and filters go before them", () => {
  expect(splitPipes('"a|b" /c|d/ e\\|f | top 5 x | limit 1')).toEqual(['"a|b" /c|d/ e\\|f', " | top 5 x | limit 1"]);
  expect(withFilter("a | stats count()", "service:x", false)).toBe("a service:x | stats count()");
  expect(findWrong("a | stats count() by service")).toBeUndefined();
  expect(findWrong("a | stts count()")).toMatchObject({ column: 5 });
});

test("behind a pipe the words of its stage are offered", () => {
  expect(pipeWords("level:error ")).toBeUndefined();
  expect(pipeWords("level:error | ")).toContain("stats");
  expect(pipeWords("a | stats ")).toContain("count()");
  expect(pipeWords("a | stats count() by ")).toContain("bin(1m)");
  expect(pipeWords("a | where ")).toBeUndefined();
});
