/** How long searches take over what was stored, through the API; the eight that peers were measured with as SQL too. */
import type { Addresses } from "@astralog/local";
import { connectClickHouse } from "./clickhouse.ts";
import { type EightResult, runEight } from "./eight-searches.ts";
import { percentile } from "./figures.ts";
import { phrase, rareWord } from "./generate.ts";

export interface SearchResult {
  readonly name: string;
  readonly found: number;
  readonly firstMs: number;
  readonly p50Ms: number;
  readonly maxMs: number;
}

export interface SearchResults {
  readonly searches: readonly SearchResult[];
  readonly eight: readonly EightResult[];
}

const repeats = 10;

const time = async (name: string, ask: () => Promise<number>): Promise<SearchResult> => {
  const waits: number[] = [];
  let found = 0;
  for (let i = 0; i <= repeats; i++) {
    const begun = performance.now();
    found = await ask();
    waits.push(performance.now() - begun);
  }
  const [first = Number.NaN, ...rest] = waits;
  return { name, found, firstMs: first, p50Ms: percentile(rest, 0.5), maxMs: Math.max(...rest) };
};

export const runSearch = async (
  api: string,
  queryKey: string,
  tenant: string,
  addresses: Addresses,
): Promise<SearchResults> => {
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
  for (const [name, parameters] of asked) results.push(await time(name, async () => (await search(parameters)).length));
  const eight = await runEight(api, queryKey, tenant, clickhouse);
  clickhouse.close();
  return { searches: results, eight };
};
