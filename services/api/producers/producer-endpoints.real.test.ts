/** Producers over HTTP, and what the credentials that it answers with can do on the cluster. */
import { setTimeout as sleep } from "node:timers/promises";
import { connectPostgres } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { byTest, callApi, until } from "../api.driver.ts";
import { createKey } from "../control/keys.ts";
import { createSource } from "../control/sources.ts";
import { ensureTenant } from "../control/tenants.ts";
import { setPlan } from "../plans/tenant-plans.ts";
import type { Db } from "../postgres.ts";
import { eventValue, type MadeOverHttp as Made, senderWith } from "./native.driver.ts";

let one: Platform;
let api: RunningService;
let db: Db;
let call: ReturnType<typeof callApi>;
/** As they were made, in order. */
const all: Made[] = [];

beforeAll(async () => {
  one = await platform(sharedStack());
  [api] = await Promise.all([one.start("api"), one.start("redactor"), one.start("sink")]);
  db = connectPostgres(one.deployment.postgresUrl, { max: 2 });
  call = callApi(api);
  for (const [key, path] of [
    [one.adminKey, "/producers"],
    [one.queryKey, "/search"],
  ] as const)
    await until("the key", async () => ((await call(key, "GET", path)).status === 200 ? true : undefined));
});
afterAll(async () => {
  await db?.destroy();
  await one?.stop();
});

const make = async (path: string, body: unknown): Promise<Made> => {
  const { status, body: answer } = await call(one.adminKey, "POST", path, body);
  expect([status, answer.code]).toEqual([201, undefined]);
  all.push(answer as unknown as Made);
  return answer as unknown as Made;
};

const found = (message: string) =>
  until(message, async () => {
    const { body } = await call(one.queryKey, "GET", `/search?q=${encodeURIComponent(`"${message}"`)}`);
    return body.events.find((event) => event.message === message);
  });
const refusal = async (key: string, method: string, path: string, body?: unknown) => {
  const answer = await call(key, method, path, body);
  return [answer.status, answer.body.code];
};

test("created, a producer writes over TLS with what it was told, and the event is found", async () => {
  const made = await make("/producers", { source: one.source, name: "till" });
  expect(made).toMatchObject({ source: one.source, name: "till", tls: true, brokers: one.stack.kafka.tlsBrokers });
  const sender = await senderWith(one, made);
  await sender.send({ topic: made.topic, partition: 0, value: eventValue(made.schema_id, "through its own door") });
  await found("through its own door");
  await sender.close();
  const { body } = await call(one.adminKey, "GET", "/producers");
  const { password: _, schema_id, brokers, tls, registry, ...shown } = made;
  expect(body.producers).toEqual([shown]);
});

test("rotated, both write until the overlap ends; revoked, an open connection is refused within a second", async () => {
  const old = await make("/producers", { source: one.source });
  const oldSender = await senderWith(one, old);
  const fresh = await make(`/producers/${old.id}/rotate`, { overlap_seconds: 2 });
  const rotated = performance.now();
  expect(fresh).toMatchObject({ rotated_from: old.id, topic: old.topic });
  const sender = await senderWith(one, fresh);
  const send = (by: typeof sender, message: string) =>
    by.send({ topic: fresh.topic, partition: 1, value: eventValue(fresh.schema_id, message) });
  await Promise.all([send(oldSender, "by the old one"), send(sender, "by the new one")]);
  await until("the old one's end", async () =>
    send(oldSender, "overlap").then(
      () => undefined,
      () => true,
    ),
  );
  expect(performance.now() - rotated).toBeGreaterThan(1_900);
  await send(sender, "by the new one alone");
  expect(await refusal(one.adminKey, "POST", `/producers/${old.id}/rotate`, { overlap_seconds: 0 })).toEqual([
    409,
    "producer_ended",
  ]);

  /** When the last record that was taken was sent. */
  let last = 0;
  const refused = (async () => {
    for (;;) {
      const at = performance.now();
      await send(sender, "until it is revoked");
      last = at;
    }
  })().catch(() => undefined);
  await sleep(200);
  expect(last).toBeGreaterThan(0);
  const begun = performance.now();
  expect((await call(one.adminKey, "DELETE", `/producers/${fresh.id}`)).body.revoked_at).toEqual(expect.any(String));
  const answered = performance.now();
  await refused;
  expect(last - begun).toBeLessThan(1_000);
  // What is sent after the api has answered is refused; a broker may hear of it a moment after its controller.
  expect(last).toBeLessThan(answered + 250);
  await Promise.all([sender.close(), oldSender.close()]);
  await found("by the new one alone");
});

test("others' sources and producers are not there, and a key without the right gives nothing", async () => {
  const other = (await ensureTenant(db, "the others", byTest(one))).id;
  const theirs = await createSource(db, other, { name: "theirs" }, byTest(one));
  const { key } = await createKey(db, other, { kind: "admin" }, byTest(one));
  await until("their key", async () => ((await call(key, "GET", "/producers")).status === 200 ? true : undefined));
  const [mine] = all;
  expect(await refusal(one.adminKey, "POST", "/producers", { source: theirs.id })).toEqual([404, "not_found"]);
  for (const [method, path] of [
    ["DELETE", `/producers/${mine?.id}`],
    ["POST", `/producers/${mine?.id}/rotate`],
  ] as const)
    expect(await refusal(key, method, path, method === "POST" ? {} : undefined)).toEqual([404, "not_found"]);
  expect((await call(key, "GET", "/producers")).body.producers).toEqual([]);
  expect(await refusal(one.queryKey, "GET", "/producers")).toEqual([403, "forbidden"]);
  expect(await refusal(one.queryKey, "POST", "/producers", { source: one.source })).toEqual([403, "forbidden"]);

  const second = await createSource(db, one.tenant, { name: "second" }, byTest(one));
  const permissions = ["producers.read", "producers.write"];
  const wanted = { kind: "admin" as const, permissions, sources: [second.id] };
  const { key: limited } = await createKey(db, one.tenant, wanted, byTest(one));
  await until("the limited key", async () =>
    (await call(limited, "GET", "/producers")).status === 200 ? true : undefined,
  );
  expect((await call(limited, "GET", "/producers")).body.producers).toEqual([]);
  expect(await refusal(limited, "POST", "/producers", { source: one.source })).toEqual([404, "not_found"]);
  expect(await refusal(limited, "DELETE", `/producers/${mine?.id}`)).toEqual([404, "not_found"]);
});

test("a plan without native producers makes none, and those from before can be rotated", async () => {
  await setPlan(db, one.tenant, { plan: "free", overrides: {} }, byTest(one));
  const refused = await call(one.adminKey, "POST", "/producers", { source: one.source });
  expect([refused.status, refused.body.code]).toEqual([409, "over_plan"]);
  expect(refused.body.detail).toMatch(/native_producers.*free/);
  await make(`/producers/${all[0]?.id}/rotate`, { overlap_seconds: 60 });
  await setPlan(db, one.tenant, { plan: "free", overrides: { features: ["native_producers"] } }, byTest(one));
  await make("/producers", { source: one.source });
});

test("what died unread goes back to its topic and is read anew; an event beyond a limit is refused, and told why", async () => {
  const made = all.at(-1) as Made;
  const sender = await senderWith(one, made);
  await sender.send({ topic: made.topic, partition: 1, value: Buffer.from("neither Avro nor JSON") });
  const tooDeep = `[{"message":"fits"},{"message":"never","at":${"[".repeat(80)}${"]".repeat(80)}}]`;
  await sender.send({ topic: made.topic, partition: 1, value: Buffer.from(tooDeep) });
  await sender.close();
  const letter = (reason: string) =>
    until(`the letter of ${reason}`, async () => {
      const { body } = await call(one.adminKey, "GET", `/dead?reason=${reason}`);
      return (body.dead as { id: string; offset: number }[])[0];
    });
  const limit = await letter("limit_exceeded");
  const refused = await call(one.adminKey, "POST", `/dead/${limit.id}/replay`);
  expect([refused.status, refused.body.code]).toEqual([409, "cannot_replay"]);
  expect(refused.body.detail).toMatch(/limit_exceeded.*correct the producer/);

  // Read as it was, it dies as it did, in its own topic behind what came meanwhile.
  const unread = await letter("not_framed");
  const { status, body } = await call(one.adminKey, "POST", `/dead/${unread.id}/replay`);
  expect([status, body.replayed_as]).toEqual([202, expect.stringMatching(/^native\.src_\w+:1-\d+$/)]);
  const again = await until("the letter to die again", async () => {
    const { body: now } = await call(one.adminKey, "GET", `/dead/${body.replayed_as}`);
    return now.reason === "not_framed" ? now : undefined;
  });
  expect(again.payload_bytes).toBe("neither Avro nor JSON".length);
});

test("the trail tells who did what, and no password is kept or said anywhere", async () => {
  const acts = await db
    .selectFrom("audit_events")
    .selectAll()
    .where("tenant", "=", one.tenant)
    .where("action", "like", "producer.%")
    .orderBy("seq")
    .execute();
  expect(acts.map(({ action }) => action)).toEqual([
    ...["producer.created", "producer.created", "producer.rotated", "producer.revoked"],
    ...["producer.rotated", "producer.created"],
  ]);
  const { rows: tables } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = 'public'`.execute(db);
  const rows = await Promise.all(
    tables.map(({ name }) => sql<{ row: string }>`select t::text as row from ${sql.table(name)} t`.execute(db)),
  );
  const kept = rows.flatMap(({ rows }) => rows.map(({ row }) => row)).join("\n");
  const listed = JSON.stringify((await call(one.adminKey, "GET", "/producers")).body);
  expect(all.length).toBe(5);
  for (const { id, password } of all) {
    expect(password).toHaveLength(40);
    expect(kept).toContain(id);
    for (const text of [kept, api.output(), listed]) expect(text).not.toContain(password);
  }
});
