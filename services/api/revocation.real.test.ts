/**
 * Revocation while a key is in heavy use: how long events are still taken after the call that revokes it was sent, and
 * that nobody else notices. A few tries here; ASTRALOG_REVOCATIONS=100 makes it the long form, which prints its figures.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { callApi, until } from "./api.driver.ts";

const tries = Number(process.env.ASTRALOG_REVOCATIONS ?? "5");
const senders = 4;
/** 429: a refused key that is tried too often. */
const refusals = [401, 429];

let one: Platform;
let receiver: RunningService;
let call: ReturnType<typeof callApi>;
beforeAll(async () => {
  one = await platform(sharedStack());
  const [api, started] = await Promise.all([one.start("api"), one.start("receiver")]);
  receiver = started;
  call = callApi(api);
  await until("the first keys", async () => ((await send(one.ingestKey)) === 200 ? true : undefined));
});
afterAll(async () => {
  for (const end of running) end();
  await sleep(200);
  await one.stop();
});

const running = new Set<() => unknown>();

const send = async (key: string): Promise<number> => {
  const response = await fetch(`${receiver.url}/v1/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: '[{"message":"one"},{"message":"two"}]',
  });
  await response.arrayBuffer();
  return response.status;
};

/** Sends without pause until told; every answer with the time it came. */
const hammer = (key: string) => {
  const answers: { status: number; at: number }[] = [];
  let going = true;
  const work = Array.from({ length: senders }, async () => {
    while (going) {
      const status = await send(key);
      answers.push({ status, at: performance.now() });
      // One address may try refused keys only so often.
      if (status !== 200) await sleep(50);
    }
  });
  running.add(() => (going = false));
  return {
    answers,
    stop: async () => {
      going = false;
      await Promise.all(work);
    },
  };
};

test(
  "under load the last event is accepted within a second of the revocation, and another key is never refused",
  async () => {
    const other = hammer(one.ingestKey);
    const delays: number[] = [];
    for (let i = 0; i < tries; i++) {
      const { body: made } = await call(one.adminKey, "POST", "/keys", {
        kind: "ingest",
        source: one.source,
        name: `try ${i}`,
      });
      await until("the key", async () => ((await send(made.key)) === 200 ? true : undefined));
      const load = hammer(made.key);
      await sleep(150);
      const revokedAt = performance.now();
      expect((await call(one.adminKey, "DELETE", `/keys/${made.id}`)).status).toBe(200);
      await until("the first refusal", () => load.answers.find(({ status }) => refusals.includes(status)));
      // Whatever was on its way, and time for a receiver to change its mind.
      await sleep(300);
      await load.stop();
      const accepted = load.answers.filter(({ status }) => status === 200);
      expect(accepted.length).toBeGreaterThan(0);
      expect(refusals).toContain(load.answers.at(-1)?.status);
      expect(load.answers.every(({ status }) => status === 200 || refusals.includes(status))).toBe(true);
      delays.push(Math.max(0, (accepted.at(-1)?.at ?? 0) - revokedAt));
    }
    await other.stop();
    const sorted = delays.toSorted((a, b) => a - b).map(Math.round);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
    if (tries > 5)
      process.stdout.write(
        `revocation, ${tries} tries: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${sorted.at(-1)} ms; other key ${other.answers.length} answers\n`,
      );
    // Of a few tries on a machine that others use too, one may wait for a processor; of the long form's none.
    expect(tries > 5 ? sorted.at(-1) : at(0.5)).toBeLessThan(1_000);
    expect(other.answers.every(({ status }) => status === 200)).toBe(true);
  },
  120_000 + tries * 3_000,
);
