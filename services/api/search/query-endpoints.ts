/** Queries with pipes as tables, searches that show what they have as they go, and what a query would cost. */
import { Fault } from "@astralog/chassis";
import { QueryError } from "@astralog/schemas/query/index";
import { z } from "zod";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { statsShape } from "./event-shapes.ts";
import { openStream } from "./event-stream.ts";
import { createPages } from "./pages.ts";
import {
  type Cell,
  type EstimateRow,
  explainSql,
  indexesOf,
  type PipesRequest,
  tableOf,
  tableSql,
  writtenSql,
} from "./pipes.ts";
import { goneSignal, nameOf, readInstant, scopeOf } from "./request.ts";
import { placeInput, type SearchDeps, searchInput } from "./search-endpoints.ts";

const queryInput = searchInput.pick({ q: true, from: true, to: true });

const tableInput = queryInput.extend({ place: placeInput });

const tableShape = z.object({
  columns: z.array(z.object({ name: z.string(), type: z.enum(["time", "number", "text"]) })),
  rows: z.array(z.array(z.union([z.string(), z.number(), z.null()]))),
  truncated: z.boolean().describe("There were more rows than one answer may have."),
  stats: statsShape,
});

const explainShape = z.object({
  parts: z.int().describe("Files of the storage that would be looked at."),
  granules: z.int().describe("Stretches of rows in them."),
  rows: z.int().describe("Rows at most, by the times alone; the indexes leave fewer."),
  indexes: z.array(z.object({ name: z.string(), about: z.string() })),
  limits: z.object({ rows: z.int(), seconds: z.int() }),
  sql: z.string().describe("The same question as SQL on the table of events, with its values in it."),
});

export const createQueryEndpoints = (deps: SearchDeps): Endpoint[] => {
  const { queries, searchSeconds, searchRows } = deps;
  const request = ({ q, from, to }: z.infer<typeof queryInput>): PipesRequest => {
    const now = Date.now();
    return { q, now, from: readInstant("from", from, now), to: readInstant("to", to, now) };
  };

  const table = endpoint({
    method: "get",
    path: "/query",
    access: "events.read",
    tag: "events",
    summary: "What a query with pipes makes of the events: a table",
    query: tableInput,
    success: { status: 200, body: tableShape },
    handle: async ({ query: { place, ...query }, caller, response }) => {
      const scope = scopeOf(caller, deps);
      const asked = request(query);
      const sql = tableSql(asked, scope);
      const store = await deps.stores.open(scope, place);
      const { rows, stats } = await store.ask<readonly Cell[]>(asked, sql, {
        name: nameOf("query", place),
        seconds: searchSeconds,
        signal: goneSignal(response),
      });
      return { ...tableOf(sql, rows, scope), stats };
    },
  });

  const explain = endpoint({
    method: "get",
    path: "/search/explain",
    access: "events.read",
    tag: "events",
    summary: "What a query would read, before it is run",
    query: queryInput,
    success: { status: 200, body: explainShape },
    handle: async ({ query, caller, response }) => {
      const scope = scopeOf(caller, deps);
      const asked = request(query);
      const { rows } = await queries.forTenant<EstimateRow>(scope.tenant, explainSql(asked, scope), {
        name: "explain",
        seconds: searchSeconds,
        signal: goneSignal(response),
      });
      const sum = (column: 2 | 3 | 4): number => rows.reduce((total, row) => total + Number(row[column]), 0);
      return {
        ...{ parts: sum(2), granules: sum(4), rows: sum(3), indexes: indexesOf(asked) },
        limits: { rows: searchRows, seconds: searchSeconds },
        sql: writtenSql(tableSql(asked, scope)),
      };
    },
  });

  const stream = endpoint({
    method: "get",
    path: "/search/stream",
    access: "events.read",
    tag: "events",
    summary: "Search events, newest first, and see each stretch of time as it is done",
    query: searchInput,
    success: { status: 200, content: "text/event-stream" },
    handle: async ({ query, caller, response }) => {
      const pages = createPages(deps, caller, query, goneSignal(response));
      // What is wrong with the request is answered as a problem, before the stream begins.
      const first = await pages.next();
      const send = openStream(response);
      try {
        for (let step = first; step.done !== true; step = await pages.next()) {
          const { events, searched_from, stats, next } = step.value;
          if (events.length > 0) send("events", { events });
          send("progress", { searched_from, stats });
          if (next !== null || searched_from === null) send("done", { next, stats });
        }
      } catch (error) {
        if (!(error instanceof Fault || error instanceof QueryError)) throw error;
        send("problem", { code: error instanceof Fault ? error.code : "invalid_query", detail: error.message });
      }
      response.end();
    },
  });

  return [table, explain, stream];
};
