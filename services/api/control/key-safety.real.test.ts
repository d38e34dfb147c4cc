/** What must hold for keys in all services at once: which door each kind opens, where none is ever seen, when it was used. */
import { hashKey, keyKinds, makeKey } from "@astralog/schemas";
import { connectPostgres } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { callApi, until } from "../api.driver.ts";
import type { Db } from "../postgres.ts";

let one: Platform;
let api: RunningService;
let receiver: RunningService;
let call: ReturnType<typeof callApi>;
let db: Db;

beforeAll(async () => {
  one = await platform(sharedStack());
  const env = { LOG_LEVEL: "trace", KEY_USES_SECONDS: "1" };
  [api, receiver] = await Promise.all([one.start("api", env), one.start("receiver", env)]);
  call = callApi(api);
  db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  await until("the first key", async () =>
    (await send({ authorization: `Bearer ${one.ingestKey}` })) === 200 ? true : undefined,
  );
});
afterAll(async () => {
  await db?.destroy();
  await one?.stop();
});

const send = async (headers: Record<string, string>, query = ""): Promise<number> => {
  const response = await fetch(`${receiver.url}/v1/events${query}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: '{"message":"m"}',
  });
  await response.arrayBuffer();
  return response.status;
};

test("each kind of key opens its own door and no other", async () => {
  const keys = { ingest: one.ingestKey, query: one.queryKey, admin: one.adminKey };
  for (const kind of keyKinds) {
    const bearer = { authorization: `Bearer ${keys[kind]}` };
    const opened = {
      receiver: await send(bearer),
      search: (await call(keys[kind], "GET", "/search")).status,
      keys: (await call(keys[kind], "GET", "/keys")).status,
    };
    expect([kind, opened]).toEqual([
      kind,
      {
        receiver: kind === "ingest" ? 200 : 403,
        search: kind === "query" ? 200 : 403,
        keys: kind === "admin" ? 200 : 403,
      },
    ]);
  }
});

test("one wrong character is told from the key's own form; nothing tells an unknown key from an ended one", async () => {
  const { body: ended } = await call(one.adminKey, "POST", "/keys", { kind: "query" });
  await until("the key", async () => ((await call(ended.key, "GET", "/search")).status === 200 ? true : undefined));
  await call(one.adminKey, "DELETE", `/keys/${ended.id}`);
  await until("its end", async () => ((await call(ended.key, "GET", "/search")).status === 401 ? true : undefined));
  const said = async (key: string) => {
    const { status, body } = await call(key, "GET", "/search");
    return [status, body.code, body.detail];
  };
  expect(await said(ended.key)).toEqual(await said(makeKey("query")));
  const flipped = one.queryKey.slice(0, 12) + (one.queryKey[12] === "a" ? "b" : "a") + one.queryKey.slice(13);
  expect(await said(flipped)).toEqual([401, "unauthorized", expect.stringMatching(/form or checksum/)]);
});

test("no key is in a log, in Postgres or in the trail, however it was sent", async () => {
  const { body: made } = await call(one.adminKey, "POST", "/keys", {
    kind: "ingest",
    source: one.source,
    name: "made",
  });
  const { body: renewed } = await call(one.adminKey, "POST", `/keys/${made.id}/rotate`, { overlap_seconds: 0 });
  const unknown = makeKey("ingest");
  for (const key of [made.key, renewed.key, unknown, one.queryKey, one.adminKey]) {
    await send({ authorization: `Bearer ${key}` });
    await send({ authorization: `Basic ${Buffer.from(`${key}:`).toString("base64")}` });
    await send({ "dd-api-key": key, "user-agent": key, "x-request-id": key });
    await send({}, `?key=${key}`);
    await fetch(`${api.url}/api/v1/search?q=${key}`, {
      headers: { authorization: `Bearer ${key}`, "user-agent": key },
    });
    await fetch(`${api.url}/api/v1/${key}?token=${key}`, {
      headers: { authorization: key, cookie: `__Host-astralog=${key}` },
    });
    await call(one.adminKey, "POST", "/sources", { name: key });
    await call(one.adminKey, "POST", "/keys", { kind: "query", name: "x", [key]: key });
    await call(one.adminKey, "PATCH", `/sources/${key}`, { disabled: true });
  }
  const { rows } = await sql<{ name: string }>`select table_name as name from information_schema.tables
    where table_schema = 'public'`.execute(db);
  let kept = "";
  // A name is what somebody calls something: who calls a source by his key has published it himself.
  for (const { name } of rows) {
    if (name === "sources" || name === "outbox") continue;
    kept += JSON.stringify((await sql`select to_jsonb(t) as row from ${sql.table(name)} t`.execute(db)).rows);
  }
  expect(kept).toContain(hashKey(renewed.key));
  for (const key of [made.key, renewed.key, unknown, one.ingestKey, one.queryKey, one.adminKey]) {
    for (const [where, text] of [
      ["api", api.output()],
      ["receiver", receiver.output()],
      ["Postgres", kept],
    ] as const) {
      expect([where, text.includes(key.slice(0, 20))]).toEqual([where, false]);
    }
  }
});

test("when a key was last used is known within seconds, at both doors, and asking costs no question to Postgres", async () => {
  const used = async () =>
    (await db.selectFrom("keys").select(["kind", "last_used_at"]).where("name", "=", "bootstrap").execute())
      .filter(({ last_used_at: at }) => at !== null && Math.abs(at.getTime() - Date.now()) < 120_000)
      .map(({ kind }) => kind);
  await until("the uses", async () => ((await used()).length === 3 ? true : undefined));
  const before = await db
    .selectFrom("keys")
    .select("last_used_at")
    .where("hash", "=", hashKey(one.queryKey))
    .executeTakeFirstOrThrow();
  await call(one.queryKey, "GET", "/search");
  await until("the next use", async () => {
    const now = await db
      .selectFrom("keys")
      .select("last_used_at")
      .where("hash", "=", hashKey(one.queryKey))
      .executeTakeFirstOrThrow();
    return (now.last_used_at ?? 0) > (before.last_used_at ?? 0) ? true : undefined;
  });
  const { body } = await call(one.adminKey, "GET", "/keys");
  expect(body.keys.find(({ name, kind }) => name === "bootstrap" && kind === "ingest")?.last_used_at).toMatch(
    /^\d{4}-/,
  );
});
