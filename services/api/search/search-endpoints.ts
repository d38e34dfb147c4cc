/** Events, one event, receipts. */
import { Fault } from "@astralog/chassis";
import { parseEventId, parseReceipt } from "@astralog/schemas";
import { z } from "zod";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { eventSql } from "./around.ts";
import type { ClickHouseQueries } from "./clickhouse-query.ts";
import { formatCursor, parseCursor } from "./cursor.ts";
import { type EventRow, positionOf, viewOf } from "./event-rows.ts";
import { eventShape, receiptShape, statsShape } from "./event-shapes.ts";
import { type LedgerRow, maxReceiptParts, receiptRecords, receiptSql } from "./receipts.ts";
import { goneSignal, readInstant, type Scoping, scopeOf } from "./request.ts";
import { searchSql } from "./search.ts";

const searchInput = z.strictObject({
  q: z.string().default(""),
  from: z.string().optional(),
  to: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(1000).optional(),
});

export interface SearchDeps extends Scoping {
  readonly queries: ClickHouseQueries;
  readonly searchSeconds: number;
}

export const createSearchEndpoints = (deps: SearchDeps): Endpoint[] => {
  const { queries, topicPrefix, searchSeconds } = deps;

  const search = endpoint({
    method: "get",
    path: "/search",
    access: "events.read",
    tag: "events",
    summary: "Search events, newest first",
    query: searchInput,
    success: {
      status: 200,
      body: z.object({ events: z.array(eventShape), next: z.string().nullable(), stats: statsShape }),
    },
    handle: async ({ query, caller, response }) => {
      const scope = scopeOf(caller, deps);
      const cursor = query.cursor === undefined || query.cursor === "" ? undefined : parseCursor(query.cursor);
      const now = cursor?.now ?? Date.now();
      const window = { from: readInstant("from", query.from, now), to: readInstant("to", query.to, now) };
      const sql = searchSql({ q: query.q, ...window, limit: query.limit, now, cursor }, scope);
      const { rows, stats } = await queries.forTenant<EventRow>(scope.tenant, sql, {
        name: "search",
        seconds: searchSeconds,
        signal: goneSignal(response),
      });
      const page = rows.slice(0, query.limit);
      const last = page.at(-1);
      const more = rows.length > query.limit && last !== undefined;
      return {
        events: page.map((row) => viewOf(row, { topicPrefix, sourceNames: scope.names.sources })),
        next: more ? formatCursor({ now, timestamp: BigInt(last[0]), at: positionOf(last, topicPrefix) }) : null,
        stats,
      };
    },
  });

  const event = endpoint({
    method: "get",
    path: "/events/:id",
    access: "events.read",
    tag: "events",
    summary: "One event",
    success: { status: 200, body: eventShape },
    handle: async ({ params, caller }) => {
      const scope = scopeOf(caller, deps);
      const at = parseEventId(params.id);
      if (at === undefined) throw new Fault("invalid_request", "An event id looks like 3-1742-0.");
      const { rows } = await queries.forTenant<EventRow>(scope.tenant, eventSql(at, scope), {
        name: "event",
        seconds: searchSeconds,
      });
      const [row] = rows;
      if (row === undefined) throw new Fault("not_found", "There is no such event, or it is not stored yet.");
      return viewOf(row, { topicPrefix, sourceNames: scope.names.sources });
    },
  });

  const receipt = endpoint({
    method: "get",
    path: "/receipts/:receipt",
    access: "events.read",
    tag: "events",
    summary: "What became of acknowledged records",
    success: {
      status: 200,
      body: z.object({ state: z.enum(["stored", "pending"]), records: z.array(receiptShape) }),
    },
    handle: async ({ params, caller }) => {
      const scope = scopeOf(caller, deps);
      const parts = parseReceipt(params.receipt);
      if (parts === undefined || parts.length > maxReceiptParts) {
        throw new Fault("invalid_request", "A receipt looks like 3-1742x100, and names at most 200 records.");
      }
      const { rows } = await queries.forTenant<LedgerRow>(scope.tenant, receiptSql(scope, parts), {
        name: "receipt",
        seconds: searchSeconds,
      });
      const records = receiptRecords(parts, rows, topicPrefix);
      return { state: records.every(({ state }) => state === "stored") ? "stored" : "pending", records };
    },
  });

  return [search, event, receipt];
};
