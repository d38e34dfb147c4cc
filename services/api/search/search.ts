/** A search as SQL. Newest first by (timestamp, coordinates), which is unique, so pages neither skip nor repeat. */
import { parseQuery } from "@astralog/schemas/query/index";
import type { Answer, QueryStats } from "./clickhouse-query.ts";
import type { Cursor } from "./cursor.ts";
import { type EventRow, eventColumns } from "./event-rows.ts";
import { instantSql, type Scope, type Sql, scoped, type Window } from "./scope.ts";
import { slicesOf } from "./slices.ts";

export interface SearchRequest extends Window {
  readonly q: string;
  readonly limit: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly cursor?: Cursor | undefined;
  /** False where no index finds words and values: then it goes through time piece by piece, whatever it looks for. */
  readonly indexed?: boolean;
}

/** One for each stretch of time, newest first. Throws QueryError. */
export const searchSlices = (request: SearchRequest, scope: Scope): { window: Window; sql(limit: number): Sql }[] => {
  const query = parseQuery(request.q, { now: request.now });
  const { cursor } = request;
  const to =
    cursor === undefined || (request.to !== undefined && request.to <= cursor.timestamp)
      ? request.to
      : cursor.timestamp + 1n;
  return slicesOf({ from: request.from, to }, request.indexed === false ? { type: "all" } : query, request.now).map(
    (window) => ({
      window,
      sql: (limit) => {
        const { where, bind, params } = scoped(scope, window, query);
        const rest =
          cursor === undefined
            ? ""
            : ` AND (timestamp, topic, partition, offset, idx) < (${instantSql(bind, cursor.timestamp)}, ${bind("String", scope.topicPrefix + cursor.at.topic)}, ` +
              `${bind("Int64", cursor.at.partition)}, ${bind("Int64", cursor.at.offset)}, ${bind("Int64", cursor.at.index)})`;
        return {
          query: `SELECT ${eventColumns} FROM tenant_events WHERE ${where}${rest}
ORDER BY timestamp DESC, topic DESC, partition DESC, offset DESC, idx DESC
LIMIT ${limit}`,
          params,
        };
      },
    }),
  );
};

export interface SearchStep {
  /** What this stretch added, newest first. */
  readonly rows: readonly EventRow[];
  /** How far back all is known now; undefined when that is as far as was asked. */
  readonly searchedFrom: bigint | undefined;
  readonly stats: QueryStats;
}

/** Stops with the stretch that fills `limit` + 1: the one more says that there are more. */
export async function* searchSteps(
  request: SearchRequest,
  scope: Scope,
  ask: (window: Window, sql: Sql) => Promise<Answer<EventRow>>,
): AsyncGenerator<SearchStep, void, undefined> {
  let wanted = request.limit + 1;
  const slices = searchSlices(request, scope);
  for (const [i, { window, sql }] of slices.entries()) {
    const { rows, stats } = await ask(window, sql(wanted));
    yield { rows, stats, searchedFrom: i + 1 === slices.length ? undefined : window.from };
    wanted -= rows.length;
    if (wanted <= 0) return;
  }
}

export const noCost: QueryStats = { rows: 0, bytes: 0, ms: 0 };

export const addCost = (a: QueryStats, b: QueryStats): QueryStats => ({
  rows: a.rows + b.rows,
  bytes: a.bytes + b.bytes,
  ms: a.ms + b.ms,
});
