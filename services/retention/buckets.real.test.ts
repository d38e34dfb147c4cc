/** Retention and deletion in a customer's own bucket, over real servers: what goes, what stays, and both counted one by one. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createBucket, createOutgoing } from "@astralog/chassis";
import { type BucketServer, choosePorts, startBucketServer, state } from "@astralog/local";
import { clientKeyId, encryptObject, newClientKey } from "@astralog/schemas/encrypted-object";
import { checkCertificate } from "@astralog/schemas/retention/index";
import { archiveColumnNames, archiveColumns } from "@astralog/schemas/storage";
import {
  askAs,
  decryptFiles,
  type Platform,
  platform,
  type RunningService,
  readableIn,
  type Sql,
  sharedStack,
  until,
} from "@astralog/testbed";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { forgetPlans } from "./bucket-compaction.ts";
import { createDriver } from "./retention.driver.ts";

jest.setTimeout(240_000);

const allowed = { OUTGOING_ALLOWED: "127.0.0.0/8" };
// Others have rows in these tables: nothing there is old enough for its sweeps.
const often = {
  ...{ ...allowed, SWEEP_SECONDS: "1", SETTLE_SECONDS: "86400", IN_FLIGHT_MS: "200" },
  ...{ COMPACT_AFTER_SECONDS: "0", COMPACT_OBJECTS: "2" },
};
let one: Platform;
let api: RunningService;
let receiver: RunningService;
let retention: RunningService;
let buckets: BucketServer;
let sql: Sql;
let folder: string;
let port: number;
let connection: string;
/** The same bucket once more, with objects that are encrypted before they leave us. */
let sealed: string;
const clientKeys = [newClientKey().toString("base64")];

const startBuckets = () =>
  startBucketServer({
    ...{ dir: folder, log: join(folder, "log"), port, buckets: ["theirs"], secretAccessKey: "of-this-test-alone" },
  });
const { ask, send, certified, removedLines } = createDriver(() => ({ one, api, receiver }));

const s3 = (name: string, id = connection): string =>
  `s3('${buckets.url}/theirs/logs/${id}/${name}', '${buckets.accessKeyId}', '${buckets.secretAccessKey}', 'Parquet', '${archiveColumns.replaceAll("'", "\\'")}')`;
const there = `SETTINGS use_hive_partitioning = 0, s3_throw_on_zero_files_match = 0`;
/** As anybody with the keys reads it, whatever is hidden: every event and whether one is there twice. */
const inBucket = async (
  where = "1",
  id = connection,
): Promise<{ rows: number; different: number; objects: number }> => {
  const [row] = await sql<{ rows: number; different: number; objects: number }>(
    `SELECT toUInt32(count()) AS rows, toUInt32(uniqExact(topic, partition, offset, idx)) AS different,
     toUInt32(uniqExact(_path)) AS objects FROM ${s3("events/*/*/*.parquet", id)} WHERE ${where} ${there}`,
  );
  return row ?? { rows: -1, different: -1, objects: -1 };
};
const folderOf = (id: string): string => join(buckets.data, "theirs", "logs", id);
/** As who has the keys reads it, below a name of its own. */
const inSealed = (where = "1") => {
  decryptFiles(folderOf(sealed), folderOf("opened"), clientKeys);
  return inBucket(where, "opened");
};
/** An object as the archive would have written it `ago` days ago: rows received then, and more days ago. */
const old = async (ago: readonly number[], message: string): Promise<void> => {
  const day = new Date(Date.now() - Math.max(...ago) * 86_400_000).toISOString().slice(0, 10);
  const rows = ago.map(
    (days, i) => `SELECT '${one.tenant}' AS tenant, '${one.source}' AS source,
      toDateTime64('${day} 12:00:00', 9, 'UTC') AS timestamp, now64(3, 'UTC') - INTERVAL ${days} DAY AS received_at,
      9 AS level, 'old' AS service, 'h' AS host, '${message}' AS message, '' AS trace_id, '' AS span_id,
      '' AS attribute_types, map() AS attributes, 'old' AS topic, 0 AS partition, ${1_000 + days} AS offset, number + ${100 * i} AS idx
      FROM numbers(10)`,
  );
  const name = `events/day=${day}/source=${one.source}/0-${message}.parquet`;
  await sql(`INSERT INTO FUNCTION ${s3(name)}
    SELECT ${archiveColumnNames.join(", ")} FROM (${rows.join(" UNION ALL ")})`);
  const [key = ""] = clientKeys;
  mkdirSync(dirname(join(folderOf(sealed), name)), { recursive: true });
  writeFileSync(
    join(folderOf(sealed), name),
    encryptObject(Buffer.from(key, "base64"), name, readFileSync(join(folderOf(connection), name))),
  );
};
beforeAll(async () => {
  folder = mkdtempSync(join(state, "retention-bucket-"));
  ({ port } = await choosePorts({ port: 0 }));
  [buckets, one] = await Promise.all([startBuckets(), platform(sharedStack())]);
  const { url, database, users } = one.stack.clickhouse;
  sql = askAs(url, database, "astralog_admin", users.astralog_admin ?? "");
  [api, receiver] = await Promise.all([
    one.start("api", allowed),
    one.start("receiver"),
    one.start("redactor"),
    one.start("sink"),
    one.start("archive", { ...allowed, FLUSH_SECONDS: "1", STATE_SECONDS: "1" }),
  ]);
  const connect = (more: object) =>
    until("a connection", async () => {
      const { status, body } = await ask("POST", "/storage/connections", {
        ...{ kind: "compatible", endpoint: buckets.url, bucket: "theirs", prefix: "logs/", retention_days: 30 },
        ...{ access_key_id: buckets.accessKeyId, secret_access_key: buckets.secretAccessKey, ...more },
      });
      return status === 201 ? body : undefined;
    });
  const made = await connect({ name: "ours" });
  expect(made.retention_days).toBe(30);
  connection = made.id;
  sealed = (await connect({ name: "sealed", client_encryption: true, client_key: clientKeys[0] })).id;
  for (let batch = 0; batch < 10; batch++) {
    await send(Array.from({ length: 30 }, (_, i) => ({ message: `of user ${i % 3}`, user: { id: i % 3 } })));
    // Objects of their own.
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  await until("all are archived", async () =>
    (await inBucket()).rows === 300 && (await inSealed()).rows === 300 ? true : undefined,
  );
});

afterAll(async () => {
  await one?.stop();
  await buckets?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("what is past the bucket's days goes, whole objects and parts of them, and what has a day left stays", async () => {
  await old([40], "over");
  await old([33, 20], "mixed");
  await old([30], "last-day");
  retention = await one.start("retention", often);
  await until("what is over is gone", async () => ((await inBucket("service = 'old'")).rows === 20 ? true : undefined));
  expect(await inBucket("message = 'over'")).toMatchObject({ rows: 0 });
  expect(await inBucket("message = 'mixed'")).toMatchObject({ rows: 10, objects: 1 });
  expect(await inBucket("message = 'last-day'")).toMatchObject({ rows: 10 });
  await until("of what is encrypted, too", async () =>
    (await inSealed("service = 'old'")).rows === 20 ? true : undefined,
  );
  expect(await inSealed("message = 'mixed'")).toMatchObject({ rows: 10, objects: 1 });
  expect(await inSealed("message = 'last-day'")).toMatchObject({ rows: 10 });
  const sweep = await until("a sweep that found nothing", async () => {
    const { body } = await ask("GET", "/retention");
    const seen = body.sweep.find(({ place }: { place: string }) => place === "buckets");
    return seen?.overdue === 0 ? seen : undefined;
  });
  expect(sweep.detail).toBe("2 buckets with days of their own");
  // Without days of its own nothing of it expires.
  for (const id of [connection, sealed]) {
    const { body } = await ask("PATCH", `/storage/connections/${id}`, { retention_days: null });
    expect(body.retention_days).toBeNull();
  }
});

test("small objects become few, killed again and again, and each event is there once", async () => {
  for (let batch = 0; batch < 8; batch++) {
    await send(Array.from({ length: 30 }, (_, i) => ({ message: `of user ${i % 3}`, user: { id: i % 3 } })));
    await retention.kill();
    retention = await one.start("retention", often);
  }
  // What took the place of others stands beside them until they are removed, and a look may fall in between.
  const few = await until("few objects, and each event once", async () => {
    const seen = await inBucket("service != 'old'");
    return seen.rows === 540 && seen.objects <= 2 ? seen : undefined;
  });
  expect(few.different).toBe(540);
  const fewSealed = await until("few encrypted objects, and each event once", async () => {
    const seen = await inSealed("service != 'old'");
    return seen.rows === 540 && seen.objects <= 2 ? seen : undefined;
  });
  expect(fewSealed.different).toBe(540);
  const words = ["PAR1", "of user", one.tenant, "user.id", '"version"', '"removed"'];
  const { files, found } = readableIn(folderOf(sealed), words);
  expect([files > fewSealed.objects, found]).toEqual([true, []]);
});

test("another key encrypts what is new, the one before still opens what is there, and both become one object", async () => {
  const path = `/storage/connections/${sealed}`;
  const [first = ""] = clientKeys;
  const { status, body } = await ask("POST", `${path}/client-keys`, {});
  expect([status, body.client_keys.length]).toEqual([201, 2]);
  clientKeys.unshift(body.client_key);
  const ids = clientKeys.map((key) => clientKeyId(Buffer.from(key, "base64")));
  expect(body.client_keys.map(({ id }: { id: string }) => id)).toEqual(ids);
  expect((await ask("POST", `${path}/client-keys`, { client_key: first })).body.code).toBe("invalid_request");
  await send([{ message: "of the second key", user: { id: 7 } }]);
  await until("it to be with the others, in an object of the new key", async () => {
    const counts = decryptFiles(folderOf(sealed), folderOf("opened"), clientKeys);
    const seen = await inBucket("service != 'old'", "opened");
    return seen.rows === 541 && seen.objects <= 2 && counts.size === 2 ? true : undefined;
  });
  await until("each event to be there once", async () => {
    const { rows, different } = await inSealed();
    return rows === 561 && different === 561 ? true : undefined;
  });
  await until("it to be in the other bucket, too", async () => ((await inBucket()).rows === 561 ? true : undefined));
});

test("what was planned is forgotten once it is long finished, and not before", async () => {
  const settings = { kind: "compatible", endpoint: buckets.url, region: "us-east-1", bucket: "theirs" } as const;
  const bucket = createBucket({
    settings: { ...settings, prefix: "", encryption: "bucket", kms_key: "" },
    keys: { access_key_id: buckets.accessKeyId, secret_access_key: buckets.secretAccessKey },
    ...{ folder: `logs/${connection}/`, outgoing: createOutgoing({ allowed: ["127.0.0.0/8"] }) },
  });
  const plans = async () => (await bucket.list("plans/")).map(({ name }) => name);
  const before = await plans();
  expect(before.length).toBeGreaterThan(0);
  const unfinished = "plans/11/0000999999999999.json";
  await bucket.putNew(unfinished, Buffer.from("{}"));
  expect(await forgetPlans(bucket)).toBe(0);
  expect(await forgetPlans(bucket, Date.now() + 8 * 86_400_000)).toBe(before.length);
  expect(await plans()).toEqual([unfinished]);
  await bucket.remove(unfinished);
});

test("fields past their days go from objects, through kills, younger ones and all events stay", async () => {
  await old([41], "aged");
  await old([9, 3], "half");
  const before = await inBucket();
  const wanted = { name: "words go", kind: "drop_fields", days: 7, fields: ["message", "attributes.*"] };
  const scope = { ...wanted, query: "service:old" };
  const counted = (await ask("POST", "/retention/rules/preview", scope)).body;
  const [bucket] = counted.buckets;
  expect(bucket).toMatchObject({ connection, name: "ours", problem: "" });
  const due = bucket.due as number;
  // Those of the first test, too.
  expect([bucket.events, due]).toEqual([50, 40]);
  const { status, body } = await ask("POST", "/retention/rules", scope);
  expect(status).toBe(201);
  for (let kill = 0; kill < 2; kill++) {
    await retention.kill();
    retention = await one.start("retention", often);
  }
  await until("they are gone", async () => ((await inBucket("message = ''")).rows === due ? true : undefined));
  expect(await inBucket("message IN ('aged', 'mixed', 'last-day')")).toMatchObject({ rows: 0 });
  expect(await inBucket("message = 'half' AND dateDiff('day', received_at, now()) <= 4")).toMatchObject({ rows: 10 });
  expect(await inBucket("message LIKE 'of user %'")).toMatchObject({ rows: 540 });
  const after = await inBucket();
  expect([after.rows, after.different]).toEqual([before.rows, before.different]);
  await until("a look that found nothing", async () => {
    const { body: seen } = await ask("GET", "/retention");
    const look = seen.sweep.find(({ place }: { place: string }) => place === "bucket_fields");
    return look?.overdue === 0 && look.removed === 0 && look.detail.startsWith("2 buckets") ? true : undefined;
  });
  expect((await inBucket()).objects).toBe(after.objects);
  expect((await ask("DELETE", `/retention/rules/${body.id}`)).status).toBe(204);
});

test("a deletion goes through the bucket, through a kill, waits while it is away, and says so in its certificate", async () => {
  const before = await inBucket();
  const counted = await ask("POST", "/deletions/preview", { kind: "query", query: "user.id:1" });
  expect(counted.body.buckets).toEqual([
    { connection, name: "ours", events: 180, problem: "" },
    { connection: sealed, name: "sealed", events: 180, problem: "" },
  ]);
  await buckets.stop();
  const { status, body } = await ask("POST", "/deletions", {
    ...{ kind: "query", query: "user.id:1", reason: "asked", confirm: "user.id:1" },
  });
  expect(status).toBe(202);
  const waiting = await until("it waits for the bucket", async () => {
    const { body: seen } = await ask("GET", `/deletions/${body.id}`);
    return seen.steps.find(
      ({ place, detail }: { place: string; detail: string }) =>
        place === "buckets" && detail.includes("does not answer"),
    );
  });
  expect(waiting).toMatchObject({ state: "waiting" });
  buckets = await startBuckets();
  await retention.kill();
  retention = await one.start("retention", often);
  const certificate = await certified(body.id);
  expect(certificate.places.find(({ place }) => place === "buckets")).toMatchObject({ removed: 180, found: 0 });
  expect(certificate.places.find(({ place }) => place === "events")).toMatchObject({ removed: 180, found: 0 });
  expect(await inBucket("attributes['user.id'] = '1'")).toMatchObject({ rows: 0 });
  const after = await inBucket();
  expect([after.rows, after.different]).toEqual([before.rows - 180, before.rows - 180]);
  expect(await inSealed("attributes['user.id'] = '1'")).toMatchObject({ rows: 0 });
  expect(await inSealed()).toMatchObject({ rows: after.rows, different: after.rows });
  const lines = await removedLines(body.id);
  expect(lines.some((line) => line.includes('"place":"buckets"'))).toBe(true);
  expect(checkCertificate(certificate, { publicKey: certificate.public_key, lines })).toEqual({ problems: [] });
  expect((await ask("GET", "/verify?wait=20")).body).toMatchObject({ ok: true, removed: { deleted: 180, expired: 0 } });
});

test("an object that its keeper changed, or put under another name, is refused by name and is nobody's answer", async () => {
  await retention.kill();
  const events = join(folderOf(sealed), "events");
  const [name = "", other = ""] = readdirSync(events, { recursive: true, encoding: "utf8" })
    .filter((one) => one.endsWith(".parquet"))
    .sort();
  const counted = async () =>
    (await ask("POST", "/deletions/preview", { kind: "query", query: "user.id:2" })).body.buckets[1];
  const bytes = readFileSync(join(events, name));
  const changed = Buffer.from(bytes);
  changed[changed.length - 20] = (changed[changed.length - 20] ?? 0) ^ 1;
  for (const [put, why] of [
    [changed, "bytes do not prove themselves"],
    [readFileSync(join(events, other)), "another object"],
    [Buffer.from("PAR1"), "not encrypted"],
  ] as const) {
    writeFileSync(join(events, name), put);
    const { events: none, problem } = await counted();
    expect([none, problem]).toEqual([null, expect.stringContaining(why)]);
    expect(problem).toContain(`The object events/${name} does not open`);
  }
  writeFileSync(join(events, name), bytes);
  expect(await counted()).toMatchObject({ events: 180, problem: "" });
});
