/** Ranges of days that come back from a bucket, over real servers: row by row the same, once, for as long as was said. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { type BucketServer, choosePorts, startBucketServer, state } from "@astralog/local";
import { connectPostgres } from "@astralog/schemas/postgres";
import { archiveColumnNames, archiveColumns } from "@astralog/schemas/storage";
import { askAs, ownStack, type Platform, platform, type RunningService, type Sql, until } from "@astralog/testbed";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { createDriver, untilSwept } from "./retention.driver.ts";

jest.setTimeout(240_000);

const allowed = { OUTGOING_ALLOWED: "127.0.0.0/8" };
const often = { ...allowed, SWEEP_SECONDS: "1", SETTLE_SECONDS: "0", IN_FLIGHT_MS: "200" };
let stack: Awaited<ReturnType<typeof ownStack>>;
let one: Platform;
let api: RunningService;
let receiver: RunningService;
let retention: RunningService;
let buckets: BucketServer;
let sql: Sql;
let folder: string;
let connection: string;
/** One whose objects are encrypted before they leave us. */
let sealed: string;
const { ask, send, certified } = createDriver(() => ({ one, api, receiver }));

interface Rows {
  readonly rows: number;
  readonly different: number;
  readonly hash: string;
}
/** Counts, and a hash over every column of every row, whatever their order. */
const rowsIn = async (from: string): Promise<Rows> =>
  (
    await sql<Rows>(`SELECT toUInt32(count()) AS rows, toUInt32(uniqExact(topic, partition, offset, idx)) AS different,
      toString(sum(cityHash64(${archiveColumnNames.join(", ")}))) AS hash FROM ${from}`)
  )[0] ?? { rows: -1, different: -1, hash: "" };
const inTable = (where = "1") => rowsIn(`events WHERE tenant = '${one.tenant}' AND (${where})`);
const back = "expires_on >= '2100-01-01'";
const s3 = (name: string): string =>
  `s3('${buckets.url}/theirs/${connection}/${name}', '${buckets.accessKeyId}', '${buckets.secretAccessKey}', 'Parquet', '${archiveColumns.replaceAll("'", "\\'")}')`;
const inBucket = (where = "1") =>
  rowsIn(
    `${s3("events/*/*/*.parquet")} WHERE ${where} SETTINGS use_hive_partitioning = 0, s3_throw_on_zero_files_match = 0`,
  );
const dayOf = (ago: number): string => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
/** An object of events that were received `ago` days ago, with coordinates that the ledger need not know. */
const plant = async (ago: number, offset: number, message: string): Promise<void> => {
  await sql(`INSERT INTO FUNCTION ${s3(`events/day=${dayOf(ago)}/source=${one.source}/0-${message}.parquet`)}
    SELECT '${one.tenant}' AS tenant, '${one.source}' AS source, toDateTime64('${dayOf(ago)} 12:00:00', 9, 'UTC') AS timestamp,
      toDateTime64('${dayOf(ago)} 12:00:01', 3, 'UTC') AS received_at, 9 AS level, 'old' AS service, 'h' AS host,
      '${message}' AS message, '' AS trace_id, '' AS span_id, '' AS attribute_types, map() AS attributes, 'old' AS topic,
      0 AS partition, ${offset} AS offset, number AS idx FROM numbers(10)`);
};
const begin = async (more: object): Promise<string> => {
  const { status, body } = await ask("POST", "/rehydrations", { connection, ...more });
  expect([status, body]).toMatchObject([202, { state: "requested" }]);
  return body.id;
};
const done = (id: string) =>
  until("all to be back", async () => {
    const { body } = await ask("GET", `/rehydrations/${id}`);
    return body.state === "done" ? body : undefined;
  });
const ended = (id: string) =>
  until("its end", async () => ((await ask("GET", `/rehydrations/${id}`)).body.state === "ended" ? true : undefined));
const restart = async (): Promise<void> => {
  await retention.kill();
  retention = await one.start("retention", often);
};

beforeAll(async () => {
  folder = mkdtempSync(join(state, "rehydration-"));
  const { port } = await choosePorts({ port: 0 });
  [buckets, stack] = await Promise.all([
    startBucketServer({ dir: folder, log: join(folder, "log"), port, buckets: ["theirs"] }),
    ownStack(),
  ]);
  one = await platform(stack);
  const { url, database, users } = one.stack.clickhouse;
  sql = askAs(url, database, "astralog_admin", users.astralog_admin ?? "");
  [api, receiver] = await Promise.all([
    one.start("api", allowed),
    one.start("receiver"),
    one.start("redactor"),
    one.start("sink"),
    one.start("archive", { ...allowed, FLUSH_SECONDS: "1", STATE_SECONDS: "1" }),
  ]);
  const made = await until("a connection", async () => {
    const { status, body } = await ask("POST", "/storage/connections", {
      ...{ name: "ours", kind: "compatible", endpoint: buckets.url, bucket: "theirs" },
      ...{ access_key_id: buckets.accessKeyId, secret_access_key: buckets.secretAccessKey },
    });
    return status === 201 ? body : undefined;
  });
  connection = made.id;
  const { body: hidden } = await ask("POST", "/storage/connections", {
    ...{ name: "hidden", kind: "compatible", endpoint: buckets.url, bucket: "theirs", client_encryption: true },
    ...{ access_key_id: buckets.accessKeyId, secret_access_key: buckets.secretAccessKey },
  });
  expect(hidden.client_key).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  sealed = hidden.id;
  await send(
    Array.from({ length: 400 }, (_, i) => ({
      ...{ message: `of user ${i % 4}`, user: { id: i % 4 }, n: i / 8, ok: i % 3 === 0 },
      timestamp: `${dayOf(1 + (i % 10))}T03:04:05.${String(i).padStart(9, "0")}Z`,
    })),
  );
  await until("all to be archived", async () => ((await inBucket()).rows === 400 ? true : undefined));
  await until("all to be stored", async () => ((await inTable()).rows === 400 ? true : undefined));
  retention = await one.start("retention", often);
});

afterAll(async () => {
  await one?.stop();
  await stack?.stop();
  await buckets?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("a range comes back row by row through kills, what is there is not doubled, and it goes when it is ended", async () => {
  const all = await inTable();
  // As a sweep would have: written down, then gone.
  const gone = `tenant = '${one.tenant}' AND idx % 2 = 0`;
  await sql(`INSERT INTO removals (tenant, removal, source, topic, partition, offset, received_at, indexes, at)
    SELECT tenant, 'expired:x', source, topic, partition, offset, min(received_at), groupBitmapState(idx), now64(3)
    FROM events WHERE ${gone} GROUP BY ALL`);
  await sql(`ALTER TABLE events DELETE WHERE ${gone} SETTINGS mutations_sync = 1`);
  const range = { connection, from: dayOf(40), to: dayOf(1) };
  // Of these the ledger knows the second alone.
  await plant(40, 1, "made-up");
  await plant(39, 2, "of-old");
  await sql(`INSERT INTO batches (topic, partition, offset, tenant, source, received_at, accepted, stored, inserted_at)
    SELECT 'old', 0, 2, '${one.tenant}', '${one.source}', now() - INTERVAL 39 DAY, 10, 10, now() - INTERVAL 39 DAY`);

  const cost = await ask("POST", "/rehydrations/preview", { ...range, days: 2 });
  expect(cost).toMatchObject({ status: 200, body: { events: 420, until: dayOf(-2) } });
  for (const [more, word] of [
    [{ from: dayOf(0), to: dayOf(1) }, "from"],
    [{ from: dayOf(100), to: dayOf(1) }, "92"],
    [{ days: 31 }, "days"],
    [{ query: "nowhere.to:be_seen" }, "no such event"],
  ] as const) {
    const { status, body } = await ask("POST", "/rehydrations", { ...range, ...more });
    expect([status, body.code]).toEqual([400, "invalid_request"]);
    expect(JSON.stringify(body)).toContain(word);
  }
  const id = await begin({ ...range, days: 2 });
  for (let i = 0; i < 6; i++) await restart();
  const seen = await done(id);
  expect(seen).toMatchObject({ events: 210, objects_done: seen.objects, problem: "", until: dayOf(-2) });
  expect(await inTable("service != 'old'")).toEqual(all);
  // Received so long ago that any rule would have it gone, and left alone.
  await untilSwept(sql);
  expect(await inTable("message = 'of-old'")).toMatchObject({ rows: 10, different: 10 });
  expect(await inTable("message = 'made-up'")).toMatchObject({ rows: 0 });
  expect((await ask("GET", "/verify?wait=20")).body).toMatchObject({ ok: true });
  expect((await ask("GET", "/retention")).body.sources[0].events).toBe(200);

  expect((await ask("DELETE", `/rehydrations/${id}`)).status).toBe(204);
  await ended(id);
  expect(await inTable(back)).toMatchObject({ rows: 0 });
  expect(await inTable()).toMatchObject({ rows: 200 });
  expect(await inBucket()).toMatchObject({ rows: 420 });
  expect((await ask("GET", "/verify?wait=20")).body).toMatchObject({ ok: true });

  // The same from the bucket whose objects are encrypted before they leave us, which cannot be searched in place.
  const { body: places } = await ask("GET", "/search/places", undefined, one.queryKey);
  expect(places.places.map(({ searchable }: { searchable: boolean }) => searchable)).toEqual([true, false]);
  const refused = await ask("GET", `/search?place=${sealed}`, undefined, one.queryKey);
  expect(refused).toMatchObject({ status: 409, body: { code: "bucket_encrypted" } });
  expect(refused.body.detail).toContain("POST /api/v1/rehydrations");
  await until("all to be in the encrypted bucket", async () =>
    (await ask("POST", "/rehydrations/preview", { ...range, connection: sealed })).body.events === 400
      ? true
      : undefined,
  );
  const again = await begin({ ...range, connection: sealed, days: 2 });
  expect(await done(again)).toMatchObject({ events: 200, problem: "" });
  expect(await inTable("service != 'old'")).toEqual(all);
  expect((await ask("DELETE", `/rehydrations/${again}`)).status).toBe(204);
  await ended(again);
});

test("what a deletion has removed goes from what came back, and comes back no more, even where the bucket has it again", async () => {
  const range = { from: dayOf(10), to: dayOf(1), query: "user.id:2" };
  const first = await begin(range);
  // 50 of its 100 are there.
  expect(await done(first)).toMatchObject({ events: 100 });
  const objects = join(buckets.data, "theirs", connection, "events");
  const saved = join(folder, "saved");
  cpSync(objects, saved, { recursive: true });
  const wanted = { kind: "query", query: "user.id:2", reason: "asked", confirm: "user.id:2" };
  const { body } = await ask("POST", "/deletions", wanted);
  const certificate = await certified(body.id);
  expect(certificate.places.find(({ place }) => place === "events")).toMatchObject({ removed: 100, found: 0 });
  expect(certificate.places.find(({ place }) => place === "buckets")).toMatchObject({ removed: 100, found: 0 });
  expect(await inTable(back)).toMatchObject({ rows: 0 });
  expect((await ask("DELETE", `/rehydrations/${first}`)).status).toBe(204);
  await ended(first);

  // As from a bucket's own older versions, under names that no change knows.
  await retention.kill();
  // Its only sweep begins while it starts.
  const since = new Date();
  retention = await one.start("retention", { ...often, SWEEP_SECONDS: "3600" });
  await untilSwept(sql, since);
  for (const name of readdirSync(saved, { recursive: true, encoding: "utf8" }))
    if (name.endsWith(".parquet")) {
      const to = join(objects, dirname(name), `again-${name.split("/").at(-1)}`);
      mkdirSync(dirname(to), { recursive: true });
      cpSync(join(saved, name), to);
    }
  expect((await inBucket("attributes['user.id'] = '2'")).rows).toBeGreaterThan(0);
  const again = await begin(range);
  expect(await done(again)).toMatchObject({ events: 0 });
  expect(await inTable("attributes['user.id'] = '2'")).toMatchObject({ rows: 0 });
  await restart();
});

test("one is over by itself on its day, waits for a bucket that is away, and says so", async () => {
  await buckets.stop();
  const asked = await ask("POST", "/rehydrations", { connection, from: dayOf(3), to: dayOf(1) });
  expect(asked).toMatchObject({ status: 502, body: { code: "storage_failed" } });
  buckets = await startBucketServer({
    ...{ dir: folder, log: join(folder, "log"), port: Number(new URL(buckets.url).port), buckets: ["theirs"] },
    secretAccessKey: buckets.secretAccessKey,
  });
  await retention.kill();
  const id = await begin({ from: dayOf(3), to: dayOf(1), query: "user.id:0" });
  await buckets.stop();
  retention = await one.start("retention", often);
  await until("it to say what is wrong", async () => {
    const { body } = await ask("GET", `/rehydrations/${id}`);
    return body.state === "failing" && body.problem.includes("does not answer") ? true : undefined;
  });
  buckets = await startBucketServer({
    ...{ dir: folder, log: join(folder, "log"), port: Number(new URL(buckets.url).port), buckets: ["theirs"] },
    secretAccessKey: buckets.secretAccessKey,
  });
  expect((await done(id)).events).toBeGreaterThan(0);
  const db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  await db.updateTable("rehydrations").set({ ends_at: new Date() }).where("id", "=", id).execute();
  await db.destroy();
  await ended(id);
  expect(await inTable(back)).toMatchObject({ rows: 0 });
  const { body } = await ask("GET", "/audit?limit=100");
  const acts = body.events.map(({ action }: { action: string }) => action);
  expect(acts).toEqual(expect.arrayContaining(["rehydration.requested", "rehydration.ended"]));
});
