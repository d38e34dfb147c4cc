/** `GET /patterns`: the shapes of what was said, how often each came, and which are new against the period before. */
import { levelName } from "@astralog/schemas";
import { z } from "zod";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import type { ClickHouseQueries, QueryStats } from "../search/clickhouse-query.ts";
import { rfc3339 } from "../search/event-rows.ts";
import { goneSignal, readInstant, type Scoping, scopeOf } from "../search/request.ts";
import type { Scope, Sql } from "../search/scope.ts";
import {
  countSql,
  type MessageRow,
  messageCounts,
  type PatternRequest,
  sampleEvents,
  sampleSql,
  wordsSql,
} from "./pattern-sql.ts";
import { findPatterns, type Pattern } from "./patterns.ts";

export interface PatternEndpointsDeps extends Scoping {
  readonly queries: ClickHouseQueries;
  readonly searchSeconds: number;
}

const patternQuery = z.strictObject({
  q: z.string().default(""),
  from: z.string().max(64).optional(),
  to: z.string().max(64).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

const defaultSpan = 3_600n * 1_000_000_000n;
/** Shapes without an event in the sample before that are looked up in the whole period before. */
const maxChecked = 40;

type Ask = <Row>(name: string, sql: Sql) => Promise<Row[]>;

export const createPatternEndpoints = (deps: PatternEndpointsDeps): Endpoint[] => [
  endpoint({
    method: "get",
    path: "/patterns",
    access: "events.read",
    tag: "events",
    summary: "The shapes of the messages a query finds, from an even sample, against the period before.",
    query: patternQuery,
    success: { status: 200 },
    handle: async ({ query: { q, from, to, limit }, caller, response }) => {
      const now = Date.now();
      const scope = scopeOf(caller, deps);
      const end = readInstant("to", to, now) ?? BigInt(now) * 1_000_000n;
      const begin = readInstant("from", from, now) ?? end - defaultSpan;
      const period: PatternRequest = { q, now, from: begin, to: end };
      const earlier: PatternRequest = { q, now, from: begin - (end - begin), to: begin };
      const costs: QueryStats[] = [];
      const signal = goneSignal(response);
      const ask: Ask = async (name, sql) => {
        const options = { name, seconds: deps.searchSeconds, signal };
        const { rows, stats } = await deps.queries.forTenant(scope.tenant, sql, options);
        costs.push(stats);
        return rows as never[];
      };
      const [is, was] = await Promise.all([sampleOf(ask, period, scope), sampleOf(ask, earlier, scope)]);
      const found = findPatterns(is.messages, was.messages).slice(0, limit);
      const seenBefore = was.share === 1 ? new Set<Pattern>() : await seen(ask, earlier, scope, found);
      const sampled = Math.max(
        1,
        found.reduce((sum, { count }) => sum + count, 0),
      );
      return {
        patterns: found.map((one) => ({
          template: one.template,
          query: one.query,
          count: one.count * is.share,
          share: one.count / sampled,
          before: one.before * was.share,
          is_new: was.events > 0 && one.before === 0 && !seenBefore.has(one),
          level: levelName(one.severity),
          first_seen: rfc3339(one.first),
          last_seen: rfc3339(one.last),
          example: one.example,
        })),
        from: rfc3339(begin),
        to: rfc3339(end),
        events: is.events,
        /** Of the events, how many were looked at; counts are scaled up by its inverse. */
        sample: 1 / is.share,
        events_before: was.events,
        stats: {
          rows: costs.reduce((sum, { rows }) => sum + rows, 0),
          bytes: costs.reduce((sum, { bytes }) => sum + bytes, 0),
          ms: costs.reduce((sum, { ms }) => sum + ms, 0),
        },
      };
    },
  }),
];

const sampleOf = async (ask: Ask, period: PatternRequest, scope: Scope) => {
  const [row] = await ask<[string]>("patterns_count", countSql(period, scope));
  const events = Number(row?.[0] ?? 0);
  const share = Math.max(1, Math.ceil(events / sampleEvents));
  const rows = events === 0 ? [] : await ask<MessageRow>("patterns", sampleSql(period, share, scope));
  return { events, share, messages: messageCounts(rows) };
};

/** Of those that the sample before had none of, which may have been there all the same: their words were. */
const seen = async (
  ask: Ask,
  period: PatternRequest,
  scope: Scope,
  found: readonly Pattern[],
): Promise<Set<Pattern>> => {
  const doubtful = found.filter(({ before, words }) => before === 0 && words.length > 0).slice(0, maxChecked);
  if (doubtful.length === 0) return new Set();
  const lists = doubtful.map(({ words }) => words);
  const [counts = []] = await ask<string[]>("patterns_before", wordsSql(period, lists, scope));
  return new Set(doubtful.filter((_, i) => counts[i] !== "0"));
};
