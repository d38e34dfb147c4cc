/** A day's volume on real receivers: what they refuse, what they name, and that they and the ledger mean the same bytes. */
import { parseReceipt } from "@astralog/schemas";
import { connectPostgres } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { byTest, callApi, planter, until } from "../api.driver.ts";
import { createKey } from "../control/keys.ts";
import { ensureTenant } from "../control/tenants.ts";
import type { Db } from "../postgres.ts";
import { setPlan } from "./tenant-plans.ts";

let one: Platform;
let api: RunningService;
let receivers: RunningService[];
let db: Db;
let tables: ReturnType<typeof planter>;

beforeAll(async () => {
  one = await platform(sharedStack());
  db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  await setPlan(db, one.tenant, { overrides: { daily_bytes: limit } }, byTest(one));
  tables = planter(one);
  const [first, started] = await Promise.all([
    one.start("receiver"),
    one.start("api"),
    one.start("redactor"),
    one.start("sink"),
  ]);
  api = started;
  receivers = [first, await one.start("receiver")];
});
afterAll(async () => {
  await db?.destroy();
  await tables?.close();
  await one?.stop();
});

const limit = 400_000;
/** Events that were answered with success, by any test. */
let acknowledged = 0;

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
  if (answer.status === 200 && body !== "[]") acknowledged++;
  const retryAfter = Number(answer.headers.get("retry-after") ?? 0);
  return { status: answer.status, retryAfter, body: (await answer.json()) as Record<string, unknown> };
};

const ledger = async (): Promise<{ events: number; bytes: number }> => {
  const [row] = await tables.rows<{ events: string; bytes: string }>(
    `SELECT sum(stored) AS events, sum(bytes) AS bytes FROM batches FINAL WHERE tenant = '${one.tenant}'`,
  );
  return { events: Number(row?.events), bytes: Number(row?.bytes) };
};

/** The ledger, once it has all that was acknowledged. */
const settled = () =>
  until("the ledger", async () => {
    const now = await ledger();
    return now.events === acknowledged ? now : undefined;
  });

test("two receivers stop at the tenant's volume together; what was acknowledged is stored, and a raised plan opens them", async () => {
  for (const receiver of receivers)
    await until("the key", async () => ((await send(receiver, "[]")).status === 200 ? true : undefined));
  const refusals: Reply[] = [];
  for (let i = 0; i < 80 && refusals.length < 2; i++) {
    const reply = await send(receivers[i % 2] as RunningService);
    if (reply.status !== 200) refusals.push(reply);
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

  const stored = await settled();
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

test("usage by day and source is what the ledger has, and no other organization's", async () => {
  const { events, bytes } = await settled();
  const today = new Date().toISOString().slice(0, 10);
  const { body } = await callApi(api)(one.adminKey, "GET", `/usage?from=${today}`);
  const [row, ...more] = body.days as Record<string, unknown>[];
  expect(more).toEqual([]);
  expect(row).toMatchObject({ day: today, source: one.source, name: "app", events, bytes, dropped: {} });
  const { body: plan } = await callApi(api)(one.adminKey, "GET", "/organization/plan");
  expect(plan).toMatchObject({
    plan: "enterprise",
    limits: { max_bytes_per_second: 1_000, retention_days: 3650 },
    overridden: ["max_bytes_per_second"],
    today: { day: today, events, bytes },
  });
  for (const [query, code] of [
    ["from=2026-02-01&to=2026-01-01", "invalid_request"],
    ["from=2020-01-01", "invalid_request"],
    ["from=yesterday", "invalid_request"],
    ["day=2026-01-01", "invalid_request"],
  ])
    expect((await callApi(api)(one.adminKey, "GET", `/usage?${query}`)).body.code).toBe(code);
  const other = (await ensureTenant(db, "other", byTest(one))).id;
  const { key } = await createKey(db, other, { kind: "admin" }, byTest(one));
  await until("their key", async () => {
    const theirs = await callApi(api)(key, "GET", "/usage");
    if (theirs.status !== 200) return undefined;
    expect(theirs.body.days).toEqual([]);
    return true;
  });
});

test("a plan bounds what its sources may ask, and those that asked for more before", async () => {
  const call = callApi(api);
  const made = await call(one.adminKey, "POST", "/sources", { name: "greedy", retention_days: 400, partitions: 8 });
  expect(made.status).toBe(201);
  await setPlan(db, one.tenant, { plan: "free", overrides: {} }, byTest(one));
  for (const [field, wanted, limit] of [
    ["retention_days", 8, 7],
    ["partitions", 2, 1],
    ["max_bytes_per_second", 2 ** 21, 2 ** 20],
  ] as const) {
    const refused = await call(one.adminKey, "PATCH", `/sources/${one.source}`, { [field]: wanted });
    expect([refused.status, refused.body.code]).toEqual([409, "over_plan"]);
    for (const part of [field, "free", String(limit), String(wanted)]) expect(refused.body.detail).toContain(part);
  }
  const modest = await call(one.adminKey, "POST", "/sources", { name: "modest" });
  expect(modest.body).toMatchObject({ retention_days: 7, partitions: 1 });
  const { key } = await createKey(db, one.tenant, { kind: "ingest", source: made.body.id }, byTest(one));
  const receipt = await until("the smaller plan", async () => {
    const answer = await fetch(`${receivers[0]?.url}/v1/events`, {
      ...{ method: "POST", headers: { authorization: `Bearer ${key}` }, body: "plain text\n" },
    });
    return answer.status === 200 ? ((await answer.json()) as { receipt: string }).receipt : undefined;
  });
  const [part] = parseReceipt(receipt) ?? [];
  const row = await until("the event", async () => {
    const [found] = await tables.rows<{ days: number }>(
      `SELECT dateDiff('day', received_at, expires_on) AS days FROM events
       WHERE tenant = '${one.tenant}' AND partition = ${part?.partition} AND offset = ${part?.offset}`,
    );
    return found;
  });
  expect(row.days).toBeLessThanOrEqual(8);
});
