import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { callApi, until } from "./api.driver.ts";
import type { Verification } from "./verify/verify-run.ts";

let one: Platform;
let receiver: RunningService;
let call: ReturnType<typeof callApi>;

beforeAll(async () => {
  one = await platform(sharedStack());
  call = callApi(await one.start("api"));
  await one.start("redactor");
  await one.start("sink");
  receiver = await one.start("receiver");
});
afterAll(() => one.stop());

const send = (key: string, lines: readonly unknown[]) =>
  fetch(`${receiver.url}/v1/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/x-ndjson" },
    body: lines.map((line) => JSON.stringify(line)).join("\n"),
  });

test("what was accepted is found, its receipt says stored, and verify is clean", async () => {
  const lines = Array.from({ length: 500 }, (_, n) => ({ message: `GET /item/${n}`, service: "shop", n, run: "e2e" }));
  const answer = await until("an accepted batch", async () => {
    const response = await send(one.ingestKey, lines);
    return response.ok ? ((await response.json()) as { accepted: number; receipt: string }) : undefined;
  });
  expect(answer.accepted).toBe(500);
  await until("all of them", async () => {
    const { body } = await call(one.queryKey, "GET", "/search?q=run:e2e&limit=1000");
    return body.events.length === 500 ? true : undefined;
  });
  expect((await call(one.queryKey, "GET", "/search?q=n:%3E%3D499")).body.events).toMatchObject([
    { message: "GET /item/499", service: "shop", source: "app", attributes: { n: 499, run: "e2e" } },
  ]);
  expect((await call(one.queryKey, "GET", `/receipts/${answer.receipt}`)).body.state).toBe("stored");
  const { body } = await call(one.adminKey, "GET", "/verify?wait=20");
  expect(body as unknown as Verification).toMatchObject({ ok: true, accepted: 500, stored: 500, lag: { records: 0 } });
});

test("a revoked key stops at the receiver within a second", async () => {
  const { body: made } = await call(one.adminKey, "POST", "/keys", { kind: "ingest", source: one.source });
  await until("the key", async () => ((await send(made.key, [{ message: "x" }])).ok ? true : undefined));
  await call(one.adminKey, "DELETE", `/keys/${made.id}`);
  const revoked = performance.now();
  await until("its end", async () => ((await send(made.key, [{ message: "x" }])).status === 401 ? true : undefined));
  expect(performance.now() - revoked).toBeLessThan(1000);
  expect((await send(one.ingestKey, [{ message: "x" }])).status).toBe(200);
});
