/**
 * The eight searches that peers were measured with: through the API as a user asks them, and as plain SQL on the table,
 * one after the other, so that both meet the same machine.
 */
import type { ClickHouse } from "./clickhouse.ts";
import { millis, percentile, table } from "./figures.ts";
import { phrase, rareWord } from "./generate.ts";

export interface EightResult {
  readonly name: string;
  readonly rows: number;
  readonly apiMs: number;
  /** What the storage took of that, by its own clock. */
  readonly storageMs: number;
  readonly sqlMs: number;
}

const repeats = 20;
/** Rounds before the clock counts: a server that has been up for a while is what users meet. */
const warmUps = 15;
const eventColumns =
  "timestamp, received_at, level, source, service, host, message, trace_id, span_id, attribute_types, attributes, topic, partition, offset, idx";
const newest = "ORDER BY timestamp DESC, topic DESC, partition DESC, offset DESC, idx DESC LIMIT 101";

interface Search {
  readonly name: string;
  /** Below /api/v1. */
  readonly path: string;
  readonly sql: string;
}

const searches = (tenant: string, trace: string, hour: number): Search[] => {
  const mine = `tenant = '${tenant}'`;
  const ask = (path: string, parameters: Record<string, string>) => `${path}?${new URLSearchParams(parameters)}`;
  const words = `service = 'checkout' AND hasPhrase(lower(message), '${phrase}')`;
  return [
    {
      name: "count by level",
      path: ask("/query", { q: "| stats count() by level" }),
      sql: `SELECT level, count() FROM events WHERE ${mine} GROUP BY level`,
    },
    {
      name: "rare word, last 100",
      path: ask("/search", { q: rareWord }),
      sql: `SELECT ${eventColumns} FROM events WHERE ${mine} AND hasAllTokens(lower(message), '${rareWord}') ${newest}`,
    },
    {
      name: "phrase and service, last 100",
      path: ask("/search", { q: `service:checkout "${phrase}"` }),
      sql: `SELECT ${eventColumns} FROM events WHERE ${mine} AND ${words} ${newest}`,
    },
    {
      name: "its count",
      path: ask("/query", { q: `service:checkout "${phrase}" | stats count()` }),
      sql: `SELECT count() FROM events WHERE ${mine} AND ${words}`,
    },
    {
      name: "minute histogram of a service",
      path: ask("/query", { q: "service:payments | stats count() by bin(1m)" }),
      sql: `SELECT toStartOfMinute(timestamp) AS t, count() FROM events WHERE ${mine} AND service = 'payments' GROUP BY t ORDER BY t`,
    },
    {
      name: "top 10 users",
      path: ask("/query", { q: "| top 10 user_id" }),
      sql: `SELECT attributes['user_id'] AS user, count() AS n FROM events WHERE ${mine} AND user != '' GROUP BY user ORDER BY n DESC LIMIT 10`,
    },
    {
      name: "trace look-up",
      path: `/traces/${trace}`,
      sql: `SELECT ${eventColumns} FROM events WHERE ${mine} AND trace_id = '${trace}' ORDER BY timestamp LIMIT 5001`,
    },
    {
      name: "errors of one hour, last 100",
      path: ask("/search", { q: "level:error", from: String(hour) }),
      sql: `SELECT ${eventColumns} FROM events WHERE ${mine} AND level BETWEEN 17 AND 20 AND timestamp >= fromUnixTimestamp64Milli(${hour}, 'UTC') ${newest}`,
    },
  ];
};

export const runEight = async (
  api: string,
  queryKey: string,
  tenant: string,
  clickhouse: ClickHouse,
  /** Of a bucket; then the SQL beside is the table's. */
  place?: string,
): Promise<EightResult[]> => {
  const there = place === undefined ? "" : new URLSearchParams({ place, from: String(Date.now() - 172_800_000) });
  const at = (path: string): string =>
    place === undefined
      ? path
      : `${path}${path.includes("?") ? "&" : "?"}${path.includes("from=") ? `place=${place}` : there}`;
  const ask = async (path: string): Promise<{ rows: number; storageMs: number }> => {
    const answer = await fetch(`${api}/api/v1${at(path)}`, { headers: { authorization: `Bearer ${queryKey}` } });
    const body = (await answer.json()) as {
      events?: unknown[];
      rows?: unknown[];
      stats?: { ms: number };
      detail?: string;
    };
    const found = body.events ?? body.rows;
    if (found === undefined) throw new Error(`${path} answered ${answer.status}: ${body.detail ?? ""}`);
    return { rows: found.length, storageMs: body.stats?.ms ?? 0 };
  };
  const [sample] = await clickhouse.rows<{ trace_id: string }>(
    `SELECT trace_id FROM events WHERE tenant = '${tenant}' AND trace_id != '' LIMIT 1 OFFSET 1000`,
  );
  const results: EightResult[] = [];
  const eight = searches(tenant, sample?.trace_id ?? "", Date.now() - 3_600_000);
  for (let i = 0; i < warmUps; i++) for (const { path } of eight) await ask(path);
  for (const { name, path, sql } of eight) {
    const [viaApi, inStorage, viaSql]: [number[], number[], number[]] = [[], [], []];
    let rows = 0;
    for (let i = 0; i <= repeats; i++) {
      const begun = performance.now();
      const answer = await ask(path);
      rows = answer.rows;
      const between = performance.now();
      await clickhouse.run(`${sql} FORMAT JSONCompact`);
      // The first of each warms up.
      if (i > 0) viaApi.push(between - begun);
      if (i > 0) inStorage.push(answer.storageMs);
      if (i > 0) viaSql.push(performance.now() - between);
    }
    results.push({
      name,
      rows,
      apiMs: percentile(viaApi, 0.5),
      storageMs: percentile(inStorage, 0.5),
      sqlMs: percentile(viaSql, 0.5),
    });
  }
  return results;
};

export const eightTable = (results: readonly EightResult[]): string =>
  table(
    ["search", "rows", "API p50", "of it in ClickHouse", "plain SQL p50"],
    results.map(({ name, rows, apiMs, storageMs, sqlMs }) => [
      name,
      String(rows),
      millis(apiMs),
      millis(storageMs),
      millis(sqlMs),
    ]),
  );
