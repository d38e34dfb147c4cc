/** What a query key may ask: events, one event, receipts. */
import { Fault } from "@astralog/chassis";
import { parseEventId, parseReceipt } from "@astralog/schemas";
import { createBinder, instantForms, parseInstant } from "@astralog/schemas/query/index";
import { Router } from "express";
import { z } from "zod";
import { callerOf } from "../authenticate.ts";
import type { ClickHouseQueries } from "./clickhouse-query.ts";
import { formatCursor, parseCursor } from "./cursor.ts";
import { type EventRow, eventColumns, positionOf, viewOf } from "./event-rows.ts";
import { type LedgerRow, maxReceiptParts, receiptRecords, receiptSql } from "./receipts.ts";
import { searchSql } from "./search.ts";

const searchInput = z.strictObject({
  q: z.string().default(""),
  from: z.string().optional(),
  to: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(1000).optional(),
});

const instant = (name: "from" | "to", text: string | undefined, now: number): bigint | undefined => {
  if (text === undefined || text === "") return undefined;
  const found = parseInstant(text, now);
  if (found === undefined) throw new Fault("invalid_request", `${name}: is no time. ${instantForms}`);
  return found;
};

export interface SearchRoutesDeps {
  readonly queries: ClickHouseQueries;
  readonly topicPrefix: string;
  readonly searchSeconds: number;
  /** Source id to name, of one tenant. */
  sourceNames(tenant: string): ReadonlyMap<string, string>;
}

export const createSearchRoutes = ({ queries, topicPrefix, searchSeconds, sourceNames }: SearchRoutesDeps): Router => {
  const router = Router();

  router.get("/search", async (request, response) => {
    const input = searchInput.parse(request.query);
    const { tenant } = callerOf(response);
    const cursor = input.cursor === undefined || input.cursor === "" ? undefined : parseCursor(input.cursor);
    const now = cursor?.now ?? Date.now();
    const names = sourceNames(tenant);
    const sql = searchSql(
      {
        q: input.q,
        from: instant("from", input.from, now),
        to: instant("to", input.to, now),
        limit: input.limit,
        now,
        cursor,
      },
      { tenant, topicPrefix, names: { sources: names } },
    );
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const { rows, stats } = await queries.forTenant<EventRow>(tenant, sql, {
      name: "search",
      seconds: searchSeconds,
      signal: gone.signal,
    });
    const page = rows.slice(0, input.limit);
    const last = page.at(-1);
    const more = rows.length > input.limit && last !== undefined;
    response.json({
      events: page.map((row) => viewOf(row, { topicPrefix, sourceNames: names })),
      next: more ? formatCursor({ now, timestamp: BigInt(last[0]), at: positionOf(last, topicPrefix) }) : null,
      stats,
    });
  });

  router.get("/events/:id", async (request, response) => {
    const { tenant } = callerOf(response);
    const at = parseEventId(request.params.id);
    if (at === undefined) throw new Fault("invalid_request", "An event id looks like 3-1742-0.");
    const { params, bind } = createBinder();
    const query = `SELECT ${eventColumns} FROM tenant_events WHERE tenant = ${bind("String", tenant)} AND topic = ${bind("String", topicPrefix + at.topic)}
AND partition = ${bind("Int64", at.partition)} AND offset = ${bind("Int64", at.offset)} AND idx = ${bind("Int64", at.index)} LIMIT 1`;
    const { rows } = await queries.forTenant<EventRow>(
      tenant,
      { query, params },
      { name: "event", seconds: searchSeconds },
    );
    const [row] = rows;
    if (row === undefined) throw new Fault("not_found", "There is no such event, or it is not stored yet.");
    response.json(viewOf(row, { topicPrefix, sourceNames: sourceNames(tenant) }));
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
