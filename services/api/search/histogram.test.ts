import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { floorTo, histogramBuckets, stepFor } from "./histogram.ts";

const second = 1_000_000_000n;
const times = fc
  .tuple(fc.bigInt({ min: -(2n ** 60n), max: 2n ** 61n }), fc.bigInt({ min: 1n, max: 2n ** 61n }))
  .map(([from, length]) => [from, from + length] as const);

test("there are never more stretches than asked for, and they cover the whole time", () => {
  fc.assert(
    fc.property(times, fc.integer({ min: 1, max: 500 }), ([from, to], wanted) => {
      const step = stepFor(from, to, wanted);
      const buckets = histogramBuckets({ q: "", now: 0, from, to, step }, []);
      // A time across a border needs one more than its length says; only where one was asked for is that one too many.
      expect(buckets.length).toBeLessThanOrEqual(Math.max(2, wanted));
      expect(buckets[0]?.at).toBe(floorTo(from, step));
      const last = buckets.at(-1)?.at ?? 0n;
      expect(last < to && last + step >= to).toBe(true);
    }),
  );
});

test("an hour in 60 stretches is minutes; rows land in their stretch and level", () => {
  const from = 1_760_000_400n * second;
  const step = stepFor(from, from + 3_600n * second, 60);
  expect(step).toBe(60n * second);
  const asked = { q: "", now: 0, from, to: from + 3_600n * second, step };
  const buckets = histogramBuckets(asked, [
    ["0", 5, "3"],
    ["0", 0, "2"],
    ["59", 6, "1"],
    ["60", 6, "9"],
  ]);
  expect(buckets[0]?.counts).toEqual({ trace: 0, debug: 0, info: 0, warn: 0, error: 3, fatal: 0, unspecified: 2 });
  expect(buckets[59]?.counts.fatal).toBe(1);
  expect(buckets).toHaveLength(60);
});
