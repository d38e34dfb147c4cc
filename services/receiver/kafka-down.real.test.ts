import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { ownStack, type Platform, platform, type RunningService } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { readRawEvents } from "./raw-events.driver.ts";
import { client } from "./requests.driver.ts";

let stack: Awaited<ReturnType<typeof ownStack>>;
let astralog: Platform;
let receiver: RunningService;

beforeAll(async () => {
  stack = await ownStack();
  astralog = await platform(stack);
  await astralog.start("api");
  receiver = await astralog.start("receiver");
});
afterAll(async () => {
  await astralog?.stop();
  await stack?.stop();
});

const residentMiB = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${receiver.pid}/status`, "utf8"))?.[1]) / 1024;

test("with Kafka killed under load: 503 and Retry-After, memory bounded, nothing acknowledged lost, and it comes back", async () => {
  const sender = client(astralog, receiver);
  const batch = (n: number) =>
    gzipSync(Array.from({ length: 1_000 }, (_, i) => `{"msg":"down ${n} ${i} ${"x".repeat(200)}"}`).join("\n"));
  const acknowledged: number[] = [];
  const statuses = new Map<number, number>();
  const withoutAdvice: number[] = [];
  let next = 0;
  let over = false;
  let most = 0;
  const send = async (): Promise<number> => {
    const n = next++;
    const { status, headers } = await sender.post(batch(n), {
      "content-type": "application/x-ndjson",
      "content-encoding": "gzip",
    });
    if (status === 200) acknowledged.push(n);
    else if (headers["retry-after"] === undefined) withoutAdvice.push(status);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    most = Math.max(most, residentMiB());
    return status;
  };
  while ((await send()) !== 200) await new Promise((resolve) => setTimeout(resolve, 100));
  const busy = Array.from({ length: 8 }, async () => {
    while (!over) if ((await send()) !== 200) await new Promise((resolve) => setTimeout(resolve, 20));
  });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await stack.servers.kafka.kill();
  await new Promise((resolve) => setTimeout(resolve, 6_000));
  // By now each request is turned away at once.
  const start = performance.now();
  expect(await send()).toBe(503);
  expect(performance.now() - start).toBeLessThan(1_000);
  expect((await fetch(`${receiver.url}/readyz`)).status).toBe(503);
  const before = acknowledged.length;
  await stack.servers.kafka.start();
  for (let i = 0; i < 300 && acknowledged.length < before + 20; i++)
    await new Promise((resolve) => setTimeout(resolve, 100));
  over = true;
  await Promise.all(busy);
  sender.close();
  expect(acknowledged.length).toBeGreaterThanOrEqual(before + 20);
  expect([[...statuses.keys()].sort(), withoutAdvice]).toEqual([[200, 503], []]);
  expect(most).toBeLessThan(300);
  const raw = await readRawEvents(astralog);
  await raw.until(() => {
    const seen = new Map<number, Set<number>>();
    for (const message of raw.messages()) {
      const [, n, i] = message.split(" ");
      const lines = seen.get(Number(n)) ?? new Set();
      seen.set(Number(n), lines.add(Number(i)));
    }
    return acknowledged.every((n) => seen.get(n)?.size === 1_000);
  });
  await raw.close();
});
