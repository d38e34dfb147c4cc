/** A search as pages that grow: each step adds the events of one more stretch of time. */
import type { Caller } from "../http/caller.ts";
import type { QueryStats } from "./clickhouse-query.ts";
import { formatCursor, parseCursor } from "./cursor.ts";
import { type EventRow, type EventView, positionOf, rfc3339, viewOf } from "./event-rows.ts";
import { nameOf, readInstant, scopeOf } from "./request.ts";
import { addCost, noCost, searchSteps } from "./search.ts";
import type { SearchDeps } from "./search-endpoints.ts";

export interface SearchInput {
  readonly q: string;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly place?: string | undefined;
}

export interface PageStep {
  /** What this step adds, newest first. */
  readonly events: readonly EventView[];
  /** How far back everything is known now; null when that is as far as was asked. */
  readonly searched_from: string | null;
  /** Of all steps so far. */
  readonly stats: QueryStats;
  /** Where the next page begins; null while it is not known, and when there is none. */
  readonly next: string | null;
}

/** Throws QueryError and Faults with its first step. */
export async function* createPages(
  deps: SearchDeps,
  caller: Caller,
  input: SearchInput,
  signal: AbortSignal,
): AsyncGenerator<PageStep, void, undefined> {
  const { topicPrefix } = deps;
  const scope = scopeOf(caller, deps);
  const store = await deps.stores.open(scope, input.place);
  const cursor = input.cursor === undefined || input.cursor === "" ? undefined : parseCursor(input.cursor);
  const now = cursor?.now ?? Date.now();
  const window = { from: readInstant("from", input.from, now), to: readInstant("to", input.to, now) };
  const { indexed } = store;
  const steps = searchSteps({ q: input.q, ...window, limit: input.limit, now, cursor, indexed }, scope, (part, sql) =>
    store.ask<EventRow>(part, sql, { name: nameOf("search", input.place), seconds: deps.searchSeconds, signal }),
  );
  let stats = noCost;
  let shown = 0;
  let last: EventRow | undefined;
  for await (const step of steps) {
    stats = addCost(stats, step.stats);
    const rows = step.rows.slice(0, input.limit - shown);
    shown += rows.length;
    last = rows.at(-1) ?? last;
    const more = rows.length < step.rows.length && last !== undefined;
    yield {
      events: rows.map((row) => viewOf(row, { topicPrefix, sourceNames: scope.names.sources })),
      searched_from: step.searchedFrom === undefined ? null : rfc3339(step.searchedFrom),
      stats,
      next: more && last ? formatCursor({ now, timestamp: BigInt(last[0]), at: positionOf(last, topicPrefix) }) : null,
    };
  }
}
