/** Exports and patterns over real rows: whole or visibly cut, one's own only, and no cell that a spreadsheet would run. */
import { readFileSync } from "node:fs";
import { connectPostgres } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { byTest, callApi, planter, until } from "../api.driver.ts";
import { createKey } from "../control/keys.ts";
import { ensureTenant } from "../control/tenants.ts";

let one: Platform;
let api: RunningService;
let call: ReturnType<typeof callApi>;
let plant: ReturnType<typeof planter>;
let otherKey: string;
const many = 250_000;
const base = Date.now() - 3_600_000;

const fetchExport = (parameters: Record<string, string>, key = one.queryKey): Promise<Response> =>
  fetch(`${api.url}/api/v1/export?${new URLSearchParams(parameters)}`, { headers: { authorization: `Bearer ${key}` } });

const memory = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${api.pid}/status`, "utf8"))?.[1] ?? 0);

beforeAll(async () => {
  one = await platform(sharedStack());
  plant = planter(one);
  api = await one.start("api");
  call = callApi(api);
  const db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  const tenant = (await ensureTenant(db, "other", byTest(one))).id;
  otherKey = (await createKey(db, tenant, { kind: "query" }, byTest(one))).key;
  await db.destroy();
  const at = (i: number) => BigInt(base + i * 1_000) * 1_000_000n;
  await plant.events(one.tenant, one.source, 0, 1, [
    { message: "=HYPERLINK(1)", service: "-evil", timestamp: at(1), attributes: { n: "1.50" }, types: "n" },
    { message: 'say "hi",\r\nbye', service: "plain", timestamp: at(2) },
  ]);
  await plant.events(tenant, "src_other", 0, 2, [{ message: "of another", service: "plain", timestamp: at(3) }]);
  await plant.command(`INSERT INTO ${one.stack.clickhouse.database}.events
    (tenant, source, timestamp, received_at, expires_on, level, service, message, topic, partition, offset, idx)
    SELECT '${one.tenant}', '${one.source}', fromUnixTimestamp64Milli(${base} + toInt64(number)), now(), '2099-01-01', 9, 'bulk',
      concat('request ', toString(number), ' took ', toString(number % 97), ' ms ', repeat('x', 200)), '${plant.topic}', 1, number, 0
    FROM numbers(${many})`);
  await until("the other key", async () =>
    (await call(otherKey, "GET", "/search")).status === 200 ? true : undefined,
  );
});
afterAll(async () => {
  await plant?.close();
  await one?.stop();
});

test("NDJSON holds every event that a search finds, as it shows them, beyond what one search may return", async () => {
  const before = memory();
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, memory());
  }, 20);
  const response = await fetchExport({ q: "service:bulk" });
  expect(response.headers.get("content-disposition")).toMatch(/^attachment; filename="events-\d{8}T\d{6}Z.ndjson"$/);
  const text = await response.text();
  clearInterval(watch);
  const lines = text.trimEnd().split("\n");
  expect(lines).toHaveLength(many);
  expect(new Set(lines.map((line) => (JSON.parse(line) as { id: string }).id)).size).toBe(many);
  console.log(
    `${(text.length / 1e6).toFixed(0)} MB exported, the api grew by ${((most - before) / 1000).toFixed(0)} MB`,
  );
  const { body } = await call(one.queryKey, "GET", "/search?q=service:plain");
  expect((await (await fetchExport({ q: "service:plain" })).text()).trim()).toBe(JSON.stringify(body.events[0]));
});

test("CSV has a head, quotes what must be, and no cell that is a formula", async () => {
  const text = await (await fetchExport({ q: "-service:bulk", format: "csv" })).text();
  const [head, first, ...rest] = text.split(/(?<=[^,]|^)\r\n(?=\d|$)/);
  expect(head).toBe(
    "id,timestamp,received_at,level,severity_number,source,source_id,service,host,message,trace_id,span_id,attributes",
  );
  expect(first).toContain(",'-evil,,'=HYPERLINK(1),");
  expect(first).toContain('"{""n"":1.50}"');
  expect(rest.join("\r\n")).toContain('"say ""hi"",\r\nbye"');
});

test("Parquet is read back whole by another reader of it", async () => {
  const response = await fetchExport({ format: "parquet" });
  const bytes = Buffer.from(await response.arrayBuffer());
  expect([bytes.subarray(0, 4).toString(), bytes.subarray(-4).toString()]).toEqual(["PAR1", "PAR1"]);
  const { url, users } = one.stack.clickhouse;
  const read = await fetch(
    `${url}/?query=${encodeURIComponent("SELECT count(), uniqExact(partition, offset, idx), any(source_name) FROM input('partition UInt16, offset UInt64, idx UInt32, source_name String') FORMAT Parquet".replace("SELECT", "INSERT INTO FUNCTION null('a UInt64, b UInt64, c String') SELECT"))}`,
    { method: "POST", headers: authorization(users.astralog_admin ?? ""), body: bytes },
  );
  expect(await read.text()).toBe("");
  expect(JSON.parse(read.headers.get("x-clickhouse-summary") ?? "{}")).toMatchObject({ read_rows: `${many + 2}` });
});

const authorization = (password: string) => ({ "x-clickhouse-user": "astralog_admin", "x-clickhouse-key": password });

test("nobody exports another's events, and every export is in the audit trail", async () => {
  expect(await (await fetchExport({}, otherKey)).text()).toContain("of another");
  expect(await (await fetchExport({ q: "another" })).text()).toBe("");
  expect((await fetchExport({}, one.adminKey)).status).toBe(403);
  expect((await fetchExport({ q: "(" })).status).toBe(400);
  const { body } = await call(one.adminKey, "GET", "/audit?action=events.exported");
  expect(body.events[0]).toMatchObject({ details: { q: "another", format: "ndjson" } });
});

test("an export that cannot be finished is not ended: its reader learns that it is cut", async () => {
  for (const format of ["ndjson", "csv"]) {
    const response = await fetchExport({ format });
    const rest = response.text().then(({ length }) => `${length} characters, whole`);
    // A reader that stands still would keep the server from noticing; this one reads on.
    const cut = expect(rest).rejects.toThrow("terminated");
    await plant.command("KILL QUERY WHERE user = 'astralog_export' ASYNC");
    await cut;
  }
});

test("patterns: shapes with their counts and queries that find them, and what is new", async () => {
  const at = (i: number) => BigInt(Date.now() - 7_200_000 + i * 1_000) * 1_000_000n;
  const old = Array.from({ length: 30 }, (_, i) => ({ message: `job ${i} done`, service: "jobs", timestamp: at(i) }));
  const late = Array.from({ length: 30 }, (_, i) => ({
    message: i % 3 === 0 ? `cannot reach 10.0.0.${i}:5432` : `job ${i} done`,
    level: i % 3 === 0 ? 17 : 9,
    service: "jobs",
    timestamp: at(3_700 + i),
  }));
  await plant.events(one.tenant, one.source, 2, 1, [...old, ...late]);
  const { body } = await call(one.queryKey, "GET", "/patterns?q=service:jobs&from=-65m");
  expect(body.patterns).toMatchObject([
    { template: "job <num> done", count: 20, before: 30, is_new: false, level: "info", query: '"done" "job"' },
    { template: "cannot reach <ip>", count: 10, before: 0, is_new: true, level: "error", query: '"cannot reach"' },
  ]);
  expect(body).toMatchObject({ events: 30, sample: 1, events_before: 30 });
  const { body: sampled } = await call(one.queryKey, "GET", "/patterns?q=service:bulk&from=-3h");
  expect(sampled.sample).toBeCloseTo(1 / 13, 5);
  const [bulk] = sampled.patterns as { template: string; count: number }[];
  expect(bulk?.template).toMatch(/^request <num> took <num> ms x+$/);
  expect(Math.abs((bulk?.count ?? 0) - many) / many).toBeLessThan(0.1);
});
