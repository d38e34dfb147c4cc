import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { readAnsi } from "./ansi.ts";
import type { EventView } from "./data.ts";
import {
  filterOf,
  findWrong,
  groupedBy,
  hasFilter,
  marksOf,
  pipeWords,
  splitPipes,
  valueTerms,
  withFilter,
  withoutTerms,
} from "./language.ts";
import { groupMarks, type Mark } from "./marks-data.ts";
import { placesOf, rangeFilter, rangeOfField, withRange } from "./number-range.ts";
import { chartable, linesOf } from "./pipes-lines.ts";
import { piecesOf, redactionsOf } from "./redactions.ts";
import { shareDone } from "./search-stream.ts";
import { describeRange, shift } from "./time-range.ts";
import { readRange } from "./time-words.ts";
import { windowAround } from "./trace-time.ts";
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

test("an end of the window that is no time is called so", () => {
  expect(describeRange({ from: "24h", to: "" }, true, now)).toBe('"24h" is no time');
  expect(describeRange({ from: "-3h", to: "" }, true, now)).toBe("Last 3 hours");
});

const byService = {
  columns: [
    { name: "service", type: "text" },
    { name: "bin(1m)", type: "time" },
    { name: "count()", type: "number" },
    { name: "p95(ms)", type: "number" },
  ],
  rows: [
    ["shop", "2026-11-24T15:00:00.000000000Z", 3, 20],
    ["shop", "2026-11-24T15:02:00.000000000Z", 4, 30],
    ["", "2026-11-24T15:01:00.000000000Z", 9, null],
  ],
  truncated: false,
  stats: { rows: 16, bytes: 1, ms: 1 },
} as const;

test("a table with a time is drawn: groups by size, nothing counted is zero, nothing measured is unknown", () => {
  expect(chartable(byService)).toEqual(["count()", "p95(ms)"]);
  const counts = linesOf(byService, "count()");
  expect(counts.lines.times.map((at) => new Date(at * 1000).getUTCMinutes())).toEqual([0, 1, 2]);
  expect(counts.lines.series.map(({ name, values }) => [name, values])).toEqual([
    ["(none)", [0, 9, 0]],
    ["shop", [3, 0, 4]],
  ]);
  expect(linesOf(byService, "p95(ms)").lines.series.map(({ values }) => values)).toEqual([
    [20, null, 30],
    [null, null, null],
  ]);
  expect(chartable({ ...byService, rows: byService.rows.slice(0, 1) })).toEqual([]);
});

test("lines that cannot be told apart are left to the table", () => {
  const rows = Array.from({ length: 20 }, (_, i) => [`s${i % 10}`, `2026-11-24T15:0${i < 10 ? 0 : 1}:00Z`, i, 1]);
  const { lines, left } = linesOf({ ...byService, rows }, "count()");
  expect([lines.series.length, left, lines.series[0]?.name]).toEqual([6, 4, "s9"]);
});

test("the value of a field can be another one, and nothing else of the query changes", () => {
  const [service, host] = valueTerms('down service:paymets -level:info host:"a b" (x:y OR z) ms:>3 | top 3 host');
  expect([service?.field, service?.value, host?.value]).toEqual(["service", "paymets", "a b"]);
  expect(service?.withValue("pay ments")).toBe(
    'down service:"pay ments" -level:info host:"a b" (x:y OR z) ms:>3 | top 3 host',
  );
  expect(valueTerms("-level:info (x:y OR z) ms:>3 a:* b:c*")).toEqual([]);
});

test("which columns of a table are fields", () => {
  expect([...groupedBy('x | stats count() by service, http.status, bin(5m) | sort "count()"')]).toEqual([
    ["service", "service"],
    ["http.status", "http.status"],
  ]);
  expect([...groupedBy("| top 10 user_id")]).toEqual([["user_id", "user_id"]]);
  expect([...groupedBy("| limit 3"), ...groupedBy('"')]).toEqual([]);
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
    part: "trace" as const,
    place: "sto_1",
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

test("redactions are told by field and detector, and stand out where they are", () => {
  const event = {
    message: "card [redacted:payment_card] and [redacted:payment_card]",
    ...{ service: "shop", host: "", attributes: { "[redacted:email]": 1, note: "[redacted:Not one]" } },
  };
  expect(redactionsOf(event as unknown as EventView)).toEqual([
    { field: "message", detector: "payment_card", count: 2 },
    { field: "[redacted:email]", detector: "email", count: 1 },
  ]);
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.constant("[redacted:email]"))), (parts) => {
      const text = parts.join("");
      const pieces = piecesOf(text);
      expect(pieces.map((one) => one.text).join("")).toBe(text);
      expect(pieces.every((one) => one.text !== "")).toBe(true);
    }),
  );
});

test("times within a trace keep their nanoseconds", () => {
  const stamp = (fraction: string) => ({ timestamp: `2026-11-24T06:12:01.${fraction}Z` });
  expect(windowAround([stamp("000000001"), stamp("5")])).toEqual(["2026-11-24T06:12:01.000000001Z", 499_999_999]);
  expect(windowAround([])[1]).toBe(0);
});

test("a range of numbers goes into the query, is replaced by the next, and is taken out again", () => {
  const numbers = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 });
  fc.assert(
    fc.property(numbers, numbers, (a, b) => {
      const [from, to] = a < b ? [a, b] : [b, a];
      const filter = rangeFilter("latency.ms", from, to);
      expect(findWrong(filter)).toBeUndefined();
      const [, low, high] = /\[(\S+) TO (\S+)\]/.exec(filter) ?? [];
      expect(Number(low) <= from && Number(high) >= to).toBe(true);
      const q = withRange("a OR b | top x", "latency.ms", filter);
      expect(q).toBe(`(a OR b) ${filter} | top x`);
      expect(rangeOfField(q, "latency.ms")).toBe(filter);
      expect(withRange(withRange(q, "latency.ms", "latency.ms:[1 TO 2]"), "latency.ms", undefined)).toBe(
        "(a OR b) | top x",
      );
    }),
  );
  expect(placesOf("ms:[10 TO 21]", [0, 10, 20, 30])).toEqual([1, 3]);
  expect(placesOf(undefined, [0, 10, 20])).toEqual([0, 2]);
});

test("marks of one bucket share a sign, and one that lasts into the window stands at its begin", () => {
  const mark = (id: string, at: number, until: number | null = null): Mark => ({
    ...{ id, kind: "note", title: id, service: "", url: "" },
    ...{ at: new Date(at).toISOString(), until: until === null ? null : new Date(until).toISOString() },
  });
  const marks = [mark("late", 1_250), mark("early", 1_210), mark("before", 900), mark("lasts", 900, 1_500)];
  const chart = { start: 1_000, stepMs: 100, buckets: 10, live: false };
  const groups = groupMarks([...marks, mark("after", 2_000)], chart);
  expect(groupMarks([mark("newest", 2_000)], { ...chart, live: true })[0]?.bucket).toBe(9);
  expect(groups.map(({ bucket, marks: own }) => [bucket, own.map(({ id }) => id)])).toEqual([
    [0, ["lasts"]],
    [2, ["early", "late"]],
  ]);
});

test("how much of a window is searched", () => {
  const at = (searchedFrom: string) => ({ searchedFrom, events: 0, stats: { rows: 0, bytes: 0, ms: 0 } });
  const [from, to] = [Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 5)];
  expect(shareDone(at("2026-01-04T00:00:00.000000000Z"), from, to)).toBe(0.25);
  expect(shareDone(at("2025-01-04T00:00:00.000000000Z"), from, to)).toBe(1);
});

test("each term of a query can be left out, where the rest is still one", () => {
  expect(withoutTerms('a "b c" | top x').map(({ term, rest }) => [term, rest])).toEqual([
    ["a", '"b c" | top x'],
    ['"b c"', "a | top x"],
  ]);
  expect(withoutTerms("a OR b")).toEqual([]);
});
