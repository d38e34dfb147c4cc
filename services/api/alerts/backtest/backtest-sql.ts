/** The events that a rule over history needs, in the order of their raw partitions. */

import type { EventAt } from "@astralog/schemas";
import type { Rule } from "@astralog/schemas/alerts/index";
import { paneSpan, spanMs } from "@astralog/schemas/alerts/index";
import { parseQuery, type Query } from "@astralog/schemas/query/index";
import { eventColumns } from "../../search/event-rows.ts";
import { type Scope, type Sql, scoped } from "../../search/scope.ts";

export interface Stretch {
  /** Milliseconds. */
  readonly from: number;
  readonly to: number;
}

const queryOf = ({ when }: Rule): Query => {
  const first = parseQuery(when.query, { now: 0 });
  return when.type === "ratio" ? { type: "or", parts: [first, parseQuery(when.of, { now: 0 })] } : first;
};

/**
 * A page of them. An event counts where its own time says when it was received in time for that, so both times bound what is
 * read; a match counts whatever its own time.
 */
export const rowsSql = (
  rule: Rule,
  { from, to }: Stretch,
  scope: Scope,
  after: EventAt | undefined,
  limit: number,
): Sql => {
  const every = paneSpan(rule);
  const window = rule.when.type === "match" ? {} : { from: BigInt(from - every) * 1_000_000n };
  const { where, bind, params } = scoped(scope, window, queryOf(rule));
  const received = (ms: number): string => `fromUnixTimestamp64Milli(${bind("Int64", ms)}, 'UTC')`;
  const behind =
    after === undefined
      ? ""
      : ` AND (topic, partition, offset, idx) > (${bind("String", scope.topicPrefix + after.topic)}, ${bind("Int64", after.partition)}, ${bind("Int64", after.offset)}, ${bind("Int64", after.index)})`;
  return {
    query: `SELECT ${eventColumns} FROM tenant_events WHERE ${where}
AND received_at >= ${received(from)} AND received_at < ${received(to + every + spanMs(rule.lateness))}${behind}
ORDER BY topic, partition, offset, idx LIMIT ${limit}`,
    params,
  };
};
