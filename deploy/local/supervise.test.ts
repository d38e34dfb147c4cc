import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import type { Exit } from "./child.ts";
import { firstDelayMs, longestDelayMs, nextDelay, steadyMs, supervise } from "./supervise.ts";

test("the pause doubles up to its longest, and begins anew after a steady run", () => {
  let delay = 0;
  const delays = Array.from({ length: 9 }, () => (delay = nextDelay(delay, 1_000)));
  expect(delays[0]).toBe(firstDelayMs);
  expect(delays[1]).toBe(2 * firstDelayMs);
  expect(delays.at(-1)).toBe(longestDelayMs);
  expect(nextDelay(longestDelayMs, steadyMs)).toBe(firstDelayMs);
});

test("it starts again what ended, says so, tries again when that fails, and stops when told", async () => {
  const said: string[] = [];
  const abort = new AbortController();
  let starts = 0;
  let restarts = 0;
  const ended: Promise<Exit> = Promise.resolve({ code: 1, signal: null });
  const one = {
    name: "sink",
    exited: () => (starts < 2 ? ended : new Promise<Exit>(() => undefined)),
    start: () => (++starts === 1 ? Promise.reject(new Error("not yet\nits log")) : Promise.resolve()),
  };
  const done = supervise(one, { signal: abort.signal, say: (line) => said.push(line), onRestart: () => restarts++ });
  for (let tries = 0; tries < 200 && restarts === 0; tries++) await sleep(25);
  abort.abort();
  await done;
  expect(starts).toBe(2);
  expect(said[0]).toBe("sink ended unasked (exit 1)");
  expect(said[1]).toMatch(/^sink: not yet It is tried again/);
  expect(said[2]).toMatch(/^sink runs again after/);
});
