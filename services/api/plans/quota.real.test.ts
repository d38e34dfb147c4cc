/** A day's volume on real receivers: what they refuse, what they name, and that they and the ledger mean the same bytes. */
import { connectPostgres } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { byTest, planter, until } from "../api.driver.ts";
import type { Db } from "../postgres.ts";
import { setPlan } from "./tenant-plans.ts";

let one: Platform;
let receivers: RunningService[];
let db: Db;
let tables: ReturnType<typeof planter>;

beforeAll(async () => {
  one = await platform(sharedStack());
  db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  await setPlan(db, one.tenant, { overrides: { daily_bytes: limit } }, byTest(one));
  tables = planter(one);
  const [first] = await Promise.all((["receiver", "api", "redactor", "sink"] as const).map((name) => one.start(name)));
  receivers = [first as RunningService, await one.start("receiver")];
});
afterAll(async () => {
  await db?.destroy();
  await tables?.close();
  await one?.stop();
});

const limit = 400_000;

interface Reply {
  readonly status: number;
  readonly retryAfter: number;
  readonly body: Record<string, unknown>;
}

const send = async (receiver: RunningService, body = `{"message":"${"x".repeat(9_900)}"}`): Promise<Reply> => {
  const answer = await fetch(`${receiver.url}/v1/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${one.ingestKey}`, "content-type": "application/json" },
    body,
  });
  const retryAfter = Number(answer.headers.get("retry-after") ?? 0);
  return { status: answer.status, retryAfter, body: (await answer.json()) as Record<string, unknown> };
};

const ledger = async (): Promise<{ events: number; bytes: number }> => {
  const [row] = await tables.rows<{ events: string; bytes: string }>(
    `SELECT sum(stored) AS events, sum(bytes) AS bytes FROM batches FINAL WHERE tenant = '${one.tenant}'`,
  );
  return { events: Number(row?.events), bytes: Number(row?.bytes) };
};

test("two receivers stop at the tenant's volume together; what was acknowledged is stored, and a raised plan opens them", async () => {
  for (const receiver of receivers)
    await until("the key", async () => ((await send(receiver, "[]")).status === 200 ? true : undefined));
  let acknowledged = 0;
  const refusals: Reply[] = [];
  for (let i = 0; i < 80 && refusals.length < 2; i++) {
    const reply = await send(receivers[i % 2] as RunningService);
    if (reply.status === 200) acknowledged++;
    else refusals.push(reply);
    // As in life the ledger comes along; the two hear of each other by it.
    if (i % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 500));
  }
  expect(refusals.map(({ status, body }) => [status, body.code])).toEqual([
    [429, "quota_exhausted"],
    [429, "quota_exhausted"],
  ]);
  const [refused] = refusals;
  expect(refused?.body).toMatchObject({ limit, unit: "bytes/day", accepted: 0, rejected: [] });
  expect(Number(refused?.body.used)).toBeGreaterThanOrEqual(limit);
  expect(refused?.body.resets_at).toMatch(/^\d{4}-\d\d-\d\dT00:00:00\.000Z$/);
  expect(refused?.retryAfter).toBeGreaterThan(0);

  const stored = await until("the ledger", async () => {
    const now = await ledger();
    return now.events === acknowledged ? now : undefined;
  });
  expect(stored.bytes).toBeGreaterThanOrEqual(limit);
  expect(stored.bytes).toBeLessThan(limit * 1.5);
  // Once the ledger is told, both count exactly what it has, to the byte.
  for (const receiver of receivers)
    await until("the ledger's count", async () =>
      (await send(receiver)).body.used === stored.bytes ? true : undefined,
    );

  await setPlan(db, one.tenant, { overrides: { daily_bytes: 2 * limit } }, byTest(one));
  for (const receiver of receivers)
    await until("the new plan", async () => ((await send(receiver)).status === 200 ? true : undefined));
});

test("a tenant's rate holds for all its sources together", async () => {
  await setPlan(db, one.tenant, { overrides: { max_bytes_per_second: 1_000 } }, byTest(one));
  const receiver = receivers[0] as RunningService;
  const refused = await until("the rate", async () => {
    const reply = await send(receiver);
    return reply.body.code === "rate_limited" ? reply : undefined;
  });
  expect([refused.status, refused.body.limit, refused.body.unit]).toEqual([429, 1_000, "bytes/s"]);
  expect(refused.retryAfter).toBeGreaterThan(1);
});
