/**
 * What a query may see and what it was asked for, as conditions over `tenant_events`. Every query on events starts from
 * here, so the tenant and the caller's sources cannot be forgotten. The tenant stands in the condition although the
 * view's row filter demands it too: either alone suffices.
 */
import {
  type Bind,
  conditionSql,
  createBinder,
  parseQuery,
  type Query,
  type SqlNames,
  type SqlParams,
} from "@astralog/schemas/query/index";
import { sliceLength, sliceSql } from "@astralog/schemas/query/sql-time";

/** Whose rows. */
export interface Owner {
  readonly tenant: string;
  /** Ids of the sources the caller may see. */
  readonly sources: "all" | ReadonlySet<string>;
}

export interface Scope extends Owner {
  readonly names: SqlNames;
  /** What the cluster puts in front of topic names. */
  readonly topicPrefix: string;
}

/** Nanoseconds since the epoch; `from` is included, `to` is not. */
export interface Window {
  readonly from?: bigint | undefined;
  readonly to?: bigint | undefined;
}

export interface Sql {
  readonly query: string;
  readonly params: SqlParams;
}

export type { Bind };

export const instantSql = (bind: Bind, value: bigint): string =>
  `fromUnixTimestamp64Nano(${bind("Int64", `${value}`)}, 'UTC')`;

/** Each end twice: exactly, and as the slice that the table's key begins with. ClickHouse does not derive the second. */
export const windowSql = ({ from, to }: Window, bind: Bind): string[] => [
  ...(from === undefined
    ? []
    : [`timestamp >= ${instantSql(bind, from)}`, `${sliceSql} >= ${bind("Int64", `${from / sliceLength}`)}`]),
  ...(to === undefined
    ? []
    : [`timestamp < ${instantSql(bind, to)}`, `${sliceSql} <= ${bind("Int64", `${to / sliceLength}`)}`]),
];

/** The condition on who asks; nothing else may stand in for it. */
export const ownerSql = ({ tenant, sources }: Owner, bind: Bind): string => {
  const own = `tenant = ${bind("String", tenant)}`;
  return sources === "all" ? own : `${own} AND source IN ${bind("Array(String)", [...sources])}`;
};

/** What may be seen, within the window, of what the query finds. */
export const whereSql = (scope: Scope, window: Window, query: Query | undefined, bind: Bind): string =>
  [
    ownerSql(scope, bind),
    ...windowSql(window, bind),
    ...(query === undefined || query.type === "all" ? [] : [conditionSql(query, bind, scope.names)]),
  ].join(" AND ");

/**
 * A condition for WHERE and the binder for what else the statement needs; `params` holds both. Throws QueryError when
 * the filter is text that is no query.
 */
export const scoped = (
  scope: Scope,
  window: Window,
  filter: Query | { readonly q: string; readonly now: number } | undefined,
): { where: string; bind: Bind; params: SqlParams } => {
  const { params, bind } = createBinder("s");
  const query = filter === undefined || "type" in filter ? filter : parseQuery(filter.q, { now: filter.now });
  return { where: whereSql(scope, window, query, bind), bind, params };
};
