import { createMetrics } from "@astralog/chassis";
import { connectPostgres } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import fc from "fast-check";
import { byTest, callApi, planter, type Reply, unlimited, until } from "../api.driver.ts";
import { connectClickHouse } from "../clickhouse.ts";
import { createKey } from "../control/keys.ts";
import { ensureTenant } from "../control/tenants.ts";
import { createApiMetrics } from "../metrics.ts";
import { createQueries } from "./clickhouse-query.ts";

let one: Platform;
let api: RunningService;
let call: ReturnType<typeof callApi>;
let plant: ReturnType<typeof planter>;
let other: { tenant: string; queryKey: string };

const search = (q: string, more: Record<string, string> = {}, key = one.queryKey): Promise<Reply> =>
  call(key, "GET", `/search?${new URLSearchParams({ q, ...more })}`);

const ns = 1_760_000_000_000_000_000n;
const rows = [
  {
    message: "Failed password for root from 10.0.0.1 port 22",
    level: 17,
    service: "sshd",
    host: "h1",
    attributes: { status: "500", ms: "12.5", run: "12e456789012" },
  },
  {
    message: "failed to connect: Connection REFUSED by peer",
    level: 13,
    service: "api-1",
    host: "h2",
    attributes: { status: "500.0", ms: "700", "a.b": "x y", run: "0" },
  },
  {
    message: "user=alice GET /health 200",
    level: 9,
    service: "api-2",
    trace_id: "ab".repeat(16),
    attributes: { status: "200", ms: "nope", empty: "" },
  },
  { message: 'quote " backslash \\ percent % under_score', service: "odd", attributes: { 'we"ird': "it's" } },
  { message: "Größe ÄRGER 日本語 nul\u0000byte", level: 1, service: "unicode", attributes: { __proto__x: "1" } },
  { message: "!! -> {json:true}", level: 21, service: "api-1", attributes: { ms: "-3" } },
].map((row, i) => ({ ...row, timestamp: ns + BigInt(i) }));

beforeAll(async () => {
  one = await platform(sharedStack());
  plant = planter(one);
  api = await one.start("api", { REFUSALS_PER_MINUTE: "5", REQUESTS_PER_MINUTE: "100000" });
  call = callApi(api);
  const db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  const tenant = (await ensureTenant(db, "other", byTest(one))).id;
  other = { tenant, queryKey: (await createKey(db, tenant, { kind: "query" }, byTest(one))).key };
  await db.destroy();
  await plant.events(one.tenant, one.source, 0, 1, rows);
  await plant.events(other.tenant, "src_other", 0, 2, [{ message: "failed in another tenant", timestamp: ns + 100n }]);
  await until("the other tenant's key", async () =>
    (await search("", {}, other.queryKey)).status === 200 ? true : undefined,
  );
});
afterAll(async () => {
  await plant.close();
  await one.stop();
});

const found = async (q: string): Promise<number[]> => {
  const { status, body } = await search(q);
  if (status !== 200) throw new Error(`${q}: ${JSON.stringify(body)}`);
  return body.events.map((event: { id: string }) => Number(event.id.split("-")[2])).sort();
};

test.each<[string, number[]]>([
  ["", [0, 1, 2, 3, 4, 5]],
  ["failed", [0, 1]],
  ["FAILED password", [0]],
  ['"connection refused"', [1]],
  ['"refused connection"', []],
  ["10.0.0.1", [0]],
  ["user=alice", [2]],
  ["conn*", [1]],
  ["*onnect*", [1]],
  ["ass*", []],
  ["größe", [4]],
  ["日本語", [4]],
  ['"!!"', [5]],
  ['"->"', [5]],
  ["NOT failed", [2, 3, 4, 5]],
  ["failed OR alice", [0, 1, 2]],
  ["(failed OR alice) -root", [1, 2]],
  ["service:api-1", [1, 5]],
  ["service:api-*", [1, 2, 5]],
  ["service:API-1", []],
  ["message:alice", [2]],
  ["source:app", [0, 1, 2, 3, 4, 5]],
  ["source:nobody", []],
  ["host:*", [0, 1]],
  ["level:error", [0]],
  ["level:>=warn", [0, 1, 5]],
  ["level:<warn", [2, 4]],
  ["-level:*", [3]],
  ["status:500", [0, 1]],
  ["status:>=200 status:<500", [2]],
  ["ms:>12", [0, 1]],
  ["ms:[-5 TO 12.5]", [0, 5]],
  ["ms:{-3 TO 12.5}", []],
  ["-ms:>12", [2, 3, 4, 5]],
  ["ms:*", [0, 1, 2, 5]],
  ['empty:""', [2]],
  ["run:12e456789012", [0]],
  ['a.b:"x y"', [1]],
  ["a.b:x*", [1]],
  [`"we\\"ird":"it's"`, [3]],
  ['"percent %"', [3]],
  ["service:o_d", []],
  ["trace_id:ABABABABABABABABABABABABABABABAB", [2]],
  ["timestamp:>=2025-10-09T08:53:20.000000003Z", [3, 4, 5]],
  ["http://nowhere", []],
])("%s finds %j", async (q, expected) => {
  expect(await found(q)).toEqual(expected);
});

test("pages of events with one timestamp neither skip nor repeat, and end", async () => {
  const many = Array.from({ length: 230 }, (_, i) => ({ message: `page ${i}`, timestamp: ns, service: "paged" }));
  for (const offset of [50, 51, 52]) await plant.events(one.tenant, one.source, 3, offset, many);
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const { body }: Reply = await search("service:paged", { limit: "100", ...(cursor === null ? {} : { cursor }) });
    ids.push(...body.events.map((event: { id: string }) => event.id));
    cursor = body.next;
  } while (cursor !== null);
  expect(ids).toHaveLength(690);
  expect(new Set(ids).size).toBe(690);
});

test("one event by its id, as it was sent", async () => {
  const { body } = await call(one.queryKey, "GET", "/events/0-1-2");
  expect(body).toMatchObject({
    id: "0-1-2",
    timestamp: "2025-10-09T08:53:20.000000002Z",
    level: "info",
    source: "app",
    trace_id: "ab".repeat(16),
    attributes: { status: "200" },
    expires_on: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
  });
});

test("a tenant sees nothing of another's: not by search, not by id, not by receipt", async () => {
  expect((await search("failed", {}, other.queryKey)).body.events).toHaveLength(1);
  expect((await call(other.queryKey, "GET", "/events/0-1-2")).status).toBe(404);
  expect((await call(one.queryKey, "GET", "/events/0-2-0")).status).toBe(404);
  await plant.ledger(one.tenant, one.source, [{ partition: 0, offset: 1, accepted: 6, stored: 6 }]);
  expect((await call(one.queryKey, "GET", "/receipts/0-1x6")).body).toMatchObject({
    state: "stored",
    records: [{ stored: 6, stored_at: expect.stringMatching(/Z$/), ruleset: expect.any(String) }],
  });
  expect((await call(other.queryKey, "GET", "/receipts/0-1x6")).body).toMatchObject({
    state: "pending",
    records: [{ received_at: null, stored_at: null, ruleset: null }],
  });
});

test("the row filter holds when the builder forgets the tenant", async () => {
  const env = one.env("api");
  const client = connectClickHouse({
    url: env.CLICKHOUSE_URL ?? "",
    database: env.CLICKHOUSE_DATABASE ?? "",
    username: "astralog_query",
    password: env.CLICKHOUSE_QUERY_PASSWORD ?? "",
  });
  const queries = createQueries({
    ...{ query: client, ledger: client, metrics: createApiMetrics(createMetrics("rows")) },
    ...unlimited,
  });
  const all = (tenant: string) =>
    queries.forTenant<[string]>(
      tenant,
      { query: "SELECT DISTINCT tenant FROM tenant_events", params: {} },
      { name: "t", seconds: 5 },
    );
  expect((await all(other.tenant)).rows).toEqual([[other.tenant]]);
  expect((await all("")).rows).toEqual([]);
  expect((await all("tn_nobody")).rows).toEqual([]);
  for (const query of [
    "SELECT count() FROM events",
    "SELECT * FROM system.parts",
    "SELECT * FROM url('http://127.0.0.1:1', CSV, 'a String')",
    "INSERT INTO events (tenant) VALUES ('x')",
    "DROP TABLE events",
    `SELECT 1 SETTINGS max_memory_usage = 0`,
  ]) {
    await expect(queries.forTenant(other.tenant, { query, params: {} }, { name: "t", seconds: 5 })).rejects.toThrow();
  }
  await client.close();
});

test("hostile queries: an answer or a clear refusal, never more than one's own rows", async () => {
  const bits = fc.constantFrom(
    "'",
    '"',
    "\\",
    "\\'",
    "--",
    "/*",
    "*/",
    ";",
    "`",
    "{p0:String}",
    "{s0:String}",
    "\u0000",
    "\n",
    "%",
    "_",
    "*",
    "(",
    ")",
    "OR",
    "1=1",
    " ",
    "tenant:",
    "x:",
    ">",
    "[",
    " TO ",
    "]",
    "𝔘",
    "\u202e",
    "NULL",
    "service:",
    "level:",
    "UNION SELECT",
  );
  let refused = 0;
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(bits, { minLength: 1, maxLength: 25 }), async (list) => {
      // Half of it as one quoted text, which is always a query.
      const q = list.length % 2 === 0 ? list.join("") : `"${list.join("").replace(/["\\]/g, "\\$&")}"`;
      const { status, body } = await search(q, {}, other.queryKey);
      if (status === 200) {
        answered++;
        expect(body.events.length).toBeLessThanOrEqual(1);
      } else {
        refused++;
        expect([status, body.code]).toEqual([400, "invalid_query"]);
        expect(body.column).toBeGreaterThan(0);
      }
    }),
    { numRuns: 300 },
  );
  expect(Math.min(refused, answered)).toBeGreaterThan(20);
});

test("inputs are refused by name", async () => {
  for (const [path, detail] of [
    ["/search?q=a&tenant=x", /"tenant"/],
    ["/search?q=a&q=b", /q:/],
    ["/search?limit=1001", /limit/],
    ["/search?limit=x", /limit/],
    ["/search?from=lately", /from/],
    ["/search?cursor=abc", /next/],
    ["/events/abc", /event id/],
    ["/receipts/abc", /receipt/],
    [`/search?q=${"a".repeat(5000)}`, /4096/],
  ] as const) {
    const { status, body } = await call(one.queryKey, "GET", path);
    expect([path, status]).toEqual([path, 400]);
    expect(body.detail).toMatch(detail);
    expect(body.request_id).toMatch(/^[0-9a-f-]{36}$/);
  }
});

test("each part takes its kind of key only, and unknown parts are not there", async () => {
  const parts = {
    query: ["/search", "/events/0-1-2", "/receipts/0-1x6"],
    admin: ["/sources", "/keys", "/verify", "/dead"],
  };
  const keys = { query: one.queryKey, admin: one.adminKey, ingest: one.ingestKey };
  for (const [kind, paths] of Object.entries(parts)) {
    for (const path of paths) {
      for (const [given, key] of Object.entries(keys)) {
        expect([path, given, (await call(key, "GET", path)).status]).toEqual([path, given, given === kind ? 200 : 403]);
      }
    }
  }
  expect((await call(one.adminKey, "GET", "/users")).status).toBe(404);
  expect((await call(one.adminKey, "GET", "/__proto__")).status).toBe(404);
});

test("the page and every answer carry strict headers; guessing keys is slowed, a good key is not", async () => {
  for (const path of ["/", "/api/v1/nothing", "/nothing"]) {
    const response = await fetch(api.url + path);
    const policy = response.headers.get("content-security-policy");
    expect(policy).toMatch(/default-src 'none';script-src 'self'.*;report-uri \/csp-reports;report-to csp/);
    expect(response.headers.get("reporting-endpoints")).toBe('csp="/csp-reports"');
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    await response.arrayBuffer();
  }
  const guesses = [];
  for (let i = 0; i < 10; i++) guesses.push((await call("al_qry_nonsense", "GET", "/search")).status);
  expect(guesses.at(-1)).toBe(429);
  expect((await search("failed")).status).toBe(200);
});
