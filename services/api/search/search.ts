/**
 * A search as SQL. Newest first by (timestamp, coordinates), which is unique, so pages neither skip nor repeat. The
 * tenant stands in the condition although the view's row filter demands it too: either alone suffices.
 */
import { createBinder, parseQuery, type SqlNames, type SqlParams, toSql } from "@astralog/schemas/query/index";
import type { Cursor } from "./cursor.ts";
import { eventColumns } from "./event-rows.ts";

export interface SearchRequest {
  readonly q: string;
  /** Nanoseconds since the epoch; `from` is included, `to` is not. */
  readonly from?: bigint | undefined;
  readonly to?: bigint | undefined;
  readonly limit: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly cursor?: Cursor | undefined;
}

export interface Sql {
  readonly query: string;
  readonly params: SqlParams;
}

/** Throws QueryError. `topicPrefix` is what the cluster puts in front of topic names. */
export const searchSql = (
  request: SearchRequest,
  { tenant, topicPrefix, names }: { tenant: string; topicPrefix: string; names: SqlNames },
): Sql => {
  const { params, bind } = createBinder("s");
  const instant = (value: bigint) => `fromUnixTimestamp64Nano(${bind("Int64", `${value}`)}, 'UTC')`;
  const wanted = toSql(parseQuery(request.q, { now: request.now }), names);
  const conditions = [`tenant = ${bind("String", tenant)}`];
  if (request.from !== undefined) conditions.push(`timestamp >= ${instant(request.from)}`);
  if (request.to !== undefined) conditions.push(`timestamp < ${instant(request.to)}`);
  if (request.cursor !== undefined) {
    const { timestamp, at } = request.cursor;
    // The first is implied by the second, and is what the primary key understands.
    conditions.push(`timestamp <= ${instant(timestamp)}`);
    conditions.push(
      `(timestamp, topic, partition, offset, idx) < (${instant(timestamp)}, ${bind("String", topicPrefix + at.topic)}, ` +
        `${bind("Int64", at.partition)}, ${bind("Int64", at.offset)}, ${bind("Int64", at.index)})`,
    );
  }
  conditions.push(wanted.sql);
  return {
    query: `SELECT ${eventColumns} FROM tenant_events WHERE ${conditions.join(" AND ")}
ORDER BY timestamp DESC, topic DESC, partition DESC, offset DESC, idx DESC
LIMIT ${request.limit + 1}`,
    params: { ...params, ...wanted.params },
  };
};
