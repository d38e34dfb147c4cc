import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { createAccumulator } from "./accumulator.ts";

const recorded = (options: { flushEvents: number; flushMs: number; flushTakesMs?: number; fail?: boolean }) => {
  const flushes: number[][] = [];
  let under = 0;
  let most = 0;
  const accumulator = createAccumulator<number>({
    ...options,
    flush: async (items) => {
      most = Math.max(most, ++under);
      flushes.push(items.map(({ item }) => item));
      await sleep(options.flushTakesMs ?? 1);
      under--;
      if (options.fail) throw new Error("no");
      for (const one of items) one.resolve();
    },
  });
  return { add: accumulator.add, flushes, most: () => most };
};

test("a full flush goes at once, the rest after its time, never two side by side", async () => {
  const { add, flushes, most } = recorded({ flushEvents: 10, flushMs: 40, flushTakesMs: 10 });
  const began = Date.now();
  await Promise.all([1, 2, 3, 4, 5].map((item) => add(item, 4)));
  expect(flushes).toEqual([
    [1, 2, 3],
    [4, 5],
  ]);
  expect(Date.now() - began).toBeGreaterThanOrEqual(39);
  expect(most()).toBe(1);
});

test("one record alone waits its time and no longer", async () => {
  const { add, flushes } = recorded({ flushEvents: 10, flushMs: 20 });
  await add(1, 1);
  expect(flushes).toEqual([[1]]);
});

test("a flush that fails rejects its own, and the next one runs", async () => {
  const { add, flushes } = recorded({ flushEvents: 1, flushMs: 20, fail: true });
  await expect(add(1, 1)).rejects.toThrow("no");
  await expect(add(2, 1)).rejects.toThrow("no");
  expect(flushes).toEqual([[1], [2]]);
});
