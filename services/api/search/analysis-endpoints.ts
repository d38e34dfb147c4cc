/** What surrounds a search: its histogram and facets, the fields there are, an event's neighbours, a trace. */
import { Fault } from "@astralog/chassis";
import { fieldNamed } from "@astralog/schemas/query/index";
import type { Response } from "express";
import { z } from "zod";
import type { Caller } from "../http/caller.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { type Anchor, eventSql, maxTraceEvents, neighboursSql, neighboursWindow, traceSql } from "./around.ts";
import type { QueryStats } from "./clickhouse-query.ts";
import { type DistributionRow, distributionSql } from "./distribution.ts";
import { type EventRow, positionOf, rfc3339, viewOf } from "./event-rows.ts";
import { distributionShape, eventShape, facetShape, fieldShape, statsShape } from "./event-shapes.ts";
import { type FacetRow, facetsOf, facetsSql } from "./facets.ts";
import { type FieldRow, fieldListSql, fieldsOf } from "./field-list.ts";
import { type HistogramRow, histogramBuckets, histogramSql, oldestSql, stepFor } from "./histogram.ts";
import { goneSignal, nameOf, readEventId, readInstant, scopeOf } from "./request.ts";
import type { Sql, Window } from "./scope.ts";
import { placeInput, type SearchDeps } from "./search-endpoints.ts";

const time = z.string().max(64).optional();
const windowInput = z.strictObject({ from: time, to: time, place: placeInput });
const histogramInput = windowInput.extend({
  q: z.string().default(""),
  buckets: z.coerce.number().int().min(1).max(500).default(60),
});
const facetsInput = windowInput.extend({
  q: z.string().default(""),
  fields: z.string().max(4_000).default("level,service,host,source"),
  limit: z.coerce.number().int().min(1).max(100).default(10),
});
const distributionInput = windowInput.extend({
  q: z.string().default(""),
  field: z.string().min(1).max(400),
  bins: z.coerce.number().int().min(2).max(60).default(24),
});
const around = z.coerce.number().int().min(0).max(200).default(20);
const contextInput = z.strictObject({
  ...{ before: around, after: around, place: placeInput },
  at: time.describe("The event's own time; with place, where no index finds an event by its id."),
});
const traceInput = z.strictObject({ place: placeInput, from: time, to: time });

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

export const createAnalysisEndpoints = (deps: SearchDeps): Endpoint[] => {
  const { topicPrefix } = deps;

  interface Asked {
    readonly caller: Caller;
    readonly response: Response;
    readonly query: { readonly place?: string | undefined };
  }
  const ask = async <Row>({ caller, response, query: { place } }: Asked, name: string, window: Window, sql: Sql) =>
    (await deps.stores.open(caller, place)).ask<Row>(window, sql, {
      name: nameOf(name, place),
      seconds: deps.searchSeconds,
      signal: goneSignal(response),
    });

  const histogram = endpoint({
    method: "get",
    path: "/histogram",
    access: "events.read",
    tag: "events",
    summary: "Events per stretch of time and level",
    query: histogramInput,
    success: {
      status: 200,
      body: z.object({
        buckets: z.array(z.object({ at: z.string(), counts: z.record(z.string(), z.number()) })),
        step_seconds: z.number(),
        stats: statsShape,
      }),
    },
    handle: async (input) => {
      const { query } = input;
      const scope = scopeOf(input.caller, deps);
      const now = Date.now();
      const to = readInstant("to", query.to, now) ?? BigInt(now) * 1_000_000n;
      let from = readInstant("from", query.from, now);
      const costs: QueryStats[] = [];
      if (from === undefined) {
        const { rows, stats } = await ask<[string, string]>(input, "oldest", { to }, oldestSql(scope, to));
        costs.push(stats);
        from = rows[0] === undefined || rows[0][1] === "0" ? to - 1n : BigInt(rows[0][0]);
      }
      if (from >= to)
        throw new Fault("invalid_request", "from: lies at or after to. Give an earlier from or a later to.");
      const asked = { q: query.q, now, from, to, step: stepFor(from, to, query.buckets) };
      const { rows, stats } = await ask<HistogramRow>(input, "histogram", asked, histogramSql(asked, scope));
      return {
        buckets: histogramBuckets(asked, rows).map(({ at, counts }) => ({ at: rfc3339(at), counts })),
        step_seconds: Number(asked.step) / 1e9,
        stats: sumOf([...costs, stats]),
      };
    },
  });

  const facets = endpoint({
    method: "get",
    path: "/facets",
    access: "events.read",
    tag: "events",
    summary: "Most frequent values of some fields",
    query: facetsInput,
    success: { status: 200, body: z.object({ facets: z.array(facetShape), stats: statsShape }) },
    handle: async (input) => {
      const { query } = input;
      const scope = scopeOf(input.caller, deps);
      const now = Date.now();
      const fields = facetFields(query.fields);
      const window = { from: readInstant("from", query.from, now), to: readInstant("to", query.to, now) };
      const sql = facetsSql({ q: query.q, now, fields, limit: query.limit, ...window }, scope);
      const { rows, stats } = await ask<FacetRow>(input, "facets", window, sql);
      return { facets: facetsOf(fields, rows, scope.names.sources), stats };
    },
  });

  const distribution = endpoint({
    method: "get",
    path: "/distribution",
    access: "events.read",
    tag: "events",
    summary: "How the numbers of an attribute are spread",
    query: distributionInput,
    success: { status: 200, body: distributionShape },
    handle: async (input) => {
      const { q, bins, ...query } = input.query;
      const now = Date.now();
      const field = fieldNamed(query.field);
      if (field.kind !== "attribute")
        throw new Fault("invalid_request", "field: only attributes hold numbers; name one of those.");
      const window = { from: readInstant("from", query.from, now), to: readInstant("to", query.to, now) };
      const sql = distributionSql({ q, now, bins, path: field.path, ...window }, scopeOf(input.caller, deps));
      const { rows, stats } = await ask<DistributionRow>(input, "distribution", window, sql);
      const [count, min, max, found] = rows[0] ?? ["0", null, null, []];
      const shown = found.map(([from, to, n]) => ({ from, to, count: Math.round(n) }));
      return { field: field.path, count: Number(count), min, max, bins: shown, stats };
    },
  });

  const fields = endpoint({
    method: "get",
    path: "/fields",
    access: "events.read",
    tag: "events",
    summary: "Fields, their types and how many events have them",
    query: windowInput,
    success: { status: 200, body: z.object({ fields: z.array(fieldShape), stats: statsShape }) },
    handle: async (input) => {
      const { query } = input;
      const now = Date.now();
      const window = { from: readInstant("from", query.from, now), to: readInstant("to", query.to, now) };
      const sql = fieldListSql(window, scopeOf(input.caller, deps));
      const { rows, stats } = await ask<FieldRow>(input, "fields", window, sql);
      return { fields: fieldsOf(rows), stats };
    },
  });

  const context = endpoint({
    method: "get",
    path: "/events/:id/context",
    access: "events.read",
    tag: "events",
    summary: "What the same source, service and host sent just before and after",
    query: contextInput,
    success: {
      status: 200,
      body: z.object({ before: z.array(eventShape), event: eventShape, after: z.array(eventShape), stats: statsShape }),
    },
    handle: async (input) => {
      const { query } = input;
      const scope = scopeOf(input.caller, deps);
      const at = readEventId(input.params.id);
      const when = readInstant("at", query.at, Date.now());
      const { indexed } = await deps.stores.open(input.caller, query.place);
      if (!indexed && when === undefined)
        throw new Fault(
          "invalid_request",
          "at: give the event's own time: nothing finds an id in a bucket without it.",
        );
      const there: Window = !indexed && when !== undefined ? { from: when, to: when + 1n } : {};
      const found = await ask<EventRow>(input, "event", there, eventSql(at, scope));
      const [row] = found.rows;
      if (row === undefined) throw new Fault("not_found", "There is no such event, or it is not stored yet.");
      const anchor: Anchor = {
        at: positionOf(row, topicPrefix),
        ...{ timestamp: BigInt(row[0]), sourceId: row[3], service: row[4], host: row[5] },
      };
      const beside = (side: "before" | "after") =>
        ask<EventRow>(
          ...([input, "context", neighboursWindow(anchor, side)] as const),
          neighboursSql(anchor, side, query[side], scope),
        );
      const [before, after] = await Promise.all([beside("before"), beside("after")]);
      const view = (one: EventRow) => viewOf(one, { topicPrefix, sourceNames: scope.names.sources });
      return {
        before: before.rows.toReversed().map(view),
        event: view(row),
        after: after.rows.map(view),
        stats: sumOf([found.stats, before.stats, after.stats]),
      };
    },
  });

  const trace = endpoint({
    method: "get",
    path: "/traces/:id",
    access: "events.read",
    tag: "events",
    summary: "The events of one trace, oldest first",
    query: traceInput,
    success: { status: 200, body: z.object({ events: z.array(eventShape), more: z.boolean(), stats: statsShape }) },
    handle: async (input) => {
      const scope = scopeOf(input.caller, deps);
      const trace = input.params.id.toLowerCase();
      if (!/^[0-9a-f]{1,32}$/.test(trace)) throw new Fault("invalid_request", "A trace id has up to 32 hex digits.");
      const { query } = input;
      const now = Date.now();
      const window = { from: readInstant("from", query.from, now), to: readInstant("to", query.to, now) };
      const { indexed } = await deps.stores.open(input.caller, query.place);
      if (!indexed && window.from === undefined)
        throw new Fault("invalid_request", "from: say how far back, for in a bucket no index finds a trace.");
      const { rows, stats } = await ask<EventRow>(input, "trace", window, traceSql(trace, window, scope));
      if (rows.length === 0) throw new Fault("not_found", "No stored event carries this trace id.");
      return {
        events: rows
          .slice(0, maxTraceEvents)
          .map((row) => viewOf(row, { topicPrefix, sourceNames: scope.names.sources })),
        more: rows.length > maxTraceEvents,
        stats,
      };
    },
  });

  return [histogram, facets, distribution, fields, context, trace];
};

const sumOf = (costs: readonly QueryStats[]): QueryStats => ({
  rows: costs.reduce((sum, { rows }) => sum + rows, 0),
  bytes: costs.reduce((sum, { bytes }) => sum + bytes, 0),
  ms: costs.reduce((sum, { ms }) => sum + ms, 0),
});
