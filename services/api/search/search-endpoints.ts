/** Events, one event, receipts. */
import { Fault } from "@astralog/chassis";
import { parseReceipt } from "@astralog/schemas";
import { createBinder } from "@astralog/schemas/query/index";
import { z } from "zod";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import type { DroppedOf } from "../retention/field-queries.ts";
import { eventSql, expiringColumns, type WholeRow } from "./around.ts";
import type { ClickHouseQueries, QueryStats } from "./clickhouse-query.ts";
import { type EventView, viewOf } from "./event-rows.ts";
import { eventShape, oneEventShape, receiptShape, statsShape } from "./event-shapes.ts";
import { createPages } from "./pages.ts";
import { type LedgerRow, maxReceiptParts, type ReceiptRecord, receiptRecords, receiptSql } from "./receipts.ts";
import { goneSignal, readEventId, type Scoping, scopeOf } from "./request.ts";
import type { Scope } from "./scope.ts";
import { noCost } from "./search.ts";
import type { Stores } from "./store.ts";

/** Id of a storage connection. */
export const placeInput = z
  .string()
  .max(40)
  .optional()
  .describe(
    "Id of a storage connection: what is kept on that ClickHouse, or archived in that bucket, is asked; astralog: what Astralog keeps. Left out: where the organization has its events kept.",
  );

const placeShape = z.object({
  ...{ id: z.string(), name: z.string(), kind: z.enum(["bucket", "clickhouse", "astralog"]) },
  home: z.boolean().describe("The organization's events are kept there, and searches without a place go there."),
  searchable: z
    .boolean()
    .describe("False: its objects are encrypted before they leave Astralog, so bring days of it back first."),
});

export const searchInput = z.strictObject({
  q: z.string().default(""),
  from: z.string().optional(),
  to: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(1000).optional(),
  place: placeInput,
});

export interface SearchDeps extends Scoping {
  readonly queries: ClickHouseQueries;
  readonly stores: Stores;
  /** With what the tenant's own server says of records that are kept there alone. */
  receiptsElsewhere(scope: Scope, records: readonly ReceiptRecord[]): Promise<ReceiptRecord[]>;
  readonly searchSeconds: number;
  readonly searchRows: number;
  /** Of a row's day of expiry, the day on which the event is removed. */
  untilOf(tenant: string, expiresOn: string): string;
  /** What rules have dropped of the tenant's events. */
  droppedOf(tenant: string, names: ReadonlyMap<string, string>): DroppedOf;
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
      const pages = createPages(deps, caller, query, goneSignal(response));
      const events: EventView[] = [];
      let [next, stats]: [string | null, QueryStats] = [null, noCost];
      for await (const page of pages) {
        events.push(...page.events);
        ({ next, stats } = page);
      }
      return { events, next, stats };
    },
  });

  const event = endpoint({
    method: "get",
    path: "/events/:id",
    access: "events.read",
    tag: "events",
    summary: "One event",
    success: { status: 200, body: oneEventShape },
    handle: async ({ params, caller, response }) => {
      const scope = scopeOf(caller, deps);
      const at = readEventId(params.id);
      const dropped = deps.droppedOf(scope.tenant, scope.names.sources);
      const { params: more, bind } = createBinder("d");
      const { query, params: own } = eventSql(at, scope, `${expiringColumns}, ${dropped.column(bind)}`);
      const sql = { query, params: { ...own, ...more } };
      const { rows } = await queries.forTenant<WholeRow>(scope.tenant, sql, {
        name: "event",
        seconds: searchSeconds,
        signal: goneSignal(response),
      });
      const [row] = rows;
      if (row === undefined) throw new Fault("not_found", "There is no such event, or it is not stored yet.");
      const view = viewOf(row, { topicPrefix, sourceNames: scope.names.sources });
      return {
        ...{ ...view, expires_on: deps.untilOf(scope.tenant, row[16]) },
        dropped_fields: dropped.read(row[17], Number(row[1])),
      };
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
      const records = await deps.receiptsElsewhere(scope, receiptRecords(parts, rows, topicPrefix));
      return { state: records.every(({ state }) => state === "stored") ? "stored" : "pending", records };
    },
  });

  const places = endpoint({
    method: "get",
    path: "/search/places",
    access: "events.read",
    tag: "events",
    summary: "Where events can be searched besides",
    success: { status: 200, body: z.object({ places: z.array(placeShape) }) },
    handle: async ({ caller }) => ({ places: await deps.stores.places(caller.tenant) }),
  });

  return [search, event, receipt, places];
};
