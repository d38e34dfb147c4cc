/** What leaves an event in the trail, and with what; in which order, in how many pieces, and found by what. */
import { setTimeout as sleep } from "node:timers/promises";
import { type ControlTable, createLog } from "@astralog/chassis";
import { type AuditEvent, type AuditHeadRecord, chainStart, makeKey, systemChain } from "@astralog/schemas";
import { connectSession } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { byTest, callApi, planter, until } from "../api.driver.ts";
import { createKey, revokeKey, rotateKey } from "../control/keys.ts";
import { createSource, updateSource } from "../control/sources.ts";
import { ensureTenant } from "../control/tenants.ts";
import type { Db } from "../postgres.ts";
import { chainIn, checked, openTrails } from "./audit.driver.ts";
import { createAuditCounts } from "./audit-counts.ts";

let one: Platform;
let api: RunningService;
let call: ReturnType<typeof callApi>;
let db: Db;
let heads: ControlTable<AuditHeadRecord>;

beforeAll(async () => {
  one = await platform(sharedStack());
  ({ api, db, heads } = await openTrails(one));
  call = callApi(api);
});
afterAll(async () => {
  await heads.close();
  await db.destroy();
  await one.stop();
});

const chainOf = (tenant: string): Promise<AuditEvent[]> => chainIn(db, tenant);

/** The acts that `work` leaves in the tenant's trail. */
const acts = async (tenant: string, work: () => Promise<unknown>): Promise<AuditEvent[]> => {
  const before = (await chainOf(tenant)).length;
  await work();
  return (await chainOf(tenant)).slice(before);
};

test("every act leaves one event that says who, what, whence and with what result", async () => {
  const post = (path: string, body: unknown, method = "POST") => call(one.adminKey, method, path, body);
  const [own] = await db.selectFrom("keys").select("id").where("kind", "=", "admin").execute();
  const about = {
    actor: { kind: "key", id: own?.id, name: "bootstrap" },
    result: "ok",
    where: { ip: "127.0.0.1", user_agent: "node", request_id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
  };
  const only = async (work: () => Promise<unknown>) => {
    const left = await acts(one.tenant, work);
    expect(left).toHaveLength(1);
    expect(left[0]).toMatchObject(about);
    return left[0];
  };
  let id = "";
  const source = await only(async () => (id = (await post("/sources", { name: "=audited", partitions: 2 })).body.id));
  expect(source).toMatchObject({
    action: "source.created",
    target: { kind: "source", id },
    details: { partitions: 2 },
  });
  expect(await only(() => post(`/sources/${id}`, { retention_days: 7 }, "PATCH"))).toMatchObject({
    action: "source.changed",
    target: { kind: "source", id },
    details: { was: { retention_days: 30 }, is: { retention_days: 7 } },
  });
  let key = { id: "", key: "" };
  expect(await only(async () => (key = (await post("/keys", { kind: "query", name: "q" })).body))).toMatchObject({
    action: "key.created",
    target: { kind: "key", id: key.id },
    details: { kind: "query", name: "q" },
  });
  let next = { id: "" };
  expect(
    await only(async () => (next = (await post(`/keys/${key.id}/rotate`, { overlap_seconds: 60 })).body)),
  ).toMatchObject({
    action: "key.rotated",
    target: { id: key.id },
    details: { new_key: next.id, overlap_seconds: 60 },
  });
  expect(await only(() => call(one.adminKey, "DELETE", `/keys/${next.id}`))).toMatchObject({
    action: "key.revoked",
    target: { kind: "key", id: next.id },
  });
  expect(await acts(one.tenant, () => call(one.adminKey, "DELETE", `/keys/${next.id}`))).toEqual([]);
  expect(await only(() => call(one.adminKey, "GET", "/dead?reason=timeout"))).toMatchObject({
    action: "dead_letter.listed",
    details: { reason: "timeout", listed: 0 },
  });
  // What did not happen leaves nothing.
  expect(await acts(one.tenant, () => post("/sources", { name: "=audited" }))).toEqual([]);
  expect(await acts(one.tenant, () => post("/keys/key_none/rotate", {}))).toEqual([]);
  expect(checked(one.tenant, await chainOf(one.tenant))).toBeUndefined();
});

test("a tenant's trail begins with its making, by the operator", async () => {
  const chain = await chainOf(one.tenant);
  expect(chain.slice(0, 5).map(({ action, actor }) => [action, actor.kind, actor.id])).toEqual([
    ["tenant.created", "operator", "bootstrap"],
    ["source.created", "operator", "bootstrap"],
    ...Array.from({ length: 3 }, () => ["key.created", "operator", "bootstrap"]),
  ]);
  expect(chain[0]).toMatchObject({ seq: 1, prev: chainStart });
});

test("a dead letter that is shown or sent back is told of before it is", async () => {
  const plant = planter(one);
  await plant.letter({
    tenant: one.tenant,
    partition: 1,
    offset: 5,
    index: -1,
    reason: "undecodable",
    encryption: "none",
  });
  const left = await acts(one.tenant, async () => {
    expect((await call(one.adminKey, "GET", "/dead/1-5")).status).toBe(200);
    expect((await call(one.adminKey, "POST", "/dead/1-5/replay")).status).toBe(202);
  });
  expect(left.map(({ action, target, result }) => [action, target, result])).toEqual([
    ["dead_letter.shown", { kind: "dead_letter", id: "1-5" }, "ok"],
    ["dead_letter.replayed", { kind: "dead_letter", id: "1-5" }, "ok"],
  ]);
  await plant.close();
});

test("act, event and outbox are one transaction: when one cannot be written, none is", async () => {
  const counts = async () =>
    Promise.all(
      (["keys", "sources", "tenants", "audit_events"] as const).map(
        async (table) =>
          (
            await db
              .selectFrom(table)
              .select((e) => e.fn.countAll<number>().as("n"))
              .executeTakeFirstOrThrow()
          ).n,
      ),
    );
  const source = await createSource(db, one.tenant, { name: "held" }, byTest(one));
  const { row: key } = await createKey(db, one.tenant, { kind: "query" }, byTest(one));
  const superuser = connectSession(one.deployment.postgresUrl);
  await superuser.connect();
  for (const table of ["outbox", "audit_events"]) {
    const before = await counts();
    await superuser.query(`alter table ${table} add constraint held check (false) not valid`);
    for (const work of [
      () => createSource(db, one.tenant, { name: "never" }, byTest(one)),
      () => updateSource(db, one.tenant, source.id, { disabled: true }, byTest(one)),
      () => createKey(db, one.tenant, { kind: "query" }, byTest(one)),
      () => rotateKey(db, one.tenant, key.id, 0, byTest(one)),
      () => revokeKey(db, one.tenant, key.id, byTest(one)),
      () => ensureTenant(db, "never", byTest(one)),
    ]) {
      await expect(work()).rejects.toThrow(/held/);
    }
    await superuser.query(`alter table ${table} drop constraint held`);
    expect([table, await counts()]).toEqual([table, before]);
  }
  expect(await db.selectFrom("keys").select("revoked_at").where("id", "=", key.id).execute()).toEqual([
    { revoked_at: null },
  ]);
  await superuser.end();
});

test("50 acts at once leave 50 events without a gap, in one order", async () => {
  const left = await acts(one.tenant, async () => {
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        call(one.adminKey, "POST", "/keys", { kind: "query", name: `at once ${i}` }),
      ),
    );
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([201]));
  });
  expect(left.filter(({ action }) => action === "key.created")).toHaveLength(50);
  const chain = await chainOf(one.tenant);
  expect(chain.map(({ seq }) => seq)).toEqual(chain.map((_, i) => i + 1));
  expect(checked(one.tenant, chain)).toBeUndefined();
  // A tenant's first acts at once, too.
  const { id } = await ensureTenant(db, "fresh", byTest(one));
  await Promise.all(Array.from({ length: 20 }, () => createKey(db, id, { kind: "query" }, byTest(one))));
  expect(checked(id, await chainOf(id))).toBeUndefined();
  expect(await chainOf(id)).toHaveLength(21);
});

test("pages, newest first, by action, actor, target and time", async () => {
  const list = async (query: string) => {
    const { status, body } = await call(one.adminKey, "GET", `/audit?${query}`);
    expect(status).toBe(200);
    return body as unknown as { events: AuditEvent[]; next: string | null };
  };
  const chain = await chainOf(one.tenant);
  const seen: AuditEvent[] = [];
  for (let cursor = ""; ; ) {
    const page = await list(`limit=7&to=${chain.at(-1)?.at}${cursor}`);
    seen.push(...page.events);
    if (page.next === null) break;
    cursor = `&cursor=${page.next}`;
  }
  const before = chain.filter(({ at }) => at < (chain.at(-1)?.at ?? ""));
  expect(seen).toEqual(before.toReversed());
  const { events } = await list("action=source.changed&actor=test");
  expect(events).toEqual(
    chain.filter(({ action, actor }) => action === "source.changed" && actor.id === "test").toReversed(),
  );
  const target = chain[1]?.target.id ?? "";
  expect((await list(`target=${target}`)).events.at(-1)).toEqual(chain[1]);
  expect((await list(`from=${chain[0]?.at}&to=${chain[0]?.at}`)).events).toEqual([]);
  for (const wrong of [
    "action=nothing",
    "cursor=x",
    "cursor=0",
    "limit=0",
    "limit=1001",
    "from=never",
    "tenant=tn_x",
  ]) {
    expect([wrong, (await call(one.adminKey, "GET", `/audit?${wrong}`)).body.code]).toEqual([wrong, "invalid_request"]);
  }
  expect((await call(one.queryKey, "GET", "/audit")).body.code).toBe("forbidden");
  expect((await call(one.queryKey, "GET", "/audit/export")).body.code).toBe("forbidden");
  expect((await call(one.adminKey, "GET", "/audit/export?format=xml")).body.code).toBe("invalid_request");
});

test("refusals are told of, and a flood of them is one event with its count", async () => {
  const revoked = await createKey(db, one.tenant, { kind: "query" }, byTest(one));
  await until("the key", async () => ((await call(revoked.key, "GET", "/search")).status === 200 ? true : undefined));
  await revokeKey(db, one.tenant, revoked.row.id, byTest(one));
  await until("its end", async () => ((await call(revoked.key, "GET", "/search")).status === 401 ? true : undefined));
  const of = (tenant: string, action: string) => async () => {
    const found = (await chainOf(tenant)).filter((event) => event.action === action);
    return found.length === 0 ? undefined : found;
  };
  const [failed] = await until("the refused key", of(one.tenant, "auth.failed"));
  expect(failed).toMatchObject({
    actor: { kind: "key", id: revoked.row.id },
    result: "denied",
    details: { reason: "revoked key", count: 1 },
  });
  const [denied] = await until("the denied act", of(one.tenant, "access.denied"));
  expect(denied).toMatchObject({ result: "denied", details: { reason: "needs audit.read" } });
  await Promise.all(Array.from({ length: 100 }, () => call(makeKey("admin"), "GET", "/search")));
  await call("nothing", "GET", "/search");
  const anonymous = await until("both reasons", async () => {
    const found = await of(systemChain, "auth.failed")();
    return found !== undefined && found.length > 1 ? found : undefined;
  });
  expect(anonymous.map(({ actor, details }) => [actor.kind, details.reason])).toEqual([
    ["anonymous", "unknown key"],
    ["anonymous", "not a key"],
  ]);
  // The rest of the flood is written when the minute, or the process, ends.
  await api.kill("SIGTERM");
  api = await one.start("api");
  call = callApi(api);
  const counted = (await chainOf(systemChain)).map(({ details }) => [details.reason, details.count]);
  // Keys that were made a moment ago were unknown for a moment, so there may be some more.
  expect(counted).toEqual([
    ["unknown key", 1],
    ["not a key", 1],
    ["unknown key", expect.any(Number)],
  ]);
  expect(Number(counted[2]?.[1])).toBeGreaterThanOrEqual(99);
  expect(checked(systemChain, await chainOf(systemChain))).toBeUndefined();
});

test("counted acts: one event at once, one per window, nothing lost while Postgres refuses", async () => {
  const counts = createAuditCounts({ db, log: createLog("test", "fatal") }, { windowMs: 150 });
  const { id: tenant } = await ensureTenant(db, "flooded", byTest(one));
  const note = () =>
    counts.note(byTest(one), { tenant, action: "verify.run", target: { kind: "ledger", id: "" } }, "again");
  for (let i = 0; i < 500; i++) {
    note();
    if (i % 10 === 0) await sleep(5);
  }
  await counts.close();
  const told = (await chainOf(tenant)).slice(1);
  expect(told[0]?.details).toMatchObject({ count: 1 });
  expect(told.reduce((sum, { details }) => sum + Number(details.count), 0)).toBe(500);
  expect(told.length).toBeLessThan(20);
});

test("no key, nor its hash, stands in any event, wherever it was put", async () => {
  const pasted = makeKey("admin");
  await call(one.adminKey, "POST", "/sources", { name: `oops ${pasted}` });
  await fetch(`${api.url}/api/v1/keys`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${one.adminKey}`,
      "content-type": "application/json",
      "user-agent": `curl ${pasted} ${"x".repeat(500)}`,
    },
    body: JSON.stringify({ kind: "query", name: pasted }),
  });
  const { rows } = await (async () => {
    const client = connectSession(one.env("api").POSTGRES_URL ?? "");
    await client.connect();
    const found = await client.query<{ text: string }>("select audit_events::text as text from audit_events");
    await client.end();
    return found;
  })();
  const all = rows.map(({ text }) => text).join("\n");
  expect(all).toContain("oops al_adm_…");
  expect(all).not.toMatch(/al_(ing|qry|adm)_[0-9A-Za-z]/);
  for (const { hash } of await db.selectFrom("keys").select("hash").execute()) expect(all).not.toContain(hash);
  for (const { where } of await chainOf(one.tenant)) expect(where.user_agent.length).toBeLessThanOrEqual(120);
  expect(checked(one.tenant, await chainOf(one.tenant))).toBeUndefined();
});
