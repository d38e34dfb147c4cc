/** What a query key may ask: events, one event, receipts. */
import { Fault } from "@astralog/chassis";
import { parseEventId, parseReceipt } from "@astralog/schemas";
import { Router } from "express";
import { z } from "zod";
import { callerOf } from "../authenticate.ts";
import { eventSql } from "./around.ts";
import type { ClickHouseQueries } from "./clickhouse-query.ts";
import { formatCursor, parseCursor } from "./cursor.ts";
import { type EventRow, positionOf, viewOf } from "./event-rows.ts";
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

export interface SearchRoutesDeps extends Scoping {
  readonly queries: ClickHouseQueries;
  readonly searchSeconds: number;
}

export const createSearchRoutes = (deps: SearchRoutesDeps): Router => {
  const { queries, topicPrefix, searchSeconds } = deps;
  const router = Router();

  router.get("/search", async (request, response) => {
    const input = searchInput.parse(request.query);
    const scope = scopeOf(response, deps);
    const cursor = input.cursor === undefined || input.cursor === "" ? undefined : parseCursor(input.cursor);
    const now = cursor?.now ?? Date.now();
    const sql = searchSql(
      {
        q: input.q,
        from: readInstant("from", input.from, now),
        to: readInstant("to", input.to, now),
        limit: input.limit,
        now,
        cursor,
      },
      scope,
    );
    const { rows, stats } = await queries.forTenant<EventRow>(scope.tenant, sql, {
      name: "search",
      seconds: searchSeconds,
      signal: goneSignal(response),
    });
    const page = rows.slice(0, input.limit);
    const last = page.at(-1);
    const more = rows.length > input.limit && last !== undefined;
    response.json({
      events: page.map((row) => viewOf(row, { topicPrefix, sourceNames: scope.names.sources })),
      next: more ? formatCursor({ now, timestamp: BigInt(last[0]), at: positionOf(last, topicPrefix) }) : null,
      stats,
    });
  });

  router.get("/events/:id", async (request, response) => {
    const scope = scopeOf(response, deps);
    const at = parseEventId(request.params.id);
    if (at === undefined) throw new Fault("invalid_request", "An event id looks like 3-1742-0.");
    const { rows } = await queries.forTenant<EventRow>(scope.tenant, eventSql(at, scope), {
      name: "event",
      seconds: searchSeconds,
    });
    const [row] = rows;
    if (row === undefined) throw new Fault("not_found", "There is no such event, or it is not stored yet.");
    response.json(viewOf(row, { topicPrefix, sourceNames: scope.names.sources }));
  });

  router.get("/receipts/:receipt", async (request, response) => {
    const { tenant } = callerOf(response);
    const parts = parseReceipt(request.params.receipt);
    if (parts === undefined || parts.length > maxReceiptParts) {
      throw new Fault("invalid_request", "A receipt looks like 3-1742x100, and names at most 200 records.");
    }
    const { rows } = await queries.forTenant<LedgerRow>(tenant, receiptSql(tenant, topicPrefix, parts), {
      name: "receipt",
      seconds: searchSeconds,
    });
    const records = receiptRecords(parts, rows, topicPrefix);
    response.json({ state: records.every(({ state }) => state === "stored") ? "stored" : "pending", records });
  });

  return router;
};
