/** What the pages compute, without a page. */
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { createEventReader } from "./api/sse.ts";
import { byLevel, byValue, totalOf } from "./boards/shape.ts";
import { templateOf } from "./boards/template.ts";
import { shellWord } from "./explore/commands-of.ts";
import { partsOf } from "./patterns/parts.ts";
import { receiptOf } from "./sources/receipt.ts";
import { seriesOf } from "./usage/series.ts";
import { snippetsFor } from "./welcome/snippets.ts";

test("events come whole, wherever the network cuts their bytes", () => {
  const text =
    'event: open\ndata: {}\n\nid: x-1\ndata: {"message":"a\\nb"}\n\n: comment\n\nevent: skipped\ndata: {"count":3}\n\n';
  const whole = [
    { event: "open", id: "", data: "{}" },
    { event: "message", id: "x-1", data: '{"message":"a\\nb"}' },
    { event: "skipped", id: "", data: '{"count":3}' },
  ];
  fc.assert(
    fc.property(fc.array(fc.nat(text.length)), (cuts) => {
      const read = createEventReader();
      const places = [0, ...cuts.sort((a, b) => a - b), text.length];
      expect(places.flatMap((at, i) => read(text.slice(at, places[i + 1] ?? text.length)))).toEqual(whole);
    }),
  );
});

const histogram = (counts: Record<string, number>[]) => ({
  buckets: counts.map((one, i) => ({ at: `2026-01-01T00:0${i}:00.000000000Z`, counts: one })),
  step_seconds: 60,
  stats: { rows: 0, bytes: 0, ms: 0 },
});

test("lines by level leave out the levels that never came; lines by value share one time", () => {
  const levels = byLevel(
    histogram([
      { info: 2, error: 0 },
      { error: 1, unspecified: 4 },
    ]),
  );
  expect(levels.series.map(({ name, values }) => [name, values])).toEqual([
    ["error", [0, 1]],
    ["info", [2, 0]],
    ["no level", [0, 4]],
  ]);
  expect(totalOf(histogram([{ info: 2 }, { error: 1 }]))).toBe(3);
  const values = byValue(["a", "b"], [histogram([{ info: 1 }]), histogram([{ info: 5 }, { info: 6 }])]);
  expect(values.times).toHaveLength(2);
  expect(values.series.map((one) => one.values)).toEqual([
    [1, 0],
    [5, 6],
  ]);
});

test("a first dashboard goes by what an organization has", () => {
  const facet = (field: string, ...names: string[]) => ({ field, values: names.map((value) => ({ value, count: 1 })) });
  expect(templateOf([facet("service", "a", "b")]).variables).toEqual([{ field: "service", value: "" }]);
  const other = templateOf([facet("service", "a"), facet("source", "x", "y")]);
  expect(other.variables).toEqual([{ field: "source", value: "" }]);
  expect(new Set(other.panels.map(({ id }) => id)).size).toBe(other.panels.length);
});

test("every day of a window has a bar, and the largest source comes first", () => {
  const day = (at: string, source: string, bytes: number) => ({
    ...{ day: at, source, name: "", events: 1, bytes },
    ...{ dropped: { duplicate: 2 }, redacted: {} },
  });
  const days = [day("2026-01-01", "small", 1), day("2026-01-03", "large", 9), day("2026-01-03", "small", 2)];
  const { days: bars, sources, most, total } = seriesOf({ from: "2026-01-01", to: "2026-01-03", days }, "bytes");
  expect(bars.map(({ sum }) => sum)).toEqual([1, 0, 11]);
  expect(sources.map(({ source, value, dropped }) => [source, value, dropped])).toEqual([
    ["large", 9, 2],
    ["small", 3, 4],
  ]);
  expect([most, total]).toEqual([11, 12]);
});

test("a shell gets one word, whatever is in it", () => {
  expect(shellWord("-1h")).toBe("-1h");
  expect(shellWord(`it's "x" $(rm)`)).toBe(`'it'\\''s "x" $(rm)'`);
});

test("an event's id is traced by its record", () => {
  expect(receiptOf(" 3-1742-0 ")).toBe("3-1742x1");
  expect(receiptOf("native.src_1:3-1742-7")).toBe("native.src_1:3-1742x1");
  expect(receiptOf("3-1742x100~4-1x2")).toBe("3-1742x100~4-1x2");
});

test("a template falls into text and holes", () => {
  expect(partsOf("GET /cart/<num> <b> by <any>").map(({ text, hole }) => [text, hole])).toEqual([
    ["GET /cart/", false],
    ["<num>", true],
    [" <b> by ", false],
    ["<any>", true],
  ]);
});

test("each way to send has the address and the key in it", () => {
  for (const { text } of snippetsFor("https://in.example.org", "al_ing_x")) {
    expect(text).toContain("in.example.org");
    expect(text).toContain("al_ing_x");
  }
});
