/** A search as SQL. Newest first by (timestamp, coordinates), which is unique, so pages neither skip nor repeat. */
import type { Cursor } from "./cursor.ts";
import { eventColumns } from "./event-rows.ts";
import { instantSql, type Scope, type Sql, scoped, type Window } from "./scope.ts";

export interface SearchRequest extends Window {
  readonly q: string;
  readonly limit: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly cursor?: Cursor | undefined;
}

/** Throws QueryError. */
export const searchSql = (request: SearchRequest, scope: Scope): Sql => {
  const { where, bind, params } = scoped(scope, request, request);
  const conditions = [where];
  if (request.cursor !== undefined) {
    const { timestamp, at } = request.cursor;
    // The first is implied by the second, and is what the primary key understands.
    conditions.push(`timestamp <= ${instantSql(bind, timestamp)}`);
    conditions.push(
      `(timestamp, topic, partition, offset, idx) < (${instantSql(bind, timestamp)}, ${bind("String", scope.topicPrefix + at.topic)}, ` +
        `${bind("Int64", at.partition)}, ${bind("Int64", at.offset)}, ${bind("Int64", at.index)})`,
    );
  }
  return {
    query: `SELECT ${eventColumns} FROM tenant_events WHERE ${conditions.join(" AND ")}
ORDER BY timestamp DESC, topic DESC, partition DESC, offset DESC, idx DESC
LIMIT ${request.limit + 1}`,
    params,
  };
};
