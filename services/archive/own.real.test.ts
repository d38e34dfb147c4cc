/** A customer's own ClickHouse, a real second server: refused rights, kills, a server that is away, and another tenant meanwhile. */
import { setTimeout as sleep } from "node:timers/promises";
import { ownMigrations, statements } from "@astralog/schemas/clickhouse";
import { ownGrantsSql, ownSetupSql } from "@astralog/schemas/own-clickhouse";
import {
  askAs,
  type CustomerServer,
  createFeeder,
  type Feeder,
  type Platform,
  platform,
  type RunningService,
  type Sql,
  settled,
  sharedStack,
  startCustomer,
} from "@astralog/testbed";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { type Rows, summary } from "./archive.driver.ts";
import { callOf, until } from "./own.driver.ts";

jest.setTimeout(300_000);

let astralog: Platform;
let api: RunningService;
let customer: CustomerServer;
let feeder: Feeder;
let sql: Sql;
let id: string;
let call: ReturnType<typeof callOf>;

const allowed = { OUTGOING_ALLOWED: "127.0.0.0/8", STATE_SECONDS: "1" };
const other = "tn_other";
const password = "a-password-of-theirs";

/** What it is told to grant, and no more; and one who has a part of that. */
const granted = ownGrantsSql({ username: "astralog_here", database: "logs", cluster: "" });
const others = [
  { name: "astralog_here", password, grants: granted.map((one) => one.replace(/ TO .*/, "")) },
  { name: "poor", password, grants: ["GRANT SELECT, CREATE TABLE ON logs.*"] },
];

beforeAll(async () => {
  const stack = sharedStack();
  [astralog, customer] = await Promise.all([platform(stack), startCustomer({ others })]);
  const { url, database, users } = stack.clickhouse;
  sql = askAs(url, database, "astralog_admin", users.astralog_admin ?? "");
  const tenantOf = (partition: number) => (partition % 2 === 0 ? astralog.tenant : other);
  feeder = await createFeeder(astralog.env("redactor"), { partitions: 4, events: 20, tenantOf });
  [api] = await Promise.all([astralog.start("api", allowed), astralog.start("sink")]);
  call = callOf(api.url, astralog);
  await until(
    () => call("GET", "/storage/clickhouse"),
    (answer) => answer.status === 200,
  );
});

afterAll(async () => {
  await feeder?.close();
  await astralog?.stop();
  await customer?.remove();
});

const given = () => ({
  ...{ name: "ours", url: customer.url, username: "astralog_here", password, database: customer.database },
});
/** Rows of Astralog's own ledger that say: kept elsewhere. */
const away = async (): Promise<number> =>
  (
    await sql<{ n: number }>(
      `SELECT toUInt32(uniqExact(partition, offset)) AS n FROM batches WHERE topic = '${feeder.raw}' AND mapContains(dropped, 'elsewhere')`,
    )
  )[0]?.n ?? 0;
const none: Rows = { rows: 0, different: 0, hash: "" };
const here = async (tenant: string): Promise<Rows> =>
  (await sql<Rows>(summary(`FROM events WHERE topic = '${feeder.raw}' AND tenant = '${tenant}'`)))[0] ?? none;
const there = async (): Promise<Rows> =>
  (await customer.ask<Rows>(summary(`FROM ${customer.database}.events`)))[0] ?? none;
const status = async () => (await call("GET", "/storage/clickhouse-status")).body.servers[0];
/** Of one tenant's partitions; a tenth of the batches are a client's retry, and a seventh of the events died before. */
const ledger = async (tenant: string): Promise<number> =>
  (
    await sql<{ n: number }>(
      `SELECT toUInt32(uniqExact(partition, offset)) AS n FROM batches WHERE topic = '${feeder.raw}' AND tenant = '${tenant}'`,
    )
  )[0]?.n ?? 0;

test("a server is told what it lacks, to be copied, and then has our tables", async () => {
  const create = () => call("POST", "/storage/clickhouse", given());
  const unknown = await call("POST", "/storage/clickhouse", { ...given(), password: "another" });
  expect(unknown).toMatchObject({ status: 422, body: { code: "storage_unfit" } });
  expect(unknown.body.detail).toContain("It refused the user or the password");
  const poor = await call("POST", "/storage/clickhouse", { ...given(), username: "poor" });
  expect(poor.body.detail).toContain(
    "lacks INSERT ON logs.*, ALTER TABLE ON logs.*, SELECT ON system.processes, SELECT ON system.parts. Run on the server: GRANT SELECT",
  );
  expect(poor.body.detail).not.toContain(password);
  const clustered = await call("POST", "/storage/clickhouse", { ...given(), cluster: "big" });
  expect(clustered.body.detail).toContain("lacks CLUSTER ON *.*, REMOTE ON *.*.");
  expect(clustered.body.detail).toContain("GRANT ON CLUSTER big CLUSTER, REMOTE ON *.* TO astralog_here");
  // There is no Keeper here to run them on: that the server reads them is what can be seen.
  const onCluster = ownMigrations("big").flatMap(({ sql: text }) => statements(text, "logs").map((one) => one.sql));
  for (const statement of [
    ...onCluster,
    ...ownSetupSql({ username: "astralog_here", database: "logs", cluster: "big" }),
  ])
    expect((await customer.ask(`EXPLAIN AST ${statement}`)).length).toBeGreaterThan(0);
  const made = await create();
  expect(made).toMatchObject({ status: 201, body: { mode: "beside", cluster: "", problem: "" } });
  id = made.body.id;
  expect(JSON.stringify(made.body)).not.toContain(password);
  expect((await call("POST", `/storage/clickhouse/${id}/probe`)).body).toMatchObject({ ok: true, missing: [] });
  const tables = await customer.ask<{ name: string }>(`SHOW TABLES FROM ${customer.database}`);
  expect(tables.map(({ name }) => name)).toEqual([
    "batches",
    "dead_letters",
    "events",
    "removals",
    "schema_migrations",
    "sink_claims",
  ]);
  for (const url of [
    "http://10.0.0.1:8123",
    "https://169.254.169.254",
    "https://example.com/path",
    "ftp://example.com",
  ])
    expect((await call("POST", "/storage/clickhouse", { ...given(), url })).status).toBe(400);
});

test("each event is there once through kills and a server that went away; another tenant waits for nothing", async () => {
  for (let i = 0; i < 2; i++) {
    const archive = await astralog.start("archive", allowed);
    for (let j = 0; j < 8; j++) {
      await feeder.feed(3);
      await sleep(150);
    }
    await until(there, ({ rows }) => rows > i * 100);
    const fed = feeder.feed(10);
    await archive.kill("SIGKILL");
    await fed;
  }
  const archive = await astralog.start("archive", allowed);
  await until(there, ({ rows }) => rows > 500);
  await customer.stop();
  await feeder.feed(20);
  const perTenant = feeder.records() / 2;
  // The other's are stored while the server is away, and so are ours on Astralog's own.
  expect(
    await until(
      () => ledger(other),
      (n) => n >= perTenant,
    ),
  ).toBe(perTenant);
  const down = await until(status, (one) => one.state === "failing" && one.lag > 0);
  expect(down).toMatchObject({ connection: id, state: "failing", problem: { code: "address_failed" } });
  expect(down.problem.detail).toBe("It does not answer.");
  const search = await call("GET", `/search?place=${id}`);
  expect(search).toMatchObject({ status: 502, body: { code: "storage_failed" } });
  expect(search.body.detail).toContain('Your ClickHouse "ours" cannot be searched: It does not answer.');
  await customer.start();
  expect(
    await until(
      () => ledger(astralog.tenant),
      (n) => n >= perTenant,
    ),
  ).toBe(perTenant);
  const stored = await here(astralog.tenant);
  expect(stored.rows).toBeGreaterThan(1_000);
  expect(await until(there, ({ rows }) => rows >= stored.rows)).toEqual(stored);
  const tenants = await customer.ask(`SELECT DISTINCT tenant FROM ${customer.database}.events`);
  expect(tenants).toEqual([{ tenant: astralog.tenant }]);
  const drained = await until(status, (one) => one.state === "running" && one.lag === 0 && one.events === stored.rows);
  expect(drained).toMatchObject({ state: "running", lag: 0, events: stored.rows, problem: null });
  expect(archive.output()).not.toContain(password);
});

test("a search there finds what a search here finds", async () => {
  const ask = async (path: string) => (await call("GET", path)).body;
  const from = encodeURIComponent(new Date(Date.now() - 3_600_000).toISOString());
  for (const q of ["service:feeder", '"0-3-2"', "n:5"]) {
    const path = `/search?q=${encodeURIComponent(q)}&from=${from}&limit=50`;
    const [mine, theirs] = [await ask(path), await ask(`${path}&place=${id}`)];
    expect(mine.events.length).toBeGreaterThan(0);
    expect(theirs.events).toEqual(mine.events);
  }
  const counted = `/query?q=${encodeURIComponent("service:feeder | stats count() by source")}&from=${from}`;
  const [mine, theirs] = [await ask(counted), await ask(`${counted}&place=${id}`)];
  expect(theirs.rows).toEqual(mine.rows);
  expect((await call("GET", "/search/places")).body.places).toEqual([
    { id, name: "ours", kind: "clickhouse", home: false, searchable: true },
  ]);
});

test("kept there instead: nothing of it here but the ledger, and everything is asked for there", async () => {
  const path = `/storage/clickhouse/${id}`;
  const before = [await here(astralog.tenant), await here(other)] as const;
  expect((await call("PATCH", path, { mode: "instead" })).body).toMatchObject({ mode: "instead", version: 2 });
  expect(await call("PATCH", path, { mode: "off" })).toMatchObject({ status: 409, body: { code: "storage_in_use" } });
  expect((await call("DELETE", path)).body.code).toBe("storage_in_use");
  const twin = await call("POST", "/storage/clickhouse", { ...given(), name: "second" });
  expect(twin.body.detail).toContain('connected already, as "ours"');
  // The sink hears of it in its own time.
  await until(
    async () => {
      await feeder.feed(1);
      await settled(sql, feeder);
      return away();
    },
    (n) => n > 0,
  );
  const between = await here(astralog.tenant);
  await feeder.feed(10);
  const { unbalanced, gaps, mismatched, twice } = await settled(sql, feeder);
  expect([unbalanced, gaps, mismatched, twice]).toEqual([0, 0, 0, 0]);
  expect(await here(astralog.tenant)).toEqual(between);
  expect((await here(other)).rows).toBeGreaterThan(before[1].rows);
  // Everything that came since the connection was made is there, whatever the mode was.
  const all = feeder.records() / 2;
  const stored = async () =>
    (
      await customer.ask<{ records: number; events: number; rows: number }>(
        `SELECT toUInt32(count()) AS records, toUInt32(sum(stored)) AS events,
           (SELECT toUInt32(count()) FROM logs.events) AS rows FROM logs.batches FINAL`,
      )
    )[0];
  const whole = await until(stored, (one) => (one?.records ?? 0) >= all);
  expect(whole?.records).toBe(all);
  expect(whole?.rows).toBe(whole?.events);
  expect(whole?.rows).toBeGreaterThan(between.rows);
  const [mine, named, old] = [
    await call("GET", `/query?q=${encodeURIComponent("| stats count()")}`),
    await call("GET", `/query?place=${id}&q=${encodeURIComponent("| stats count()")}`),
    await call("GET", `/query?place=astralog&q=${encodeURIComponent("| stats count()")}`),
  ];
  expect(mine.body.rows).toEqual(named.body.rows);
  expect(Number(mine.body.rows[0][0])).toBe(whole?.rows);
  expect(Number(old.body.rows[0][0])).toBe(between.rows);
  const receipt = `0-${feeder.records() / 4 - 1}x20`;
  const told = await call("GET", `/receipts/${receipt}`);
  expect(told.body).toMatchObject({ state: "stored" });
  expect(told.body.records[0].dropped.elsewhere).toBeUndefined();
  expect(told.body.records[0].stored + told.body.records[0].dropped.dead_letter).toBeGreaterThan(0);
  expect((await call("GET", "/export?format=ndjson")).body.code).toBe("kept_elsewhere");
  // Both ledgers and both sets of rows agree; the receiver took nothing, so its topic has no lag.
  const proof = (await call("GET", "/verify?wait=5")).body;
  expect(proof).toMatchObject({ ok: true, elsewhere: { connection: id, waiting: 0, wrong: 0 } });
  expect(proof.elsewhere.stored).toBeGreaterThan(0);
  await customer.stop();
  const down = await call("GET", "/search");
  expect(down).toMatchObject({ status: 502, body: { code: "storage_failed" } });
  expect((await call("GET", `/receipts/${receipt}`)).status).toBe(502);
  await customer.start();
});

test("retention and a deletion reach it: what is over goes, a certificate names it, and waits for it while it is away", async () => {
  await customer.ask(`INSERT INTO logs.events (tenant, source, timestamp, received_at, expires_on, message, topic, offset, inserted_at)
    SELECT '${astralog.tenant}', 'src_gone', now() - INTERVAL 40 DAY, now() - INTERVAL 40 DAY, today() - 10, 'over', 'old', number,
      now() - INTERVAL 40 DAY FROM numbers(7)`);
  const counted = async (where: string): Promise<number> =>
    (await customer.ask<{ n: number }>(`SELECT toUInt32(count()) AS n FROM logs.events WHERE ${where}`))[0]?.n ?? -1;
  expect(await counted("source = 'src_gone'")).toBe(7);
  // Others have rows in Astralog's tables: nothing there is old enough for its sweeps.
  const often = { ...allowed, SWEEP_SECONDS: "1", SETTLE_SECONDS: "86400", IN_FLIGHT_MS: "0" };
  const retention = await astralog.start("retention", often);
  expect(
    await until(
      () => counted("source = 'src_gone'"),
      (n) => n === 0,
    ),
  ).toBe(0);
  const before = await counted("1");
  const going = await counted("attributes['n'] = '5'");
  expect(going).toBeGreaterThan(20);
  await customer.stop();
  const asked = { kind: "query", query: "n:5", reason: "asked", confirm: "n:5" };
  const made = await call("POST", "/deletions", asked);
  expect(made.status).toBe(202);
  type Step = { place: string; state: string; detail: string };
  const step = async (): Promise<Step | undefined> =>
    (await call("GET", `/deletions/${made.body.id}`)).body.steps.find(
      ({ place, detail }: Step) => place === "clickhouse" && detail.includes("does not answer"),
    );
  expect(await until(step, (one) => one !== undefined)).toMatchObject({ state: "waiting" });
  await customer.start();
  // It would rest a minute before it asks again.
  await retention.kill();
  await astralog.start("retention", often);
  const path = `/deletions/${made.body.id}/certificate`;
  const { body: certificate } = await until(
    () => call("GET", path),
    ({ status }) => status === 200,
  );
  const placed = certificate.places.find(({ place }: Step) => place === "clickhouse");
  expect(placed).toMatchObject({ removed: going, found: 0 });
  expect(placed.detail).toContain("ours (sto_");
  expect([await counted("attributes['n'] = '5'"), await counted("1")]).toEqual([0, before - going]);
});
