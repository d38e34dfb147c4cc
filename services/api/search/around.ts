/** What stands around an event: the events just before and after it from the same place, and those of one trace. */
import type { EventAt } from "@astralog/schemas";
import { createBinder } from "@astralog/schemas/query/index";
import { type EventRow, eventColumns } from "./event-rows.ts";
import { instantSql, ownerSql, type Scope, type Sql, scoped, type Window } from "./scope.ts";

const order = ["timestamp", "topic", "partition", "offset", "idx"] as const;
const ordered = (direction: "ASC" | "DESC"): string => order.map((column) => `${column} ${direction}`).join(", ");

export const expiringColumns = `${eventColumns}, toString(expires_on)`;
/** An EventRow with the day of its expiry behind it, and for each rule that drops fields whether it has. */
export type WholeRow = [...EventRow, expiresOn: string, dropped: number[]];

export const eventSql = (at: EventAt, scope: Scope, columns = eventColumns): Sql => {
  const { params, bind } = createBinder();
  return {
    query: `SELECT ${columns} FROM tenant_events WHERE ${ownerSql(scope, bind)} AND topic = ${bind("String", scope.topicPrefix + at.topic)}
AND partition = ${bind("Int64", at.partition)} AND offset = ${bind("Int64", at.offset)} AND idx = ${bind("Int64", at.index)} LIMIT 1`,
    params,
  };
};

export interface Anchor {
  readonly at: EventAt;
  /** Nanoseconds since the epoch. */
  readonly timestamp: bigint;
  readonly sourceId: string;
  readonly service: string;
  readonly host: string;
}

/** How far away a neighbour may be. Bounds what is read when the source is silent. */
const reach = 86_400_000_000_000n;

export const neighboursWindow = ({ timestamp }: Pick<Anchor, "timestamp">, side: "before" | "after"): Window =>
  side === "before" ? { from: timestamp - reach, to: timestamp + 1n } : { from: timestamp, to: timestamp + reach };

/** The nearest events of the anchor's source, service and host on one side of it, nearest first. */
export const neighboursSql = (anchor: Anchor, side: "before" | "after", count: number, scope: Scope): Sql => {
  const { timestamp, at } = anchor;
  const { where, bind, params } = scoped(scope, neighboursWindow(anchor, side), undefined);
  const place = `(${instantSql(bind, timestamp)}, ${bind("String", scope.topicPrefix + at.topic)}, ${bind("Int64", at.partition)}, ${bind("Int64", at.offset)}, ${bind("Int64", at.index)})`;
  return {
    query: `SELECT ${eventColumns} FROM tenant_events WHERE ${where} AND source = ${bind("String", anchor.sourceId)}
AND service = ${bind("String", anchor.service)} AND host = ${bind("String", anchor.host)}
AND (${order.join(", ")}) ${side === "before" ? "<" : ">"} ${place}
ORDER BY ${ordered(side === "before" ? "DESC" : "ASC")} LIMIT ${Math.floor(count)}`,
    params,
  };
};

/** Most events of a trace that one answer shows. */
export const maxTraceEvents = 5_000;

/** Oldest first; one more than is shown, so that it can be said that there are more. */
export const traceSql = (trace: string, window: Window, scope: Scope): Sql => {
  const { where, bind, params } = scoped(scope, window, undefined);
  return {
    query: `SELECT ${eventColumns} FROM tenant_events WHERE ${where} AND trace_id = ${bind("String", trace)}
ORDER BY ${ordered("ASC")} LIMIT ${maxTraceEvents + 1}`,
    params,
  };
};
