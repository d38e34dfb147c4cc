import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type Platform, platform } from "./platform.ts";
import { sharedStack } from "./shared-stack.ts";

let one: Platform;
let other: Platform;
beforeAll(async () => {
  [one, other] = await Promise.all([platform(sharedStack()), platform(sharedStack())]);
});
afterAll(() => Promise.all([one.stop(), other.stop()]));

const send = (url: string, key: string) =>
  fetch(`${url}/v1/events`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ message: "hello" }),
  });

test("two platforms on the same servers do not know each other's keys", async () => {
  const [mine, theirs] = await Promise.all([one.start("receiver"), other.start("receiver")]);
  // The keys come from the api's outbox, by a control topic.
  await Promise.all([one.start("api"), other.start("api")]);
  let answer = await send(mine.url, one.ingestKey);
  for (let tries = 0; tries < 50 && answer.status !== 200; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    answer = await send(mine.url, one.ingestKey);
  }
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("accepted")]);
  expect((await send(mine.url, other.ingestKey)).status).toBe(401);
  expect(theirs.url).not.toBe(mine.url);
});

test("a killed service comes back on the same port; a second one of its kind gets ports of its own", async () => {
  const first = await other.start("redactor");
  expect(await first.kill()).toEqual({ code: null, signal: "SIGKILL" });
  const [a, b] = [await other.start("api"), await one.start("redactor")];
  expect(a.url).not.toBe("");
  expect(b.url).toBe("");
  const again = await other.start("api");
  expect(again.url).not.toBe(a.url);
  expect(again.output()).toContain('"msg":"started"');
});

test("a service that cannot start fails with its own words", async () => {
  await expect(one.start("sink", { FLUSH_MS: "soon" })).rejects.toThrow(/sink ended at its start \(2\).*FLUSH_MS/s);
});
