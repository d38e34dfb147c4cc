/** What surrounds a search: its histogram and facets, the fields there are, an event's neighbours, a trace. */
import { Fault } from "@astralog/chassis";
import { parseEventId } from "@astralog/schemas";
import { fieldNamed } from "@astralog/schemas/query/index";
import { type Response, Router } from "express";
import { z } from "zod";
import { type Anchor, eventSql, maxTraceEvents, neighboursSql, traceSql } from "./around.ts";
import type { ClickHouseQueries, QueryStats } from "./clickhouse-query.ts";
import { type EventRow, positionOf, rfc3339, viewOf } from "./event-rows.ts";
import { type FacetRow, facetsOf, facetsSql } from "./facets.ts";
import { type FieldRow, fieldListSql, fieldsOf } from "./field-list.ts";
import { type HistogramRow, histogramBuckets, histogramSql, oldestSql, stepFor } from "./histogram.ts";
import { goneSignal, readInstant, type Scoping, scopeOf } from "./request.ts";
import type { Sql } from "./scope.ts";

const time = z.string().max(64).optional();
const windowInput = z.strictObject({ from: time, to: time });
const histogramInput = windowInput.extend({
  q: z.string().default(""),
  buckets: z.coerce.number().int().min(1).max(500).default(60),
});
const facetsInput = windowInput.extend({
  q: z.string().default(""),
  fields: z.string().max(4_000).default("level,service,host,source"),
  limit: z.coerce.number().int().min(1).max(100).default(10),
});
const around = z.coerce.number().int().min(0).max(200).default(20);
const contextInput = z.strictObject({ before: around, after: around });

/** Each field of a facet is one more grouping of the same pass. */
const maxFacetFields = 12;

const facetFields = (text: string) => {
  const names = [...new Set(text.split(",").filter((name) => name !== ""))];
  if (names.length === 0 || names.length > maxFacetFields) {
    throw new Fault("invalid_request", `fields: give 1 to ${maxFacetFields} names, parted by commas.`);
  }
  const fields = names.map(fieldNamed);
  if (fields.some(({ kind }) => kind === "timestamp" || kind === "message")) {
    throw new Fault("invalid_request", "fields: timestamp and message differ in each event and make no facets.");
  }
  return fields;
};

export const createAnalysisRoutes = (deps: Scoping & { queries: ClickHouseQueries; searchSeconds: number }): Router => {
  const router = Router();
  const { queries, topicPrefix } = deps;

  const ask = <Row>(response: Response, name: string, sql: Sql) =>
    queries.forTenant<Row>(scopeOf(response, deps).tenant, sql, {
      name,
      seconds: deps.searchSeconds,
      signal: goneSignal(response),
    });

  router.get("/histogram", async (request, response) => {
    const input = histogramInput.parse(request.query);
    const scope = scopeOf(response, deps);
    const now = Date.now();
    const to = readInstant("to", input.to, now) ?? BigInt(now) * 1_000_000n;
    let from = readInstant("from", input.from, now);
    const costs: QueryStats[] = [];
    if (from === undefined) {
      const { rows, stats } = await ask<[string, string]>(response, "oldest", oldestSql(scope, to));
      costs.push(stats);
      from = rows[0] === undefined || rows[0][1] === "0" ? to - 1n : BigInt(rows[0][0]);
    }
    if (from >= to)
      throw new Fault("invalid_request", "from: lies at or after to. Give an earlier from or a later to.");
    const asked = { q: input.q, now, from, to, step: stepFor(from, to, input.buckets) };
    const { rows, stats } = await ask<HistogramRow>(response, "histogram", histogramSql(asked, scope));
    response.json({
      buckets: histogramBuckets(asked, rows).map(({ at, counts }) => ({ at: rfc3339(at), counts })),
      step_seconds: Number(asked.step) / 1e9,
      stats: sumOf([...costs, stats]),
    });
  });

  router.get("/facets", async (request, response) => {
    const input = facetsInput.parse(request.query);
    const scope = scopeOf(response, deps);
    const now = Date.now();
    const fields = facetFields(input.fields);
    const window = { from: readInstant("from", input.from, now), to: readInstant("to", input.to, now) };
    const sql = facetsSql({ q: input.q, now, fields, limit: input.limit, ...window }, scope);
    const { rows, stats } = await ask<FacetRow>(response, "facets", sql);
    response.json({ facets: facetsOf(fields, rows, scope.names.sources), stats });
  });

  router.get("/fields", async (request, response) => {
    const input = windowInput.parse(request.query);
    const now = Date.now();
    const window = { from: readInstant("from", input.from, now), to: readInstant("to", input.to, now) };
    const sql = fieldListSql(window, scopeOf(response, deps));
    const { rows, stats } = await ask<FieldRow>(response, "fields", sql);
    response.json({ fields: fieldsOf(rows), stats });
  });

  router.get("/events/:id/context", async (request, response) => {
    const input = contextInput.parse(request.query);
    const scope = scopeOf(response, deps);
    const at = parseEventId(request.params.id);
    if (at === undefined) throw new Fault("invalid_request", "An event id looks like 3-1742-0.");
    const found = await ask<EventRow>(response, "event", eventSql(at, scope));
    const [row] = found.rows;
    if (row === undefined) throw new Fault("not_found", "There is no such event, or it is not stored yet.");
    const anchor: Anchor = {
      at: positionOf(row, topicPrefix),
      ...{ timestamp: BigInt(row[0]), sourceId: row[3], service: row[4], host: row[5] },
    };
    const [before, after] = await Promise.all([
      ask<EventRow>(response, "context", neighboursSql(anchor, "before", input.before, scope)),
      ask<EventRow>(response, "context", neighboursSql(anchor, "after", input.after, scope)),
    ]);
    const view = (one: EventRow) => viewOf(one, { topicPrefix, sourceNames: scope.names.sources });
    response.json({
      before: before.rows.toReversed().map(view),
      event: view(row),
      after: after.rows.map(view),
      stats: sumOf([found.stats, before.stats, after.stats]),
    });
  });

  router.get("/traces/:id", async (request, response) => {
    const scope = scopeOf(response, deps);
    const trace = request.params.id.toLowerCase();
    if (!/^[0-9a-f]{1,32}$/.test(trace)) throw new Fault("invalid_request", "A trace id has up to 32 hex digits.");
    const { rows, stats } = await ask<EventRow>(response, "trace", traceSql(trace, scope));
    if (rows.length === 0) throw new Fault("not_found", "No stored event carries this trace id.");
    response.json({
      events: rows
        .slice(0, maxTraceEvents)
        .map((row) => viewOf(row, { topicPrefix, sourceNames: scope.names.sources })),
      more: rows.length > maxTraceEvents,
      stats,
    });
  });

  return router;
};

const sumOf = (costs: readonly QueryStats[]): QueryStats => ({
  rows: costs.reduce((sum, { rows }) => sum + rows, 0),
  bytes: costs.reduce((sum, { bytes }) => sum + bytes, 0),
  ms: costs.reduce((sum, { ms }) => sum + ms, 0),
});
