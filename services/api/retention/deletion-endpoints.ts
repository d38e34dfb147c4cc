/** Deletions over HTTP: what one would remove, asking for it, how far it is, and its certificate. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Fault } from "@astralog/chassis";
import { parseQuery } from "@astralog/schemas/query/index";
import { type DeletionScope, deletionKinds, removedLine } from "@astralog/schemas/retention/index";
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import { findSource } from "../control/sources.ts";
import type { Caller } from "../http/caller.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { mustCover } from "../organizations/grants.ts";
import { type Db, withPostgres } from "../postgres.ts";
import { readInstant } from "../search/request.ts";
import { scoped } from "../search/scope.ts";
import type { Stores } from "../search/store.ts";
import type { Connections } from "../storage/connections.ts";
import type { DeletionQueries, DeletionStep } from "./deletion-queries.ts";
import {
  certificateOf,
  createDeletion,
  type DeletionRow,
  findDeletion,
  listDeletions,
  scopeOfRow,
} from "./deletions.ts";

export interface DeletionDeps {
  readonly db: Db;
  readonly audit: Pick<Audit, "by">;
  readonly queries: DeletionQueries;
  readonly stores: Stores;
  readonly connections: Pick<Connections, "list">;
  readonly topicPrefix: string;
  readonly searchSeconds: number;
  sourceNames(tenant: string): ReadonlyMap<string, string>;
}

const wanted = z.strictObject({
  kind: z.enum(deletionKinds, `must be one of ${deletionKinds.join(", ")}`),
  source: z.string().max(64).optional().describe("Id, with kind source."),
  query: z.string().max(4_000).default("").describe("With kind query: what it finds is deleted."),
  from: z.string().max(64).optional().describe("Of the events' own time."),
  to: z.string().max(64).optional(),
});
const request = wanted.extend({
  reason: z.string().min(1, "must say why: it stands in the certificate").max(1_000),
  confirm: z
    .string()
    .max(4_000)
    .describe("The name of the organization or the source, or the query, once more: deleting cannot be undone."),
});

const count = z.int();
const stepShape = z.object({
  ...{ place: z.string(), state: z.string(), removed: count, found: count, detail: z.string(), at: z.string() },
});
const shape = z.object({
  ...{ id: z.string(), kind: z.enum(deletionKinds), sources: z.array(z.string()), query: z.string() },
  ...{
    from: z.string(),
    to: z.string(),
    received_before: z.iso.datetime(),
    reason: z.string(),
    requested_by: z.string(),
  },
  state: z.enum(["requested", "held", "waiting", "removing", "checked", "certified"]),
  ...{ steps: z.array(stepShape), certified: z.boolean(), watched_until: z.iso.datetime() },
});

const previewShape = z.object({
  ...{ events: count, dead_letters: count, confirm: z.string() },
  buckets: z
    .array(z.object({ connection: z.string(), name: z.string(), events: count.nullable(), problem: z.string() }))
    .describe(
      "Of the organization's own: null where they could not be counted, see problem; they are deleted all the same.",
    ),
});

const stateOf = (row: DeletionRow, steps: readonly DeletionStep[]) => {
  if (certificateOf(row) !== undefined) return "certified";
  if (steps.length === 0) return "requested";
  const states = new Set(steps.map(({ state }) => state));
  for (const state of ["held", "removing", "waiting"] as const) if (states.has(state)) return state;
  return "checked";
};

const time = (nanos: string | null): string =>
  nanos === null ? "" : new Date(Number(BigInt(nanos) / 1_000_000n)).toISOString();

const shown = (row: DeletionRow, steps: readonly DeletionStep[] = []) => {
  const { kind, sources, query, from, to } = scopeOfRow(row);
  return {
    ...{ id: row.id, kind, sources, query, from: time(from), to: time(to), received_before: row.created_at },
    ...{ reason: row.reason, requested_by: row.requested_by, state: stateOf(row, steps), steps },
    ...{ certified: certificateOf(row) !== undefined, watched_until: row.watched_until },
  };
};

export const createDeletionEndpoints = (deps: DeletionDeps): Endpoint[] => {
  const { db, audit, queries, sourceNames } = deps;
  const tag = "retention";
  const read = { access: "retention.read", tag } as const;
  const write = { access: "deletions.write", tag } as const;

  /** What the caller asks, and what he must write to confirm it. Faults: `invalid_request`, `not_found`, `forbidden`. */
  const scopeOf = async (caller: Caller, body: z.output<typeof wanted>) => {
    const { tenant } = caller;
    const now = Date.now();
    const { kind, source, query } = body;
    const refuse = (text: string): never => {
      throw new Fault("invalid_request", text);
    };
    if (kind !== "source" && source !== undefined)
      refuse("source: goes with kind source; in a query write source:NAME.");
    if (kind !== "query" && query !== "") refuse("query: goes with kind query.");
    const [from, to] = [readInstant("from", body.from, now), readInstant("to", body.to, now)];
    if (kind === "organization" && (from ?? to) !== undefined) refuse("from, to: go with kind query or source.");
    if (from !== undefined && to !== undefined && from >= to) refuse("from: must be before to.");
    if (kind === "query" && parseQuery(query, { now }).type === "all" && from === undefined && to === undefined)
      refuse("query: finds every event; ask for kind organization, or give from or to.");
    const names = Object.fromEntries(sourceNames(tenant));
    const base = {
      kind,
      query,
      from: from === undefined ? null : `${from}`,
      to: to === undefined ? null : `${to}`,
      names,
    };
    if (kind === "source") {
      if (source === undefined) return refuse("source: which one? Give its id.");
      const row = await withPostgres(() => findSource(db, tenant, source));
      mustCover(caller, { sources: new Set([source]) }, "delete its events");
      return { scope: { ...base, sources: [source] }, confirm: row.name };
    }
    if (kind === "organization") {
      mustCover(caller, { sources: "all" }, "delete everything of the organization");
      const row = await withPostgres(() =>
        db.selectFrom("tenants").select("name").where("id", "=", tenant).executeTakeFirstOrThrow(),
      );
      return { scope: { ...base, sources: [] }, confirm: row.name };
    }
    // What he does not see is not his to delete.
    return { scope: { ...base, sources: caller.sources === "all" ? [] : [...caller.sources] }, confirm: query };
  };

  const asDeletion = (tenant: string, scope: Omit<DeletionScope, "cut">) => ({
    ...{ ...scope, cut: Date.now(), tenant, id: "" },
  });

  /** What the same scope finds in each bucket now. One that cannot be asked hides no other. */
  const inBuckets = async (tenant: string, { sources, query, from, to, names }: Omit<DeletionScope, "cut">) => {
    const nanos = (at: string | null): bigint | undefined => (at === null ? undefined : BigInt(at));
    const owner = { tenant, sources: sources.length === 0 ? ("all" as const) : new Set(sources) };
    const window = { from: nanos(from), to: nanos(to) };
    const scope = { ...owner, topicPrefix: deps.topicPrefix, names: { sources: new Map(Object.entries(names)) } };
    const { where, params } = scoped(scope, window, { q: query, now: Date.now() });
    const sql = { query: `SELECT toString(count()) FROM tenant_events WHERE ${where}`, params };
    const rows = await withPostgres(() => deps.connections.list(tenant));
    return Promise.all(
      rows.map(async ({ id: connection, name }) => {
        try {
          const store = await deps.stores.open(owner, connection);
          const options = { name: "deletion_preview_in_bucket", seconds: deps.searchSeconds };
          const { rows: counted } = await store.count<[string]>(window, sql, options);
          return { connection, name, events: counted.reduce((sum, [n]) => sum + Number(n), 0), problem: "" };
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
          return { connection, name, events: null, problem: error.message };
        }
      }),
    );
  };

  /** Faults: `not_found`, `not_ready`. */
  const certified = async (tenant: string, id: string) => {
    const row = await withPostgres(() => findDeletion(db, tenant, id));
    const certificate = certificateOf(row);
    if (certificate === undefined)
      throw new Fault(
        "not_ready",
        "The deletion is not finished; its certificate is issued once every place is found empty.",
      );
    return { row, certificate };
  };

  return [
    endpoint({
      ...{ ...read, method: "get", path: "/deletions", summary: "Deletions and how far they are, newest first" },
      query: z.strictObject({ limit: z.coerce.number().int().min(1).max(1_000).default(100) }),
      success: { status: 200, body: z.object({ deletions: z.array(shape) }) },
      handle: async ({ caller: { tenant }, query: { limit } }) => {
        const rows = await withPostgres(() => listDeletions(db, tenant, limit));
        const steps = rows.length === 0 ? new Map() : await queries.steps(tenant);
        return { deletions: rows.map((row) => shown(row, steps.get(row.id))) };
      },
    }),
    endpoint({
      ...{ ...write, method: "post", path: "/deletions/preview", summary: "How much a deletion would remove now" },
      body: wanted,
      success: { status: 200, body: previewShape },
      handle: async ({ caller, body }) => {
        const { scope, confirm } = await scopeOf(caller, body);
        const [counted, buckets] = await Promise.all([
          queries.preview(asDeletion(caller.tenant, scope)),
          inBuckets(caller.tenant, scope),
        ]);
        return { ...counted, buckets, confirm };
      },
    }),
    endpoint({
      ...{ ...write, method: "post", path: "/deletions", summary: "Delete events before their time, for good" },
      ...{ body: request, stepUp: true, success: { status: 202, body: shape } },
      handle: async ({ caller, body: { reason, confirm: given, ...asked }, response }) => {
        const { scope, confirm } = await scopeOf(caller, asked);
        if (given !== confirm)
          throw new Fault(
            "invalid_request",
            `confirm: must be ${JSON.stringify(confirm)}, as deleting cannot be undone.`,
          );
        return withPostgres(async () =>
          shown(await createDeletion(db, caller.tenant, { scope, reason }, audit.by(response))),
        );
      },
    }),
    endpoint({
      ...{ ...read, method: "get", path: "/deletions/:id", summary: "One deletion and how far it is" },
      success: { status: 200, body: shape },
      handle: async ({ caller: { tenant }, params }) => {
        const row = await withPostgres(() => findDeletion(db, tenant, params.id));
        return shown(row, (await queries.steps(tenant)).get(row.id));
      },
    }),
    endpoint({
      ...{
        ...read,
        method: "get",
        path: "/deletions/:id/certificate",
        summary: "The signed certificate of a deletion",
      },
      success: { status: 200, body: z.looseObject({ id: z.string(), signature: z.string(), public_key: z.string() }) },
      handle: async ({ caller, params }) => (await certified(caller.tenant, params.id)).certificate,
    }),
    endpoint({
      ...{ ...read, method: "get", path: "/deletions/:id/removed", summary: "The list that a certificate stands for" },
      success: { status: 200, content: "application/jsonl" },
      handle: async ({ caller, params, response }) => {
        const { row } = await certified(caller.tenant, params.id);
        const lines = async function* (): AsyncGenerator<string> {
          for await (const record of queries.removed(row)) yield `${removedLine(record)}\n`;
        };
        response.status(200).type("application/jsonl");
        await pipeline(Readable.from(lines()), response);
      },
    }),
  ];
};
