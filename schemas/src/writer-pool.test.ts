import { expect, test } from "@jest/globals";
import { WriterPool } from "./writer-pool.ts";

test("what was given back is taken again, unless it is too small or too large to be kept", () => {
  const pool = new WriterPool(2, 100, 10);
  const [kept, large, small] = [pool.take(50), pool.take(101), pool.take(9)];
  for (const writer of [large, small, kept]) pool.give(writer);
  // A small one leaves the large ones to others.
  expect([kept, large, small]).not.toContain(pool.take(9));
  expect(pool.take(10)).toBe(kept);
  expect([kept, large, small]).not.toContain(pool.take(10));
});

test("no more are kept than it was told", () => {
  const pool = new WriterPool(1, 100);
  const [first, second] = [pool.take(50), pool.take(50)];
  for (const writer of [first, second]) pool.give(writer);
  expect(pool.take(50)).toBe(first);
  expect(pool.take(50)).not.toBe(second);
});
