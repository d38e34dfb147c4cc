/** Retention over real servers: what is over goes, what is not stays, and both are counted one by one. */
import { checkCertificate } from "@astralog/schemas/retention/index";
import { askAs, ownStack, type Platform, platform, type RunningService, type Sql, until } from "@astralog/testbed";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { createDriver, places, untilSwept } from "./retention.driver.ts";

jest.setTimeout(240_000);

let stack: Awaited<ReturnType<typeof ownStack>>;
let one: Platform;
let api: RunningService;
let retention: RunningService;
let receiver: RunningService;
let sink: RunningService;
let sql: Sql;

const often = { SWEEP_SECONDS: "1", SETTLE_SECONDS: "0", IN_FLIGHT_MS: "200", BACKUP_KEEP_DAYS: "14" };

const count = async (where: string): Promise<number> =>
  (await sql<{ n: number }>(`SELECT count() AS n FROM events WHERE ${where}`))[0]?.n ?? -1;

const { ask, send, certified, removedLines } = createDriver(() => ({ one, api, receiver }));

let offset = 1_000_000;
/** Stored `ago` days ago, as the sink would have: events, then their ledger row. */
const stored = async (
  ago: number,
  days: number,
  { source = one.source, tenant = one.tenant, level = 9, events = 10, message = "m" } = {},
): Promise<void> => {
  offset += 1;
  const at = `toDateTime64(toDate(now('UTC')) - ${ago}, 3, 'UTC') + INTERVAL 13 HOUR`;
  await sql(`INSERT INTO events SELECT '${tenant}', '${source}', toDateTime64(${at}, 9, 'UTC'), ${at}, toDate(${at}) + ${days},
    ${level}, 'svc', 'h', '${message}', '', '', '', map(), 'stored', 0, ${offset}, number, toDateTime(${at}, 'UTC')
    FROM numbers(${events})`);
  await sql(`INSERT INTO batches (topic, partition, offset, tenant, source, received_at, accepted, stored, inserted_at)
    SELECT 'stored', 0, ${offset}, '${tenant}', '${source}', ${at}, ${events}, ${events}, ${at}`);
};

const sweeps = () =>
  sql<{ place: string; removed: number; overdue: number; held: number; looked: number }>(
    `SELECT place, removed, overdue, held, looked FROM sweeps WHERE tenant = '' ORDER BY began_at DESC LIMIT ${places}`,
  );

beforeAll(async () => {
  stack = await ownStack();
  one = await platform(stack);
  const { url, database, users } = stack.clickhouse;
  sql = askAs(url, database, "astralog_admin", users.astralog_admin ?? "");
  [api, receiver, sink] = await Promise.all([one.start("api"), one.start("receiver"), one.start("sink")]);
  await one.start("redactor");
  await until("the key", async () => ((await ask("GET", "/sources")).status === 200 ? true : undefined));
  expect((await ask("PATCH", `/sources/${one.source}`, { retention_days: 30 })).status).toBe(200);
  await stored(31, 30, { message: "over" });
  await stored(30, 30, { message: "last day" });
  await stored(1, 30);
  // Another's in the same partition, who keeps longer.
  await stored(31, 30, { tenant: "tn_other", source: "src_gone", message: "unknown, over" });
  retention = await one.start("retention", often);
});
afterAll(async () => {
  await one?.stop();
  await stack?.stop();
});

test("what is over is dropped with its part, and what has a day left stays", async () => {
  await untilSwept(sql);
  expect(await count("message = 'over'")).toBe(0);
  expect(await count("message = 'unknown, over'")).toBe(0);
  expect(await count("message = 'last day'")).toBe(10);
  expect((await sweeps()).map(({ place, overdue }) => [place, overdue])).toEqual(
    expect.arrayContaining(
      [
        "events",
        "event_fields",
        "bucket_fields",
        "buckets",
        "clickhouse",
        "dead_letters",
        "exports",
        "backups",
        "kafka",
      ].map((place) => [place, 0]),
    ),
  );
  expect(retention.output()).not.toContain('"level":"error"');
});

test("a source that keeps less loses what is stored already, beside others in the same part", async () => {
  await stored(10, 30, { message: "ten days" });
  await stored(10, 30, { tenant: "tn_other", source: "src_gone", message: "ten days, other" });
  await sql("OPTIMIZE TABLE events FINAL");
  expect((await ask("PATCH", `/sources/${one.source}`, { retention_days: 9 })).status).toBe(200);
  await until("it is gone", async () => ((await count("message = 'ten days'")) === 0 ? true : undefined));
  expect(await count("message = 'ten days, other'")).toBe(10);
  expect(await count(`tenant = '${one.tenant}' AND received_at > now() - INTERVAL 2 DAY`)).toBe(10);
});

test("rules keep what a query finds longer or shorter, and a hold keeps all", async () => {
  const rule = async (more: object) => {
    const { status, body } = await ask("POST", "/retention/rules", { name: "a rule", kind: "keep", ...more });
    expect([status, body]).toMatchObject([201, {}]);
    return body.id as string;
  };
  expect(await ask("POST", "/retention/rules", { name: "x", kind: "keep", query: "level:(" })).toMatchObject({
    status: 400,
    body: { code: "invalid_request" },
  });
  const hold = await rule({ name: "case 7", kind: "hold", query: "evidence", reason: "case 7", days: null });
  const longer = await rule({ query: "audited", days: 60 });
  await rule({ query: "level:debug", days: 3 });
  await stored(5, 9, { level: 5, message: "debugging" });
  // The last rule is known once it has shown an effect, and with it those before.
  await until("debug is gone", async () => ((await count("message = 'debugging'")) === 0 ? true : undefined));
  await stored(20, 9, { message: "audited" });
  await stored(61, 9, { message: "audited long ago" });
  await stored(400, 9, { message: "evidence" });
  await stored(5, 9, { level: 5, message: "evidence of a bug" });
  await untilSwept(sql);
  expect(await count("message = 'audited'")).toBe(10);
  expect(await count("message = 'audited long ago'")).toBe(0);
  expect(await count("message = 'evidence'")).toBe(10);
  expect(await count("message = 'evidence of a bug'")).toBe(10);
  expect((await sweeps()).find(({ place }) => place === "events")).toMatchObject({ overdue: 0, held: 20 });

  const seen = (await ask("GET", "/retention")).body;
  expect(seen.rules).toHaveLength(3);
  expect(seen.sweep.map((row: { overdue: number }) => row.overdue)).toEqual(Array.from({ length: places }, () => 0));
  expect(seen.sources[0]).toMatchObject({ base: 9, least: 3, most: 60, held: "some" });

  expect((await ask("DELETE", `/retention/rules/${hold}`)).status).toBe(204);
  expect((await ask("DELETE", `/retention/rules/${longer}`)).status).toBe(204);
  await until("the rest is gone", async () =>
    (await count("message LIKE 'evidence%' OR message = 'audited'")) === 0 ? true : undefined,
  );
});

test("each stored index is there or written down as removed, through a kill in the middle", async () => {
  for (let i = 0; i < 20; i++) await stored(12 + i, 40, { events: 500, message: `many ${i}` });
  await retention.kill();
  retention = await one.start("retention", often);
  await until("a removal", async () => ((await count("message LIKE 'many %'")) < 10_000 ? true : undefined));
  await retention.kill();
  retention = await one.start("retention", often);
  await until("all are gone", async () => ((await count("message LIKE 'many %'")) === 0 ? true : undefined));
  expect(
    await sql(`SELECT offset, stored, accounted FROM (
      SELECT topic, partition, offset, groupBitmapOr(part) AS accounted FROM (
        SELECT topic, partition, offset, groupBitmapState(idx) AS part FROM events GROUP BY ALL
        UNION ALL
        SELECT topic, partition, offset, groupBitmapMergeState(indexes) FROM removals WHERE NOT startsWith(removal, 'dead:') GROUP BY ALL
      ) GROUP BY ALL) AS seen JOIN batches USING (topic, partition, offset) WHERE accounted != stored`),
  ).toEqual([]);
});

test("a dead letter lives as long as its source's events, and not longer", async () => {
  const letter = (ago: number, n: number) =>
    sql(`INSERT INTO dead_letters (topic, partition, offset, index, tenant, source, reason, died_at)
      SELECT '${one.prefix}events.raw', 0, ${n}, -1, '${one.tenant}', '${one.source}', 'undecodable', now64(3) - INTERVAL ${ago} DAY`);
  await letter(3, 1);
  await letter(11, 2);
  await until("the old one is gone", async () => {
    const rows = await sql<{ offset: number }>("SELECT offset FROM dead_letters FINAL");
    return JSON.stringify(rows) === '[{"offset":1}]' ? true : undefined;
  });
});

const verified = async () => (await ask("GET", "/verify?wait=20")).body;

test("a deletion by query ends in a certificate through a kill, and what was accepted stays accounted for", async () => {
  for (let batch = 0; batch < 10; batch++)
    await send(Array.from({ length: 50 }, (_, i) => ({ message: `of user ${i % 5}`, user: { id: i % 5 } })));
  await until("all are stored", async () => ((await count("message LIKE 'of user %'")) === 500 ? true : undefined));
  const scope = { kind: "query", query: "user.id:3" };
  expect((await ask("POST", "/deletions/preview", scope)).body).toMatchObject({ events: 100, confirm: "user.id:3" });
  expect(await ask("POST", "/deletions", { ...scope, reason: "asked", confirm: "user.id:4" })).toMatchObject({
    status: 400,
    body: { code: "invalid_request" },
  });
  const { status, body } = await ask("POST", "/deletions", { ...scope, reason: "asked", confirm: "user.id:3" });
  expect([status, body.state]).toEqual([202, "requested"]);
  await until("it has begun", async () => ((await sql("SELECT 1 FROM deletion_steps")).length > 0 ? true : undefined));
  await retention.kill();
  retention = await one.start("retention", often);
  const certificate = await certified(body.id);
  expect(await count("message = 'of user 3'")).toBe(0);
  expect(await count("message LIKE 'of user %'")).toBe(400);
  expect(certificate.places.find(({ place }) => place === "events")).toMatchObject({ removed: 100, found: 0 });
  expect(certificate.places.map(({ place }) => place)).toEqual([
    "events",
    "buckets",
    "clickhouse",
    "dead_letters",
    "alerts",
    "exports",
    "backups",
    "kafka",
  ]);
  expect(certificate.places.find(({ place }) => place === "backups")?.detail).toMatch(/gone by \d{4}-/);
  const lines = await removedLines(body.id);
  expect(checkCertificate(certificate, { publicKey: certificate.public_key, lines })).toEqual({ problems: [] });
  expect(
    checkCertificate(certificate, { publicKey: certificate.public_key, lines: lines.slice(1) }).problems,
  ).toHaveLength(1);
  expect(await verified()).toMatchObject({
    ok: true,
    accepted: 500,
    stored: 500,
    removed: { deleted: 100, expired: 0 },
  });

  // A row that a replay could bring back: received before the cut.
  await sql(`INSERT INTO events SELECT * REPLACE ('of user 3' AS message, map('user.id', '3') AS attributes, 'n' AS attribute_types,
    'replayed' AS topic) FROM events WHERE message = 'of user 2' LIMIT 5`);
  await until("it is gone again", async () => ((await count("topic = 'replayed'")) === 0 ? true : undefined));
  // Events of the same kind that come later are not of the deletion.
  await send([{ message: "of user 3", user: { id: 3 } }]);
  await until("it is stored", async () => ((await count("message = 'of user 3'")) === 1 ? true : undefined));
  await untilSwept(sql);
  expect(await count("message = 'of user 3'")).toBe(1);
});

test("what is on its way when everything is deleted is deleted, too, and others keep theirs", async () => {
  const others = await count(`tenant = 'tn_other'`);
  await sink.kill();
  await send(Array.from({ length: 30 }, (_, i) => ({ message: `on its way ${i}` })));
  const tenants = await ask("GET", "/organization");
  const confirm = tenants.body.name as string;
  const { body } = await ask("POST", "/deletions", { kind: "organization", reason: "they left", confirm });
  const late = await until("it waits", async () => {
    const { body: seen } = await ask("GET", `/deletions/${body.id}`);
    return seen.state === "waiting" ? seen : undefined;
  });
  expect(late.certified).toBe(false);
  expect(await count(`tenant = '${one.tenant}'`)).toBe(0);
  sink = await one.start("sink");
  const certificate = await certified(body.id);
  expect(await count(`tenant = '${one.tenant}'`)).toBe(0);
  expect(await count(`tenant = 'tn_other'`)).toBe(others);
  expect(await sql("SELECT 1 FROM dead_letters FINAL")).toEqual([]);
  const lines = await removedLines(body.id);
  expect(checkCertificate(certificate, { publicKey: certificate.public_key, lines })).toEqual({ problems: [] });
  expect(certificate.places.at(-1)?.detail).toMatch(/events\.clean by 20\d\d-/);
  const last = await verified();
  expect(last).toMatchObject({ ok: true, accepted: 531, stored: 531 });
  expect(last.removed.deleted).toBe(531);
  await send([{ message: "a new beginning" }]);
  await until("it is stored", async () => ((await count("message = 'a new beginning'")) === 1 ? true : undefined));
});

test("what a hold covers is not deleted", async () => {
  const { body } = await ask("POST", "/retention/rules", {
    name: "h",
    kind: "hold",
    source: one.source,
    reason: "case 8",
  });
  const scope = { kind: "query", query: "beginning", reason: "r", confirm: "beginning" };
  expect(await ask("POST", "/deletions", scope)).toMatchObject({ status: 409, body: { code: "on_hold" } });
  expect((await ask("DELETE", `/retention/rules/${body.id}`)).status).toBe(204);
});
