import { expect, test } from "@jest/globals";
import fc from "fast-check";
import pc from "picocolors";
import { eventLine } from "./event-line.ts";
import { progressLine } from "./progress.ts";
import { table } from "./table.ts";
import { bytes, duration, plural, printable } from "./text.ts";
import { readSpan, readTime } from "./times.ts";

const plain = pc.createColors(false);

test("nothing that others wrote can move the cursor, break the line or reorder it", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (message, key) => {
      const line = eventLine(
        {
          id: "0-0-0",
          timestamp: "2026-01-01T00:00:00.123456789Z",
          received_at: "",
          level: "error",
          severity_number: 17,
          source: "s",
          service: message,
          host: "",
          message,
          trace_id: "",
          span_id: "",
          attributes: { [key]: message },
        },
        plain,
      );
      expect(line).not.toMatch(
        /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]/,
      );
    }),
  );
  expect(printable("a\u001b[2Jb\r\nc\u202e")).toBe("a\\x1b[2Jb\\r\\nc\\u202e");
});

test("an event reads as time, level, service, message, attributes", () => {
  const line = eventLine(
    {
      id: "0-0-0",
      timestamp: "2026-01-01T00:00:00.123456789Z",
      received_at: "",
      level: "warn",
      severity_number: 13,
      source: "s",
      service: "web",
      host: "",
      message: "slow",
      trace_id: "ab",
      span_id: "",
      attributes: { path: "/a b", n: 3 },
    },
    plain,
  );
  expect(line).toBe('2026-01-01T00:00:00.123Z WARN  web slow path="/a b" n=3 trace_id=ab');
});

test("a progress line fits its terminal", () => {
  const line = progressLine({ read: 50, total: 100, events: 2000, wire: 4096, seconds: 2, note: "" }, 100);
  expect(line).toMatch(/^█+░+ {2}50% {2}2,000 events {2}1,000\/s {2}4.00 KiB sent {2}eta 2.0 s$/);
  for (const columns of [20, 40, 80, 200]) {
    expect(
      progressLine({ read: 50, total: 100, events: 2e9, wire: 4e9, seconds: 2, note: "x".repeat(50) }, columns).length,
    ).toBeLessThan(columns);
  }
});

test("columns align whatever colours they carry", () => {
  expect(
    table(
      ["A", "N"],
      [
        [pc.createColors(true).red("xx"), "1"],
        ["y", "22"],
      ],
      [1],
    ),
  ).toBe("A    N\n\u001b[31mxx\u001b[39m   1\ny   22\n");
});

test("numbers and spans for people", () => {
  expect([bytes(0), bytes(999), bytes(1234), bytes(5 << 20)]).toEqual(["0 B", "999 B", "1.21 KiB", "5.00 MiB"]);
  expect([duration(0.82), duration(42), duration(187), duration(3723)]).toEqual(["0.8 s", "42 s", "3:07", "1:02:03"]);
  expect([plural(1, "event"), plural(1200, "event")]).toEqual(["1 event", "1,200 events"]);
});

test("times and spans as typed", () => {
  const now = Date.parse("2026-01-31T10:00:00Z");
  expect(readTime("15m", "--from", now)).toBe("2026-01-31T09:45:00.000Z");
  expect(readTime("-1d", "--from", now)).toBe("2026-01-30T10:00:00.000Z");
  expect(readTime("2026-01-31T10:00:00.123456789+01:00", "--from", now)).toBe("2026-01-31T09:00:00.123456789Z");
  expect(() => readTime("yesterday", "--from", now)).toThrow('--from is "yesterday", which is no time.');
  expect([readSpan("90", "x"), readSpan("2h", "x")]).toEqual([90, 7200]);
  expect(() => readSpan("1 day", "--overlap")).toThrow("--overlap");
});
