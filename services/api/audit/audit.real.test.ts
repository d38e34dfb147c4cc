import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type ControlTable,
  createControlTable,
  createKafka,
  createLog,
  kafkaShape,
  loadConfig,
} from "@astralog/chassis";
import {
  type AuditEvent,
  type AuditHead,
  type AuditHeadRecord,
  auditHash,
  type ChainBreak,
  chainStart,
  createChainCheck,
  type ExportHeader,
  isSignedHead,
  makeKey,
  parseCsvLine,
  parseJsonLine,
  systemChain,
  topics,
} from "@astralog/schemas";
import { connectPostgres, connectSession } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { byTest, callApi, planter, until } from "../api.driver.ts";
import { createKey, revokeKey, rotateKey } from "../control/keys.ts";
import { createSource, updateSource } from "../control/sources.ts";
import { ensureTenant } from "../control/tenants.ts";
import type { Db } from "../postgres.ts";
import { createAuditCounts } from "./audit-counts.ts";
import { auditEventOf } from "./audit-events.ts";
import { headOf } from "./audit-heads.ts";
import { auditRow } from "./audit-trail.ts";

let one: Platform;
let api: RunningService;
let call: ReturnType<typeof callApi>;
let db: Db;
let heads: ControlTable<AuditHeadRecord>;

beforeAll(async () => {
  one = await platform(sharedStack());
  api = await one.start("api");
  call = callApi(api);
  // The first keys reach the api in a moment.
  await until("the first keys", async () =>
    (await call(one.adminKey, "GET", "/audit/head")).status === 200 ? true : undefined,
  );
  db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  const log = createLog("test", "fatal");
  const kafka = createKafka(loadConfig(kafkaShape, one.env("api")), log, "test");
  heads = await createControlTable(
    kafka,
    { log },
    { principal: "api", topic: kafka.name(topics.auditHeads.name), record: "AuditHead" },
  );
});
afterAll(async () => {
  await heads.close();
  await db.destroy();
  await one.stop();
});

const chainOf = async (tenant: string): Promise<AuditEvent[]> =>
  (await db.selectFrom("audit_events").selectAll().where("tenant", "=", tenant).orderBy("seq").execute()).map(
    auditEventOf,
  );

const checked = (tenant: string, events: readonly AuditEvent[], end?: AuditHead): ChainBreak | undefined => {
  const check = createChainCheck(tenant);
  for (const event of events) {
    const broken = check.take(event);
    if (broken !== undefined) return broken;
  }
  return check.finish(end);
};

const exported = async (format = "json", key = one.adminKey) => {
  const response = await fetch(`${api.url}/api/v1/audit/export?format=${format}`, {
    headers: { authorization: `Bearer ${key}` },
  });
  const text = await response.text();
  const lines = text.trimEnd().split(/\r?\n/);
  const parsed = format === "json" ? lines.map(parseJsonLine) : [];
  const header = parsed[0] as { header: ExportHeader } | undefined;
  const end = parsed.at(-1) as { head: AuditHead } | undefined;
  return {
    response,
    text,
    lines,
    header: header?.header,
    events: parsed.slice(1, -1).map((line) => (line as { event: AuditEvent }).event),
    head: end?.head,
  };
};

/** What a superuser can do who switches the triggers off. */
const asSuperuser = async (...statements: [string, unknown[]?][]) => {
  const client = connectSession(one.deployment.postgresUrl);
  await client.connect();
  for (const table of ["audit_events", "audit_chains"]) await client.query(`alter table ${table} disable trigger all`);
  for (const [sql, values] of statements) await client.query(sql, values);
  for (const table of ["audit_events", "audit_chains"]) {
    await client.query(`alter table ${table} enable trigger all`);
  }
  await client.end();
};

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

test("Postgres refuses to change, delete or empty a trail, or to move its end anywhere but on", async () => {
  const client = connectSession(one.deployment.postgresUrl);
  await client.connect();
  for (const sql of [
    "update audit_events set result = 'denied' where seq = 1",
    "delete from audit_events where seq = 1",
    "truncate audit_events",
    "truncate audit_chains",
    "delete from audit_chains",
    "update audit_chains set seq = seq - 1",
    "update audit_chains set hash = repeat('0', 64)",
    "set session_replication_role = replica; delete from audit_events where seq = 1",
  ]) {
    await expect(client.query(sql)).rejects.toMatchObject({ code: "42501" });
  }
  await client.end();
});

test("the api's own login only adds to a trail, and cannot switch off what guards it", async () => {
  const client = connectSession(one.env("api").POSTGRES_URL ?? "");
  await client.connect();
  await expect(client.query("select count(*) from audit_events")).resolves.toMatchObject({ rowCount: 1 });
  for (const sql of [
    "update audit_events set result = 'denied' where seq = 1",
    "delete from audit_events where seq = 1",
    "truncate audit_events",
    "truncate audit_chains",
    "delete from audit_chains",
    "alter table audit_events disable trigger all",
    "drop trigger audit_events_refuse on audit_events",
    "create or replace function audit_refuse() returns trigger language plpgsql as 'begin return new; end'",
    "drop table audit_events",
    "alter table audit_events rename to audit_events_of_before",
    "create rule gone as on insert to audit_events do instead nothing",
    "set session_replication_role = replica",
    "grant update on audit_events to current_user",
    "create role helper superuser",
    "update kysely_migration set name = name",
  ]) {
    const code = await client.query(sql).then(
      () => "it did",
      (error: { code: string }) => error.code,
    );
    // Insufficient privilege; a grant of what one has not is no error, and gives nothing.
    expect([sql, code]).toEqual([sql, sql.startsWith("grant") ? expect.stringMatching(/^(42501|it did)$/) : "42501"]);
  }
  await expect(client.query("update audit_events set result = 'denied'")).rejects.toMatchObject({ code: "42501" });
  await client.end();
});

test("the signed head of each trail reaches Kafka", async () => {
  const made = await createKey(db, one.tenant, { kind: "query" }, byTest(one));
  const last = (await chainOf(one.tenant)).at(-1);
  expect(last?.target.id).toBe(made.row.id);
  const begun = performance.now();
  const head = await until("the head", () => {
    const record = heads.get(one.tenant);
    return record !== undefined && Number(record.seq) >= (last?.seq ?? 0) ? headOf(record) : undefined;
  });
  expect(performance.now() - begun).toBeLessThan(2_000);
  expect(head).toMatchObject({ seq: last?.seq, hash: last?.hash, at: last?.at });
  const { body } = await call(one.adminKey, "GET", "/audit/head");
  expect(body.head).toEqual(head);
  expect(isSignedHead(head, String(body.public_key))).toBe(true);
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

test("an export is whole, signed, tells of itself, and comes in a stream; CSV says the same", async () => {
  const { response, header, events, head } = await exported();
  expect(response.headers.get("content-length")).toBeNull();
  expect(response.headers.get("content-type")).toBe("application/jsonl; charset=utf-8");
  expect(header).toMatchObject({ format: "astralog.audit/1", tenant: one.tenant });
  expect(head === undefined ? false : isSignedHead(head, header?.public_key ?? "")).toBe(true);
  expect(checked(one.tenant, events, head)).toBeUndefined();
  expect(events.at(-1)).toMatchObject({ action: "audit.exported", details: { format: "json" } });
  expect(events).toEqual((await chainOf(one.tenant)).slice(0, events.length));
  const csv = await exported("csv");
  const [names, ...rows] = csv.lines;
  expect(names).toMatch(/^v,tenant,seq,at,/);
  expect(rows.map(parseCsvLine)).toEqual((await chainOf(one.tenant)).slice(0, rows.length));
  expect(checked(one.tenant, rows.map(parseCsvLine) as AuditEvent[])).toBeUndefined();
});

test("10,000 events come in pieces, the first long before the last, and are whole", async () => {
  const { id } = await ensureTenant(db, "long", byTest(one));
  const { key } = await createKey(db, id, { kind: "admin" }, byTest(one));
  const last = (await chainOf(id)).at(-1);
  const events: AuditEvent[] = [];
  for (let prev = last; events.length < 10_000 && prev !== undefined; prev = events.at(-1)) {
    const event = { ...prev, seq: prev.seq + 1, action: "verify.run" as const, prev: prev.hash };
    events.push({ ...event, hash: auditHash(event) });
  }
  for (let i = 0; i < events.length; i += 1000) {
    await db
      .insertInto("audit_events")
      .values(events.slice(i, i + 1000).map(auditRow))
      .execute();
  }
  await asSuperuser([
    "update audit_chains set seq = $2, hash = $3 where tenant = $1",
    [id, 10_002, events.at(-1)?.hash],
  ]);
  await until("the key", async () => ((await call(key, "GET", "/audit?limit=1")).status === 200 ? true : undefined));
  const response = await fetch(`${api.url}/api/v1/audit/export`, { headers: { authorization: `Bearer ${key}` } });
  const pieces: string[] = [];
  const decoder = new TextDecoder();
  for await (const piece of response.body ?? []) pieces.push(decoder.decode(piece as Uint8Array, { stream: true }));
  expect(pieces.length).toBeGreaterThan(10);
  const lines = pieces.join("").trimEnd().split("\n").map(parseJsonLine);
  const found = lines.slice(1, -1).map((line) => (line as { event: AuditEvent }).event);
  expect(found.length).toBeGreaterThanOrEqual(10_003);
  expect(checked(id, found, (lines.at(-1) as { head: AuditHead }).head)).toBeUndefined();
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

/** A tenant of its own to tamper with. */
const victim = async (name: string) => {
  const { id } = await ensureTenant(db, name, byTest(one));
  const { key } = await createKey(db, id, { kind: "admin" }, byTest(one));
  for (let i = 0; i < 5; i++) await createSource(db, id, { name: `s${i}` }, byTest(one));
  await until("the key", async () => ((await call(key, "GET", "/audit/head")).status === 200 ? true : undefined));
  await until("the head", () => (Number(heads.get(id)?.seq ?? 0n) >= 7 ? true : undefined));
  return { id, key };
};

test("a superuser's edit is found in the export", async () => {
  const { id, key } = await victim("edited");
  await asSuperuser(["update audit_events set actor_name = 'somebody else' where tenant = $1 and seq = 4", [id]]);
  const { events, head } = await exported("json", key);
  expect(checked(id, events, head)).toEqual({ seq: 4, problem: expect.stringMatching(/changed/) });
});

test("a superuser's cut is found by the head in Kafka, which the cut trail cannot replace", async () => {
  const { id, key } = await victim("cut");
  const whole = await chainOf(id);
  const kept = whole[3];
  await asSuperuser(
    ["delete from audit_events where tenant = $1 and seq > 4", [id]],
    ["update audit_chains set seq = 4, hash = $2, at = $3 where tenant = $1", [id, kept?.hash, kept?.at]],
  );
  // The cut trail goes on and grows longer than it was.
  for (let i = 0; i < 6; i++) await createSource(db, id, { name: `again${i}` }, byTest(one));
  expect((await chainOf(id)).length).toBeGreaterThan(whole.length);
  expect(checked(id, await chainOf(id))).toBeUndefined();
  const { events, head } = await exported("json", key);
  expect(head).toMatchObject({ seq: whole.length, hash: whole.at(-1)?.hash });
  expect(checked(id, events, head)).toEqual({ seq: whole.length, problem: expect.stringMatching(/rewritten/) });
  expect(api.output()).toContain("does not contain its signed head");
});

test("a trail that a superuser wrote anew, with hashes that fit, is found by the head in Kafka", async () => {
  const { id, key } = await victim("rewritten");
  const anew: AuditEvent[] = [];
  for (const event of await chainOf(id)) {
    const own = { ...event, actor: { ...event.actor, name: "nobody" }, prev: anew.at(-1)?.hash ?? chainStart };
    anew.push({ ...own, hash: auditHash(own) });
  }
  await asSuperuser(
    ...anew.map(({ seq, prev, hash }): [string, unknown[]] => [
      "update audit_events set actor_name = 'nobody', prev = $3, hash = $4 where tenant = $1 and seq = $2",
      [id, seq, prev, hash],
    ]),
    ["update audit_chains set hash = $2 where tenant = $1", [id, anew.at(-1)?.hash]],
  );
  expect(checked(id, await chainOf(id))).toBeUndefined();
  const { events, head } = await exported("json", key);
  expect(checked(id, events, head)).toEqual({ seq: 7, problem: expect.stringMatching(/rewritten/) });
});

test("another signing key signs the heads anew; a broken trail is counted and keeps the head that proves it", async () => {
  const before = await chainOf(one.tenant);
  const old = heads.get(one.tenant)?.key_id;
  await api.kill();
  api = await one.start("api", { AUDIT_SIGNING_KEY: randomBytes(32).toString("base64") });
  call = callApi(api);
  const head = await until("the new signature", () => {
    const record = heads.get(one.tenant);
    return record === undefined || record.key_id === old ? undefined : headOf(record);
  });
  expect(head).toMatchObject({ seq: before.length, hash: before.at(-1)?.hash });
  const answer = await call(one.adminKey, "GET", "/audit/head");
  expect(isSignedHead(head, String(answer.body.public_key))).toBe(true);
  const metrics = await (await fetch(`${api.ops}/metrics`)).text();
  // Of the three that were tampered with, one still ends where its head says; only its export tells.
  expect(metrics).toMatch(/astralog_api_audit_broken_trails\{[^}]*\} 2/);
  expect([...heads.values()].filter(({ key_id }) => key_id === old)).toHaveLength(2);
});
