import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { createMetrics } from "@astralog/chassis";
import { connectPostgres } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { byTest, callApi, planter, unlimited, until } from "../api.driver.ts";
import { connectClickHouse } from "../clickhouse.ts";
import { createKey } from "../control/keys.ts";
import { ensureTenant } from "../control/tenants.ts";
import { createApiMetrics } from "../metrics.ts";
import { createQueries } from "./clickhouse-query.ts";
import { hostileQueries, queryPaths } from "./hostile.driver.ts";

let one: Platform;
let api: RunningService;
let call: ReturnType<typeof callApi>;
let plant: ReturnType<typeof planter>;
let other: { tenant: string; key: string };

const second = 1_000_000_000n;
const start = 1_760_000_400n * second;
const rows = [
  { level: 17, service: "api", host: "h1", attributes: { user: "ann", ms: "500", took: "1.5s" }, at: 0n },
  { level: 18, service: "api", host: "h1", attributes: { user: "bo", ms: "20" }, at: 1n },
  { level: 9, service: "api", host: "h2", attributes: { user: "ann", ms: "x" }, at: 59n },
  { level: 9, service: "web", host: "h2", attributes: { user: "ann", ms: "100", took: "200ms" }, at: 61n },
  { level: 0, service: "", host: "", attributes: {}, at: 130n },
].map(({ at, ...row }, i) => ({
  ...row,
  message: `request ${i * 1111} took ${i}.5ms`,
  timestamp: start + at * second,
}));

const clickhouseAs = (username: string) => {
  const { url, database, users } = one.stack.clickhouse;
  return connectClickHouse({ url, database, username, password: users[username] ?? "" });
};

const ask = (q: string, more: Record<string, string> = {}, key = one.queryKey) =>
  call(key, "GET", `/query?${new URLSearchParams({ q, ...more })}`);
const table = async (q: string, more: Record<string, string> = {}): Promise<unknown[][]> => {
  const { status, body } = await ask(q, more);
  if (status !== 200) throw new Error(`${q}: ${JSON.stringify(body)}`);
  return body.rows as unknown[][];
};

beforeAll(async () => {
  one = await platform(sharedStack());
  plant = planter(one);
  api = await one.start("api", { REQUESTS_PER_MINUTE: "100000" });
  call = callApi(api);
  const db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  const tenant = (await ensureTenant(db, "other", byTest(one))).id;
  other = { tenant, key: (await createKey(db, tenant, { kind: "query" }, byTest(one))).key };
  await db.destroy();
  await plant.events(one.tenant, one.source, 0, 1, rows);
  await plant.events(other.tenant, "src_other", 0, 2, [
    { message: "othersecret", service: "api", host: "otherhost", timestamp: start, attributes: { user: "otheruser" } },
  ]);
  await until("the other tenant's key", async () => ((await ask("", {}, other.key)).status === 200 ? true : undefined));
});
afterAll(async () => {
  await plant?.close();
  await one?.stop();
});

test.each<[string, unknown[][]]>([
  [
    "| stats count() by level",
    [
      ["info", 2],
      ["error", 2],
      ["", 1],
    ],
  ],
  ["service:api | stats count() as n, avg(ms) as mean by service", [["api", 3, 260]]],
  [
    "| stats count() by bin(1m)",
    [
      ["2025-10-09T09:00:00.000000000Z", 3],
      ["2025-10-09T09:01:00.000000000Z", 1],
      ["2025-10-09T09:02:00.000000000Z", 1],
    ],
  ],
  ["| stats sum(ms), min(ms), max(ms), count_distinct(user)", [[620, 20, 500, 2]]],
  ["| stats p50(ms) by service | where service:api", [["api", 20]]],
  ["| top 1 user", [["ann", 3]]],
  [
    "| top user, service",
    [
      ["ann", "api", 2],
      ["ann", "web", 1],
      ["bo", "api", 1],
    ],
  ],
  ["| top 5 user | where count:>1", [["ann", 3]]],
  [
    "| where ms:* | sort ms desc | limit 2 | fields user, ms",
    [
      ["ann", "500"],
      ["ann", "100"],
    ],
  ],
  [
    "user:* | dedup user | fields user, service",
    [
      ["ann", "web"],
      ["bo", "api"],
    ],
  ],
  ["| limit 2 | stats count()", [[2]]],
  ["| stats count() by source", [["app", 5]]],
  ["| stats count() by source | where source:app", [["app", 5]]],
  ["| stats max(timestamp)", [["2025-10-09T09:02:10.000000000Z"]]],
  ["| patterns | fields pattern, count", [["request <*> took <*>", 5]]],
  ["took:>1s | stats count()", [[1]]],
  ["took:[100ms TO 300ms] | stats count()", [[1]]],
  ["/took [0-2]\\.5ms$/ | stats count()", [[3]]],
  ["/REQUEST/i | stats count()", [[5]]],
])("%s", async (q, expected) => {
  expect(await table(q)).toEqual(expected);
});

test("counts from the projection are those of the events, whatever the window", async () => {
  const minute = (offset: bigint): string => ((start + offset * second) / 1_000_000n).toString();
  for (const [from, to, expected] of [
    [minute(0n), minute(60n), 3],
    [minute(60n), minute(180n), 2],
    [minute(1n), minute(131n), 4],
    [minute(0n), minute(130n), 4],
  ] as const) {
    expect([from, to, await table("| stats count()", { from, to })]).toEqual([from, to, [[expected]]]);
  }
});

test("a histogram is the same from counts and from events", async () => {
  const span = {
    from: ((start - 30n * second) / 1_000_000n).toString(),
    to: ((start + 150n * second) / 1_000_000n).toString(),
  };
  const counted = await call(
    one.queryKey,
    "GET",
    `/histogram?${new URLSearchParams({ q: "", buckets: "4", ...span })}`,
  );
  // The same events, said so that no count is kept of them.
  const read = await call(
    one.queryKey,
    "GET",
    `/histogram?${new URLSearchParams({ q: "message:*", buckets: "4", ...span })}`,
  );
  expect(counted.body.step_seconds).toBe(60);
  expect(counted.body.buckets).toEqual(read.body.buckets);
});

test("wrong pipes are refused with the column and what was meant", async () => {
  for (const [q, column, detail, suggestion] of [
    ["| stat count()", 3, /no stage/, /stats/],
    ["| stats cuont()", 9, /no function/, /count/],
    ["| stats count() by service | sort servic", 35, /no column/, /service/],
    ["| stats sum(message)", 13, /no number/, /attribute/],
    ["| limit 0", 9, /number of rows/, /10000/],
    ["a |", 3, /nothing behind/, /stats/],
    ["| stats count() by bin(1y)", 24, /span/, /1m/],
    ["/(a/", 2, /never closed/, /\)/],
    ["/(?=a)/", 2, /lookahead/, /\/i/],
    ["/a{1000}/", 9, /at most/, /\*/],
  ] as const) {
    const { status, body } = await ask(q);
    expect([q, status, body.code, body.column]).toEqual([q, 400, "invalid_query", column]);
    expect(body.detail).toMatch(detail);
    expect(body.suggestion).toMatch(suggestion);
  }
  expect((await call(one.queryKey, "GET", "/search?q=a|stats%20count()")).body.detail).toMatch(/pipe/);
});

test("every example of the reference runs", async () => {
  const page = readFileSync(new URL("../../../docs/query-language.md", import.meta.url), "utf8");
  const examples = [...page.matchAll(/^```query\n([\s\S]*?)^```/gm)].flatMap(([, block = ""]) =>
    block.trim().split("\n"),
  );
  expect(examples.length).toBeGreaterThan(40);
  for (const q of examples) {
    const { status, body } = await ask(q);
    expect([q, status, body.detail]).toEqual([q, 200, undefined]);
  }
});

test("an explain says what would be read and which index helps", async () => {
  const explain = async (q: string) =>
    (await call(one.queryKey, "GET", `/search/explain?${new URLSearchParams({ q })}`)).body;
  expect(await explain("took")).toMatchObject({ rows: expect.any(Number), indexes: [{ name: "message_words" }] });
  expect(await explain("| stats count() by service, bin(1h)")).toMatchObject({ indexes: [{ name: "minute_counts" }] });
  expect(await explain("trace_id:ab OR user:ann")).toMatchObject({
    indexes: [{ name: "trace_ids" }, { name: "attribute_keys" }, { name: "attribute_values" }],
  });
});

test("the SQL that an explain writes out finds what the query finds, whatever stands in it", async () => {
  const admin = clickhouseAs("astralog_admin");
  for (const q of [
    "user:ann",
    "took -user:/a.n/ ms:>1",
    `"it's \\\\ {s0:String}" OR user:bo`,
    "took | stats count() by user",
  ]) {
    const { body } = await call(one.queryKey, "GET", `/search/explain?${new URLSearchParams({ q })}`);
    const answer = await admin.query({ query: String(body.sql), format: "JSONCompact" });
    expect((await answer.json()).data).toHaveLength((await table(q)).length);
  }
  await admin.close();
});

const events = async (
  path: string,
  key = one.queryKey,
): Promise<{ event: string; data: Record<string, unknown> }[]> => {
  const response = await fetch(`${api.url}/api/v1${path}`, { headers: { authorization: `Bearer ${key}` } });
  return (await response.text())
    .split("\n\n")
    .filter((one) => one !== "")
    .map((one) => ({
      event: /event: (.*)/.exec(one)?.[1] ?? "",
      data: JSON.parse(/data: (.*)/.exec(one)?.[1] ?? "null"),
    }));
};

test("a stream gives the same events as the search, stretch by stretch", async () => {
  const streamed = await events("/search/stream?q=service:api&limit=2");
  const found = streamed.flatMap(({ event, data }) => (event === "events" ? (data.events as { id: string }[]) : []));
  const { body } = await call(one.queryKey, "GET", "/search?q=service:api&limit=2");
  expect(body.next).not.toBeNull();
  expect(found.map(({ id }) => id)).toEqual(body.events.map(({ id }) => id));
  expect(streamed.filter(({ event }) => event === "progress").length).toBeGreaterThan(1);
  expect(streamed.at(-1)).toMatchObject({ event: "done", data: { next: expect.any(String) } });
  expect((await call(one.queryKey, "GET", "/search/stream?q=(")).body).toMatchObject({
    code: "invalid_query",
    column: 1,
  });
});

test("who hangs up ends his query in the server, and a query that would read too much is not begun", async () => {
  await plant.command(`INSERT INTO events (tenant, source, timestamp, expires_on, service, message, topic, partition, offset, idx)
    SELECT '${other.tenant}', 'src_other', now64(9), '2099-01-01', 'many', repeat(toString(cityHash64(number)), 10), 't', 9, number, 0 FROM numbers(400000)`);
  const gone = new AbortController();
  const slow = `service:many message:/${"[0-9]*[13579]".repeat(20)}x/ | stats count_distinct(message)`;
  const asked = fetch(`${api.url}/api/v1/query?${new URLSearchParams({ q: slow })}`, {
    headers: { authorization: `Bearer ${other.key}` },
    signal: gone.signal,
  });
  const { database } = one.stack.clickhouse;
  const admin = clickhouseAs("astralog_admin");
  const running = async (): Promise<number> => {
    const query = `SELECT count() FROM system.processes WHERE user = 'astralog_query' AND current_database = '${database}' AND query LIKE '%uniq(%'`;
    const answer = await admin.query({ query, format: "JSONCompact" });
    return Number((await answer.json<[string]>()).data[0]?.[0]);
  };
  await until("the query runs", async () => ((await running()) > 0 ? true : undefined));
  gone.abort();
  await expect(asked).rejects.toThrow();
  const begun = Date.now();
  await until("the query is gone", async () => ((await running()) === 0 ? true : undefined));
  expect(Date.now() - begun).toBeLessThan(5_000);
  await sleep(0);

  const client = clickhouseAs("astralog_query");
  const metrics = createApiMetrics(createMetrics("limits"));
  const queries = createQueries({ query: client, ledger: client, metrics, ...unlimited, maxRows: 1000 });
  const read = queries.forTenant(
    other.tenant,
    { query: "SELECT max(message) FROM tenant_events", params: {} },
    { name: "t", seconds: 5 },
  );
  await expect(read).rejects.toMatchObject({
    code: "query_too_expensive",
    message: expect.stringMatching(/1,000 rows.*limit.*time range/),
  });
  await client.close();
  await admin.close();
});

test("200 hostile queries: an answer or a clear refusal, and nothing of another tenant's", async () => {
  const queries = hostileQueries(other.tenant);
  expect(queries.length).toBeGreaterThanOrEqual(200);
  const seen = { answered: 0, refused: 0 };
  for (const [i, q] of queries.entries()) {
    const path = queryPaths[i % queryPaths.length] ?? "/query?";
    const { status, body } = await call(one.queryKey, "GET", `${path}${new URLSearchParams({ q })}`);
    expect([q.slice(0, 200), [200, 400, 422].includes(status), status]).toEqual([q.slice(0, 200), true, status]);
    if (status === 200) seen.answered++;
    else {
      seen.refused++;
      expect(body.detail).toBeTruthy();
    }
    // What was asked for may come back in a refusal's words; what others stored may not.
    const answer = JSON.stringify(body);
    for (const secret of ["othersecret", "otherhost", "otheruser", "src_other"]) {
      if (!q.includes(secret)) expect(answer).not.toContain(secret);
    }
    if (status === 200 && path === "/search?") expect(body.events.every(({ id }) => id.startsWith("0-1-"))).toBe(true);
  }
  expect(Math.min(seen.answered, seen.refused)).toBeGreaterThan(40);
}, 60_000);
