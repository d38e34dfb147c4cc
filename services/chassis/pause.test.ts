import { expect, test } from "@jest/globals";
import { createPause } from "./pause.ts";

/** Whether it ends by itself before the next turn of the event loop's timers. */
const endsAtOnce = (resting: Promise<void>): Promise<boolean> =>
  Promise.race([resting.then(() => true), new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 5))]);
const long = 3_600_000;

test("it lasts as long as it was asked to", async () => {
  const { rest } = createPause();
  expect(await endsAtOnce(rest(0))).toBe(true);
  expect(await endsAtOnce(rest(20))).toBe(false);
});

test("who wakes it ends it, and it can rest again", async () => {
  const { rest, wake, stop } = createPause();
  const resting = rest(long);
  expect(await endsAtOnce(resting)).toBe(false);
  wake();
  await resting;
  expect(await endsAtOnce(rest(long))).toBe(false);
  stop();
});

test("what wakes it in the middle of a turn is not slept over", async () => {
  const { rest, wake, stop } = createPause();
  wake();
  expect(await endsAtOnce(rest(long))).toBe(true);
  expect(await endsAtOnce(rest(long))).toBe(false);
  stop();
});

test("once stopped, nothing rests", async () => {
  const one = createPause();
  const resting = one.rest(long);
  one.stop();
  await resting;
  expect(one.stopped).toBe(true);
  expect(await endsAtOnce(one.rest(long))).toBe(true);
  expect(await endsAtOnce(one.rest(long))).toBe(true);
});

test("a rest longer than a timer can count is a long one", async () => {
  const one = createPause();
  const resting = one.rest(Number.POSITIVE_INFINITY);
  expect(await endsAtOnce(resting)).toBe(false);
  one.stop();
});
