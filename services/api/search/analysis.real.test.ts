import { createMetrics } from "@astralog/chassis";
import { connectPostgres } from "@astralog/schemas/postgres";
import { type Platform, platform, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { byTest, callApi, planter, unlimited, until } from "../api.driver.ts";
import { connectClickHouse } from "../clickhouse.ts";
import { createKey } from "../control/keys.ts";
import { ensureTenant } from "../control/tenants.ts";
import { createApiMetrics } from "../metrics.ts";
import { eventSql, neighboursSql, traceSql } from "./around.ts";
import { type ClickHouseQueries, createQueries } from "./clickhouse-query.ts";
import { facetsSql } from "./facets.ts";
import { fieldListSql } from "./field-list.ts";
import { histogramSql, oldestSql } from "./histogram.ts";
import { tableSql } from "./pipes.ts";
import type { Scope, Sql } from "./scope.ts";
import { searchSlices } from "./search.ts";

const sliceOf = (...asked: Parameters<typeof searchSlices>): Sql =>
  searchSlices(...asked)
    .at(-1)
    ?.sql(10) ?? { query: "", params: {} };

let one: Platform;
let call: ReturnType<typeof callApi>;
let plant: ReturnType<typeof planter>;
let otherKey: string;

const second = 1_000_000_000n;
// On a whole minute.
const ns = 1_760_000_400n * second;
const trace = "cd".repeat(16);
const rows = [
  { level: 17, service: "api", host: "h1", attributes: { user: "ann", ms: "5", ok: "true" }, types: "snb", at: 0n },
  { level: 9, service: "api", host: "h1", attributes: { user: "bo", ms: "x" }, types: "ss", at: 1n },
  { level: 10, service: "api", host: "h1", attributes: { user: "ann", none: "" }, types: "s0", at: 59n },
  { level: 13, service: "web", host: "h2", attributes: { user: "it's \\ {p0:String}" }, types: "s", at: 61n },
  { level: 0, service: "", host: "", attributes: {}, types: "", at: 130n },
  { level: 9, service: "api", host: "h1", attributes: {}, types: "", at: 179n },
].map(({ at, ...row }, i) => ({
  ...row,
  message: `line ${i}`,
  timestamp: ns + at * second,
  trace_id: i % 2 === 0 ? trace : "",
}));

const get = (path: string, key = one.queryKey) => call(key, "GET", path);
const span = `from=${(ns / 1_000_000n).toString()}&to=${((ns + 180n * second) / 1_000_000n).toString()}`;

beforeAll(async () => {
  one = await platform(sharedStack());
  plant = planter(one);
  call = callApi(await one.start("api", { REQUESTS_PER_MINUTE: "100000" }));
  const db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  const tenant = (await ensureTenant(db, "other", byTest(one))).id;
  otherKey = (await createKey(db, tenant, { kind: "query" }, byTest(one))).key;
  await db.destroy();
  await plant.events(one.tenant, one.source, 0, 1, rows);
  await plant.events(one.tenant, "src_hidden", 1, 1, [
    { message: "in another source", service: "api", host: "h1", timestamp: ns + second, trace_id: trace },
  ]);
  await plant.events(tenant, "src_other", 0, 2, [
    { message: "in another tenant", service: "api", host: "h1", timestamp: ns + second, trace_id: trace },
  ]);
  await until("the other tenant's key", async () =>
    (await get("/fields", otherKey)).status === 200 ? true : undefined,
  );
});
afterAll(async () => {
  await plant?.close();
  await one?.stop();
});

test("a histogram has every stretch, by level, of what the query finds", async () => {
  const { body } = await get(`/histogram?${span}&buckets=3`);
  expect(body).toMatchObject({
    step_seconds: 60,
    buckets: [
      { at: "2025-10-09T09:00:00.000000000Z", counts: { error: 1, info: 2, unspecified: 1 } },
      { at: "2025-10-09T09:01:00.000000000Z", counts: { warn: 1, info: 0 } },
      { at: "2025-10-09T09:02:00.000000000Z", counts: { unspecified: 1, info: 1 } },
    ],
    stats: { rows: expect.any(Number), bytes: expect.any(Number), ms: expect.any(Number) },
  });
  const errors = (await get(`/histogram?${span}&buckets=3&q=level:error`)).body as unknown as {
    buckets: { counts: Record<string, number> }[];
  };
  expect(errors.buckets.map(({ counts }) => Object.values(counts).reduce((sum, n) => sum + n, 0))).toEqual([1, 0, 0]);
});

test("a histogram without times begins at the oldest event, also where there is none", async () => {
  const all = (await get("/histogram?buckets=10")).body as unknown as {
    buckets: { at: string; counts: Record<string, number> }[];
  };
  const total = all.buckets.flatMap(({ counts }) => Object.values(counts)).reduce((sum, n) => sum + n, 0);
  expect(total).toBe(7);
  expect(all.buckets.length).toBeLessThanOrEqual(10);
  expect((await get("/histogram?q=nowhere")).status).toBe(200);
});

test("a distribution has the numbers alone, and none where none are", async () => {
  const { body } = await get(`/distribution?${span}&field=ms`);
  expect(body).toMatchObject({ field: "ms", count: 1, min: 5, max: 5, bins: [{ from: 5, to: 5, count: 1 }] });
  expect((await get(`/distribution?${span}&field=user`)).body).toMatchObject({ count: 0, min: null, bins: [] });
  expect((await get("/distribution?field=level")).body.detail).toMatch(/^field: only attributes/);
  expect((await get("/distribution?field=ms", otherKey)).body.count).toBe(0);
});

test("facets count values and say how many events have the field", async () => {
  const { body } = await get(`/facets?${span}&fields=level,user,source&limit=2`);
  expect(body.facets).toEqual([
    {
      field: "level",
      coverage: 5 / 7,
      values: [
        { value: "info", count: 3 },
        { value: "warn", count: 1 },
      ],
    },
    {
      field: "user",
      coverage: 4 / 7,
      values: [
        { value: "ann", count: 2 },
        { value: "bo", count: 1 },
      ],
    },
    {
      field: "source",
      coverage: 1,
      values: [
        { value: "app", count: 6 },
        { value: "src_hidden", count: 1 },
      ],
    },
  ]);
  const hostile = await get(`/facets?fields=${encodeURIComponent("'; DROP TABLE x; --,{s0:String},\\")}`);
  expect([hostile.status, hostile.body.facets]).toEqual([
    200,
    ["'; DROP TABLE x; --", "{s0:String}", "\\"].map((field) => ({ field, coverage: 0, values: [] })),
  ]);
});

test("fields come with types and coverage, the built-in ones first", async () => {
  const { body } = await get(`/fields?${span}`);
  const fields = body.fields as { name: string; type: string; coverage: number }[];
  expect(fields[0]).toEqual({ name: "timestamp", type: "time", coverage: 1 });
  expect(fields.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["level", "source", "service", "host", "message", "trace_id", "user", "ms", "ok", "none"]),
  );
  expect(Object.fromEntries(fields.map(({ name, type }) => [name, type]))).toMatchObject({
    level: "level",
    user: "string",
    ms: "mixed",
    ok: "boolean",
    none: "null",
  });
  expect(fields.find(({ name }) => name === "user")?.coverage).toBeCloseTo(4 / 7);
});

test("an event's neighbours come from its own source, service and host, in order", async () => {
  const { body } = await get("/events/0-1-1/context?before=5&after=1");
  const messages = (list: unknown) => (list as { message: string }[]).map(({ message }) => message);
  expect(messages(body.before)).toEqual(["line 0"]);
  expect(body.event).toMatchObject({ id: "0-1-1" });
  expect(messages(body.after)).toEqual(["line 2"]);
  expect((await get("/events/0-1-1/context", otherKey)).status).toBe(404);
  expect((await get("/events/0-9-9/context")).status).toBe(404);
});

test("a trace's events, oldest first, of one tenant only", async () => {
  const { body } = await get(`/traces/${trace.toUpperCase()}`);
  expect(body.events.map(({ message }) => message)).toEqual(["line 0", "in another source", "line 2", "line 4"]);
  expect(body.more).toBe(false);
  expect((await get(`/traces/${trace}`, otherKey)).body.events).toHaveLength(1);
  expect((await get(`/traces/${"0".repeat(32)}`)).status).toBe(404);
});

test("the alert rules that look at an event are those in force whose query finds it", async () => {
  const rule = (id: string, when: object, more = {}) =>
    call(one.adminKey, "POST", "/alerts/rules", { id, name: id, when, ...more });
  const windowed = { value: "count()", window: "5m", every: "1m", above: 5 };
  const made = await Promise.all([
    rule("ann", { type: "match", query: "user:ann service:api" }),
    rule("web", { type: "match", query: "service:web" }),
    rule("share", { type: "ratio", query: "level:fatal", of: "service:api", window: "5m", every: "1m", above: 0.5 }),
    rule("off", { type: "match", query: "*" }, { enabled: false }),
    rule("all", { type: "threshold", query: "", ...windowed }),
  ]);
  expect(made.map(({ status }) => status)).toEqual(made.map(() => 201));
  const { events } = (await get(`/search?q=user:ann%20level:error&${span}`)).body as { events: { id: string }[] };
  const path = `/events/${events[0]?.id}/rules`;
  const answer = (await call(one.adminKey, "GET", path)).body as unknown as {
    rules: { id: string; judged: boolean }[];
    of: number;
  };
  expect(answer.of).toBe(4);
  expect(answer.rules.map(({ id }) => id).sort()).toEqual(["all", "ann", "share"]);
  // It was there before the rules were.
  expect(answer.rules.some(({ judged }) => judged)).toBe(false);
  expect((await call(one.adminKey, "GET", "/events/0-999999-0/rules")).status).toBe(404);
  expect((await call(otherKey, "GET", path)).body).toMatchObject({ code: "forbidden" });
});

test("wrong input is refused by name", async () => {
  for (const [path, detail] of [
    ["/histogram?from=lately", /from/],
    ["/histogram?from=now&to=-1h", /from/],
    ["/histogram?buckets=0", /buckets/],
    ["/facets?fields=timestamp", /fields/],
    [`/facets?fields=${Array.from({ length: 13 }, (_, i) => `a${i}`).join()}`, /fields/],
    ["/facets?limit=1000", /limit/],
    ["/fields?q=a", /"q"/],
    ["/distribution?field=ms&bins=1", /bins/],
    ["/events/abc/context", /event id/],
    ["/events/0-1-1/context?before=1000", /before/],
    ["/traces/nohex", /trace id/],
  ] as const) {
    const { status, body } = await get(path);
    expect([path, status]).toEqual([path, 400]);
    expect(body.detail).toMatch(detail);
  }
  expect((await get("/histogram?q=(a")).body).toMatchObject({ code: "invalid_query", column: 1 });
});

test("whoever may see one source only sees no other in any query", async () => {
  const env = one.env("api");
  const client = connectClickHouse({
    url: env.CLICKHOUSE_URL ?? "",
    database: env.CLICKHOUSE_DATABASE ?? "",
    username: "astralog_query",
    password: env.CLICKHOUSE_QUERY_PASSWORD ?? "",
  });
  const queries: ClickHouseQueries = createQueries({
    query: client,
    ledger: client,
    metrics: createApiMetrics(createMetrics("sources")),
    ...unlimited,
  });
  const scopeFor = (sources: Scope["sources"]): Scope => ({
    tenant: one.tenant,
    sources,
    names: { sources: new Map() },
    topicPrefix: one.prefix,
  });
  const hidden = { topic: "events.raw", partition: 1, offset: 1, index: 0 };
  const wide = { q: "", now: 0, from: ns, to: ns + 180n * second, step: 180n * second };
  const anchor = { at: { ...hidden, offset: 0 }, timestamp: ns, sourceId: "src_hidden", service: "api", host: "h1" };
  const paths: [name: string, make: (scope: Scope) => Sql][] = [
    ["search", (scope) => sliceOf({ q: "another", limit: 10, now: 0 }, scope)],
    ["event", (scope) => eventSql(hidden, scope)],
    ["context", (scope) => neighboursSql(anchor, "after", 5, scope)],
    ["trace", (scope) => traceSql(trace, {}, scope)],
    ["histogram", (scope) => histogramSql({ ...wide, q: "another" }, scope)],
    ["histogram from counts", (scope) => histogramSql({ ...wide, q: "" }, scope)],
    ["table", (scope) => tableSql({ q: "another | top service", now: 0 }, scope)],
    ["table from counts", (scope) => tableSql({ q: "| stats count() by service", now: 0 }, scope)],
    ["facets", (scope) => facetsSql({ q: "another", now: 0, fields: [{ kind: "service" }], limit: 5 }, scope)],
    ["fields", (scope) => fieldListSql({ from: ns + second, to: ns + second + 1n }, scope)],
  ];
  const count = async (name: string, sql: Sql) =>
    (await queries.forTenant(one.tenant, sql, { name, seconds: 5 })).rows.length;
  for (const [name, make] of paths) {
    const [all, none, own] = await Promise.all([
      count(name, make(scopeFor("all"))),
      count(name, make(scopeFor(new Set()))),
      count(name, make(scopeFor(new Set(["src_hidden"])))),
    ]);
    expect([name, none, own > 0, all >= own]).toEqual([name, 0, true, true]);
  }
  const oldest = await queries.forTenant(one.tenant, oldestSql(scopeFor(new Set()), ns * 2n), {
    name: "o",
    seconds: 5,
  });
  expect(oldest.rows).toEqual([]);
  await client.close();
});
