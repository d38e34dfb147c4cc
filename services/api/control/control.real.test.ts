import {
  type ControlTable,
  createControlTable,
  createKafka,
  createLog,
  kafkaShape,
  loadConfig,
} from "@astralog/chassis";
import { hashKey, type KeyRecord, topics } from "@astralog/schemas";
import { connectPostgres } from "@astralog/schemas/postgres";
import { ownStack, type Platform, platform, type RunningService } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { byTest, callApi, until } from "../api.driver.ts";
import { createKey, revokeKey } from "./keys.ts";
import { createSource } from "./sources.ts";
import { ensureTenant } from "./tenants.ts";

let stack: Awaited<ReturnType<typeof ownStack>>;
let one: Platform;
let api: RunningService;
let call: ReturnType<typeof callApi>;
/** The control topic as a receiver sees it. */
let keys: ControlTable<KeyRecord>;
let seen: { key: string; record: KeyRecord | undefined; at: number }[];

const tableOf = (
  env: Record<string, string>,
  onChange: (key: string, record: KeyRecord | undefined) => void = () => {},
) => {
  const log = createLog("test", "fatal");
  const kafka = createKafka(loadConfig(kafkaShape, env), log, "test");
  return createControlTable(kafka, { log }, { principal: "receiver", topic: topics.keys, onChange });
};

beforeAll(async () => {
  stack = await ownStack();
  one = await platform(stack);
  api = await one.start("api");
  call = callApi(api);
  seen = [];
  keys = await tableOf(one.env("receiver"), (key, record) => void seen.push({ key, record, at: performance.now() }));
  await until("the first keys", () => keys.get(hashKey(one.ingestKey)));
  await until("the admin key", async () =>
    (await call(one.adminKey, "GET", "/keys")).status === 200 ? true : undefined,
  );
});
afterAll(async () => {
  await keys.close();
  await one.stop();
  await stack.stop();
});

const make = async (body: Record<string, unknown>): Promise<{ id: string; key: string }> => {
  const { status, body: made } = await call(one.adminKey, "POST", "/keys", body);
  expect(status).toBe(201);
  return made;
};

test("a made key reaches the control topic, and a revoked one stops there, within a second each time", async () => {
  const took: number[] = [];
  for (let i = 0; i < 20; i++) {
    const made = await make({ kind: "ingest", source: one.source });
    const hash = hashKey(made.key);
    await until("the key", () => keys.get(hash));
    const begun = performance.now();
    expect((await call(one.adminKey, "DELETE", `/keys/${made.id}`)).status).toBe(200);
    await until("its end", () => (keys.get(hash)?.revoked_at === 0n ? undefined : true));
    took.push(performance.now() - begun);
  }
  expect(Math.max(...took)).toBeLessThan(1000);
  expect(keys.get(hashKey(one.ingestKey))?.revoked_at).toBe(0n);
});

test("a key is shown once, and neither it nor its hash afterwards", async () => {
  const made = await make({ kind: "query", name: "shown once", ip_allowlist: ["127.0.0.0/8"] });
  const { body } = await call(one.adminKey, "GET", "/keys");
  expect(JSON.stringify(body)).not.toContain(made.key);
  expect(JSON.stringify(body)).not.toContain(hashKey(made.key));
  expect(body.keys.find(({ id }) => id === made.id)).toMatchObject({
    prefix: "al_qry_",
    last4: made.key.slice(-4),
    name: "shown once",
  });
  expect(api.output()).not.toContain(made.key);
});

test("rotation gives a like key and lets the old one go on for the overlap only", async () => {
  const old = await make({ kind: "query", name: "rotated" });
  const { status, body } = await call(one.adminKey, "POST", `/keys/${old.id}/rotate`, { overlap_seconds: 1 });
  expect([status, body.kind, body.name, body.rotated_from]).toEqual([201, "query", "rotated", old.id]);
  await until("the new key", async () => ((await call(body.key, "GET", "/search")).status === 200 ? true : undefined));
  await until("the old key's end", async () =>
    (await call(old.key, "GET", "/search")).status === 401 ? true : undefined,
  );
  expect((await call(body.key, "GET", "/search")).status).toBe(200);
  await call(one.adminKey, "DELETE", `/keys/${old.id}`);
  expect((await call(one.adminKey, "POST", `/keys/${old.id}/rotate`, {})).body.code).toBe("key_ended");
});

test("wrong inputs and other tenants' ids are refused", async () => {
  const db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  const other = (await ensureTenant(db, "other", byTest(one))).id;
  const theirs = await createSource(db, other, { name: "theirs" }, byTest(one));
  const { row } = await createKey(db, other, { kind: "ingest", source: theirs.id }, byTest(one));
  for (const [method, path, body, status, code] of [
    ["POST", "/keys", { kind: "ingest" }, 400, "invalid_request"],
    ["POST", "/keys", { kind: "query", source: one.source }, 400, "invalid_request"],
    ["POST", "/keys", { kind: "ingest", source: theirs.id }, 404, "not_found"],
    ["POST", "/keys", { kind: "query", tenant: other }, 400, "invalid_request"],
    ["POST", "/keys", { kind: "root" }, 400, "invalid_request"],
    ["POST", "/keys", { kind: "query", expires_at: "2001-01-01T00:00:00Z" }, 400, "invalid_request"],
    ["POST", "/keys", { kind: "query", ip_allowlist: ["10.0.0.0/99"] }, 400, "invalid_request"],
    ["DELETE", `/keys/${row.id}`, undefined, 404, "not_found"],
    ["POST", `/keys/${row.id}/rotate`, {}, 404, "not_found"],
    ["PATCH", `/sources/${theirs.id}`, { disabled: true }, 404, "not_found"],
    ["PATCH", `/sources/${one.source}`, { retention_days: 0 }, 400, "invalid_request"],
    ["PATCH", `/sources/${one.source}`, {}, 400, "invalid_request"],
    ["PATCH", `/sources/${one.source}`, { id: "src_x" }, 400, "invalid_request"],
    ["POST", "/sources", { name: "app" }, 409, "name_taken"],
    ["POST", "/sources", { name: "a\nb" }, 400, "invalid_request"],
    ["POST", "/sources", JSON.parse('{"name":"x","__proto__":{"disabled":true}}'), 400, "invalid_request"],
  ] as const) {
    const reply = await call(one.adminKey, method, path, body);
    expect([method, path, body, reply.status, reply.body.code]).toEqual([method, path, body, status, code]);
  }
  await db.destroy();
});

test("with Postgres gone searches go on and changes are refused; what was committed is published when it is back", async () => {
  const made = await make({ kind: "query" });
  await until("the key", async () => ((await call(made.key, "GET", "/search")).status === 200 ? true : undefined));
  await stack.servers.postgres.kill();
  expect((await call(made.key, "GET", "/search")).status).toBe(200);
  expect((await call(one.adminKey, "POST", "/keys", { kind: "query" })).body.code).toBe("postgres_unavailable");
  await stack.servers.postgres.start();
  await until("a change", async () =>
    (await call(one.adminKey, "DELETE", `/keys/${made.id}`)).status === 200 ? true : undefined,
  );
  await until("its end", async () => ((await call(made.key, "GET", "/search")).status === 401 ? true : undefined));
});

test("what was committed while no api ran is published in order by the next; kill -9 loses and reorders nothing", async () => {
  const db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  const rounds = 3;
  for (let round = 0; round < rounds; round++) {
    const made: string[] = [];
    // Killed in the middle of its work, at another moment each time.
    const killing = new Promise((resolve) => setTimeout(resolve, 20 + round * 29)).then(() => api.kill());
    for (let i = 0; i < 30; i++) {
      const { key, row } = await createKey(db, one.tenant, { kind: "query" }, byTest(one));
      await revokeKey(db, one.tenant, row.id, byTest(one));
      made.push(hashKey(key));
    }
    await killing;
    api = await one.start("api");
    call = callApi(api);
    for (const hash of made)
      await until("each key's end", () => ((keys.get(hash)?.revoked_at ?? 0n) > 0n ? true : undefined));
  }
  await until("an empty outbox", async () =>
    (await db.selectFrom("outbox").select("id").limit(1).executeTakeFirst()) === undefined ? true : undefined,
  );
  // Repeats may tell a key's story again from its beginning; it always ends as it ended.
  for (const [hash, story] of Map.groupBy(seen, ({ key }) => key)) {
    const ended = story.some(({ record }) => (record?.revoked_at ?? 0n) > 0n);
    expect([hash, (story.at(-1)?.record?.revoked_at ?? 0n) > 0n]).toEqual([hash, ended]);
  }
  await db.destroy();
});

test("two apis: one carries the outbox, and the other takes over when it dies", async () => {
  const second = await one.start("api");
  const leading = async (service: RunningService) =>
    /outbox_leading\{[^}]*\} 1/.test(await (await fetch(`${service.ops}/metrics`)).text());
  expect([await leading(api), await leading(second)]).toEqual([true, false]);
  await api.kill();
  await until("the second", async () => ((await leading(second)) ? true : undefined));
  api = second;
  call = callApi(api);
  const made = await make({ kind: "query" });
  await until("the key", () => keys.get(hashKey(made.key)));
});

test("empty control topics are filled again from Postgres, and strangers in them forgotten", async () => {
  // The same Postgres with other topics is what a lost Kafka looks like.
  await api.kill();
  const fresh = await platform(stack);
  const env = { POSTGRES_URL: one.env("api").POSTGRES_URL ?? "" };
  const table = await tableOf(fresh.env("receiver"));
  const its = await fresh.start("api");
  await until("the keys of its own Postgres", () => table.get(hashKey(fresh.adminKey)));
  await its.kill();
  await fresh.start("api", env);
  await until("the first platform's keys", () => table.get(hashKey(one.adminKey)));
  await until("the stranger's end", () => (table.get(hashKey(fresh.adminKey)) === undefined ? true : undefined));
  expect(table.size).toBe(keys.size);
  await table.close();
  await fresh.stop();
});
