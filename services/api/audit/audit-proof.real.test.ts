/** What a trail proves: who may not change it, what an export holds, and how a change is found all the same. */
import { randomBytes } from "node:crypto";
import type { ControlTable } from "@astralog/chassis";
import {
  type AuditEvent,
  type AuditHead,
  type AuditHeadRecord,
  auditHash,
  chainStart,
  isSignedHead,
  parseCsvLine,
  parseJsonLine,
} from "@astralog/schemas";
import { connectSession } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { byTest, callApi, until } from "../api.driver.ts";
import { createKey } from "../control/keys.ts";
import { createSource } from "../control/sources.ts";
import { ensureTenant } from "../control/tenants.ts";
import type { Db } from "../postgres.ts";
import { asSuperuser, chainIn, checked, exportOf, openTrails } from "./audit.driver.ts";
import { headOf } from "./audit-heads.ts";
import { auditRow } from "./audit-trail.ts";

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

test("an export is whole, signed, tells of itself, and comes in a stream; CSV says the same", async () => {
  const { response, header, events, head } = await exportOf(api, one.adminKey);
  expect(response.headers.get("content-length")).toBeNull();
  expect(response.headers.get("content-type")).toBe("application/jsonl; charset=utf-8");
  expect(header).toMatchObject({ format: "astralog.audit/1", tenant: one.tenant });
  expect(head === undefined ? false : isSignedHead(head, header?.public_key ?? "")).toBe(true);
  expect(checked(one.tenant, events, head)).toBeUndefined();
  expect(events.at(-1)).toMatchObject({ action: "audit.exported", details: { format: "json" } });
  expect(events).toEqual((await chainOf(one.tenant)).slice(0, events.length));
  const csv = await exportOf(api, one.adminKey, "csv");
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
  await asSuperuser(one, [
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
  await asSuperuser(one, ["update audit_events set actor_name = 'somebody else' where tenant = $1 and seq = 4", [id]]);
  const { events, head } = await exportOf(api, key);
  expect(checked(id, events, head)).toEqual({ seq: 4, problem: expect.stringMatching(/changed/) });
});

test("a superuser's cut is found by the head in Kafka, which the cut trail cannot replace", async () => {
  const { id, key } = await victim("cut");
  const whole = await chainOf(id);
  const kept = whole[3];
  await asSuperuser(
    one,
    ["delete from audit_events where tenant = $1 and seq > 4", [id]],
    ["update audit_chains set seq = 4, hash = $2, at = $3 where tenant = $1", [id, kept?.hash, kept?.at]],
  );
  // The cut trail goes on and grows longer than it was.
  for (let i = 0; i < 6; i++) await createSource(db, id, { name: `again${i}` }, byTest(one));
  expect((await chainOf(id)).length).toBeGreaterThan(whole.length);
  expect(checked(id, await chainOf(id))).toBeUndefined();
  const { events, head } = await exportOf(api, key);
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
    one,
    ...anew.map(({ seq, prev, hash }): [string, unknown[]] => [
      "update audit_events set actor_name = 'nobody', prev = $3, hash = $4 where tenant = $1 and seq = $2",
      [id, seq, prev, hash],
    ]),
    ["update audit_chains set hash = $2 where tenant = $1", [id, anew.at(-1)?.hash]],
  );
  expect(checked(id, await chainOf(id))).toBeUndefined();
  const { events, head } = await exportOf(api, key);
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
