/** How long searches take over what was stored: through the API where it can ask, else as SQL on the same table. */
import type { Addresses } from "@astralog/local";
import { connectClickHouse } from "./clickhouse.ts";
import { percentile } from "./figures.ts";
import { phrase, rareWord } from "./generate.ts";

export interface SearchResult {
  readonly name: string;
  readonly via: "API" | "SQL";
  readonly found: number;
  readonly firstMs: number;
  readonly p50Ms: number;
  readonly maxMs: number;
}

const repeats = 10;

const time = async (name: string, via: SearchResult["via"], ask: () => Promise<number>): Promise<SearchResult> => {
  const waits: number[] = [];
  let found = 0;
  for (let i = 0; i <= repeats; i++) {
    const begun = performance.now();
    found = await ask();
    waits.push(performance.now() - begun);
  }
  const [first = Number.NaN, ...rest] = waits;
  return { name, via, found, firstMs: first, p50Ms: percentile(rest, 0.5), maxMs: Math.max(...rest) };
};

export const runSearch = async (
  api: string,
  queryKey: string,
  tenant: string,
  addresses: Addresses,
): Promise<SearchResult[]> => {
  const clickhouse = connectClickHouse(addresses.clickhouse);
  const search = async (
    parameters: Record<string, string>,
  ): Promise<{ trace_id: string; attributes: Record<string, unknown> }[]> => {
    const answer = await fetch(`${api}/api/v1/search?${new URLSearchParams({ limit: "100", ...parameters })}`, {
      headers: { authorization: `Bearer ${queryKey}` },
    });
    const body = (await answer.json()) as {
      events?: { trace_id: string; attributes: Record<string, unknown> }[];
      detail?: string;
    };
    if (body.events === undefined) throw new Error(`search answered ${answer.status}: ${body.detail ?? ""}`);
    return body.events;
  };
  const sample = (await search({ q: "service:checkout" })).find((event) => event.trace_id !== "");
  const hour = new Date(Date.now() - 3_600_000).toISOString();
  const asked: [string, Record<string, string>][] = [
    ["everything, last 100", { q: "" }],
    [`rare word, last 100`, { q: rareWord }],
    ["word that is nowhere", { q: "zyzzyva" }],
    ["phrase and service, last 100", { q: `service:checkout "${phrase}"` }],
    ["errors of one service, last 100", { q: "level:error service:payments" }],
    ["errors of the last hour, last 100", { q: "level:error", from: hour }],
    ["trace look-up", { q: `trace_id:${sample?.trace_id ?? ""}` }],
    ["attribute equals, last 100", { q: `user_id:${String(sample?.attributes.user_id ?? "u1")}` }],
  ];
  const results: SearchResult[] = [];
  for (const [name, parameters] of asked)
    results.push(await time(name, "API", async () => (await search(parameters)).length));
  const mine = `tenant = '${tenant}'`;
  const statements: [string, string][] = [
    ["count by level", `SELECT level, count() FROM events WHERE ${mine} GROUP BY level`],
    [
      "histogram by minute of one service",
      `SELECT toStartOfMinute(timestamp) AS t, count() FROM events WHERE ${mine} AND service = 'payments' GROUP BY t ORDER BY t`,
    ],
    [
      "top 10 users",
      `SELECT attributes['user_id'] AS user, count() AS n FROM events WHERE ${mine} AND user != '' GROUP BY user ORDER BY n DESC LIMIT 10`,
    ],
  ];
  for (const [name, sql] of statements)
    results.push(await time(name, "SQL", async () => (await clickhouse.rows(sql)).length));
  clickhouse.close();
  return results;
};
