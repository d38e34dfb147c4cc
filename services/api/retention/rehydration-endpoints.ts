/** Bringing ranges of days back from a bucket, over HTTP: what it would cost, asking for it, how far it is, ending it. */
import { type ControlTable, Fault } from "@astralog/chassis";
import type { RehydrationStateRecord } from "@astralog/schemas";
import { parseQuery } from "@astralog/schemas/query/index";
import { dayNumber, dayText, type RehydrationState, rehydrationLimits } from "@astralog/schemas/retention/index";
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import type { Caller } from "../http/caller.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { type Db, withPostgres } from "../postgres.ts";
import { goneSignal, type Scoping, scopeOf } from "../search/request.ts";
import { scoped } from "../search/scope.ts";
import type { Stores } from "../search/store.ts";
import type { Connections } from "../storage/connections.ts";
import type { KeptQueries } from "./kept-queries.ts";
import {
  createRehydration,
  endRehydration,
  findRehydration,
  listRehydrations,
  type RehydrationRow,
  scopeOfRehydration,
} from "./rehydrations.ts";

export interface RehydrationDeps extends Scoping {
  readonly db: Db;
  readonly audit: Pick<Audit, "by">;
  readonly kept: Pick<KeptQueries, "sizes">;
  readonly stores: Stores;
  readonly connections: Pick<Connections, "find">;
  readonly states: Pick<ControlTable<RehydrationStateRecord>, "get">;
  readonly searchSeconds: number;
}

const { days: mostDays, range: mostRange } = rehydrationLimits;
const dayMs = 86_400_000;
/** Of an event that the ledger knows nothing of, as where nothing was measured yet. */
const usualBytes = 400;

const day = z.iso.date("must be a day such as 2026-01-31");
const wanted = z.strictObject({
  connection: z.string().max(40).describe("Id of the storage connection, sto_…"),
  from: day.describe("First day of the events' own time, UTC."),
  to: day.describe(`Last day, at most ${mostRange} days in all.`),
  query: z.string().max(4_000).default("").describe("Only what it finds."),
  days: z
    .int()
    .min(1)
    .max(mostDays)
    .default(7)
    .describe(`Whole days that it is to be there, ${mostDays} at most and not more than the plan keeps events.`),
});

const count = z.int();
const shape = z.object({
  ...{ id: z.string(), connection: z.string(), from: z.string(), to: z.string(), query: z.string() },
  sources: z.array(z.string()).describe("Empty: all."),
  until: z.string().describe("The last day on which it is there; it is removed when that is over."),
  ...{ requested_by: z.string(), requested_at: z.iso.datetime() },
  state: z
    .enum(["requested", "running", "failing", "done", "ending", "ended"])
    .describe("failing: see problem, it is tried again; ending: it is being removed."),
  estimate: z.object({ events: count, bytes: count }),
  objects: count.describe("Of the bucket, that may hold something of it."),
  ...{ objects_done: count, events: count.describe("There now that were not there before."), problem: z.string() },
});

const costShape = z.object({
  events: count.describe("In the bucket; those that are still here as well are not brought twice."),
  bytes: count.describe("Of these events as a plan counts them: encoded and not compressed; estimated."),
  read_rows: count.describe("Rows that counting has read."),
  until: z.string(),
});

export const createRehydrationEndpoints = (deps: RehydrationDeps): Endpoint[] => {
  const { db, audit, connections, states, stores } = deps;
  const tag = "retention";
  const read = { access: "retention.read", tag } as const;
  const write = { access: "retention.write", tag } as const;

  const shown = (row: RehydrationRow) => {
    const { from, to, query, sources, until } = scopeOfRehydration(row);
    const record = states.get(`${row.tenant}/${row.id}`);
    const said = record === undefined ? undefined : (JSON.parse(record.state) as RehydrationState);
    const over = row.ended_at !== null;
    return {
      ...{ id: row.id, connection: row.connection, from, to, query, sources: [...sources], until },
      ...{ requested_by: row.requested_by, requested_at: row.created_at },
      state: over ? (said === undefined ? "ended" : "ending") : (said?.state ?? "requested"),
      estimate: { events: row.events, bytes: row.bytes },
      ...{ objects: said?.objects ?? 0, objects_done: said?.done ?? 0, events: said?.events ?? 0 },
      problem: over ? "" : (said?.problem ?? ""),
    } as const;
  };

  /** What is asked for and what it comes to. Faults: `invalid_request`, `not_found`, those of a search in the bucket. */
  const weigh = async (caller: Caller, given: z.output<typeof wanted>, signal: AbortSignal) => {
    const now = Date.now();
    const [first, last] = [Date.parse(given.from), Date.parse(given.to)];
    const refuse = (text: string): never => {
      throw new Fault("invalid_request", text);
    };
    if (first > last) refuse("from: must not be after to.");
    if ((last - first) / dayMs >= mostRange) refuse(`to: a range has ${mostRange} days at most.`);
    if (first > now) refuse("from: must not be ahead.");
    await withPostgres(() => connections.find(caller.tenant, given.connection));
    const scope = scopeOf(caller, deps);
    const window = { from: BigInt(first) * 1_000_000n, to: BigInt(last + dayMs) * 1_000_000n };
    const { where, params } = scoped(scope, window, parseQuery(given.query, { now }));
    const store = await stores.open(caller, given.connection);
    const sql = {
      query: `SELECT source, toString(count()) FROM tenant_events WHERE ${where} GROUP BY source`,
      params,
    };
    const [{ rows, stats }, sizes] = await Promise.all([
      store.count<[string, string]>(window, sql, { name: "rehydration_cost", seconds: deps.searchSeconds, signal }),
      deps.kept.sizes(caller),
    ]);
    const events = rows.reduce((sum, [, n]) => sum + Number(n), 0);
    const bytes = rows.reduce((sum, [source, n]) => sum + Number(n) * (sizes.get(source) || usualBytes), 0);
    // The rest of today comes on top of the whole days.
    const until = dayText(dayNumber(now) + given.days);
    const names = Object.fromEntries(scope.names.sources);
    const { from, to, query } = given;
    const sources = caller.sources === "all" ? [] : [...caller.sources];
    return {
      cost: { events, bytes: Math.round(bytes), read_rows: stats.rows, until },
      scope: { from, to, query, names, until, asked: now, sources },
      endsAt: new Date((dayNumber(now) + given.days + 1) * dayMs),
    };
  };

  return [
    endpoint({
      ...{ ...read, method: "get", path: "/rehydrations", summary: "What was brought back from buckets, newest first" },
      query: z.strictObject({ limit: z.coerce.number().int().min(1).max(1_000).default(100) }),
      success: { status: 200, body: z.object({ rehydrations: z.array(shape) }) },
      handle: ({ caller: { tenant }, query: { limit } }) =>
        withPostgres(async () => ({ rehydrations: (await listRehydrations(db, tenant, limit)).map(shown) })),
    }),
    endpoint({
      ...{
        ...write,
        method: "post",
        path: "/rehydrations/preview",
        summary: "How much a range of days in a bucket is, before it is brought back",
      },
      body: wanted,
      success: { status: 200, body: costShape },
      handle: async ({ caller, body, response }) => (await weigh(caller, body, goneSignal(response))).cost,
    }),
    endpoint({
      ...{
        ...write,
        method: "post",
        path: "/rehydrations",
        summary: "Bring a range of days back from a bucket for a while",
      },
      ...{ body: wanted, success: { status: 202, body: shape } },
      handle: async ({ caller, body, response }) => {
        const { cost, scope, endsAt } = await weigh(caller, body, goneSignal(response));
        if (cost.events === 0)
          throw new Fault("invalid_request", "from, to, query: there is no such event in the bucket.");
        const { events, bytes } = cost;
        const { connection } = body;
        return withPostgres(async () =>
          shown(
            await createRehydration(
              db,
              caller.tenant,
              { connection, scope, events, bytes, endsAt },
              audit.by(response),
            ),
          ),
        );
      },
    }),
    endpoint({
      ...{ ...read, method: "get", path: "/rehydrations/:id", summary: "One of them and how far it is" },
      success: { status: 200, body: shape },
      handle: ({ caller: { tenant }, params }) =>
        withPostgres(async () => shown(await findRehydration(db, tenant, params.id))),
    }),
    endpoint({
      ...{
        ...write,
        method: "delete",
        path: "/rehydrations/:id",
        summary: "End one before its time; what is in the bucket stays",
      },
      success: { status: 204 },
      handle: ({ caller, params, response }) =>
        withPostgres(() => endRehydration(db, caller.tenant, params.id, audit.by(response))),
    }),
  ];
};
