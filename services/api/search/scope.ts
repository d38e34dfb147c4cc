/**
 * What a query may see and what it was asked for, as conditions over `tenant_events`. Every query on events starts from
 * here, so the tenant and the caller's sources cannot be forgotten. The tenant stands in the condition although the
 * view's row filter demands it too: either alone suffices.
 */
import {
  createBinder,
  parseQuery,
  type Query,
  type SqlNames,
  type SqlParams,
  toSql,
} from "@astralog/schemas/query/index";

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

export type Bind = ReturnType<typeof createBinder>["bind"];

export const instantSql = (bind: Bind, value: bigint): string =>
  `fromUnixTimestamp64Nano(${bind("Int64", `${value}`)}, 'UTC')`;

/** The condition on who asks; nothing else may stand in for it. */
export const ownerSql = ({ tenant, sources }: Owner, bind: Bind): string => {
  const own = `tenant = ${bind("String", tenant)}`;
  return sources === "all" ? own : `${own} AND source IN ${bind("Array(String)", [...sources])}`;
};

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
  const conditions = [ownerSql(scope, bind)];
  if (window.from !== undefined) conditions.push(`timestamp >= ${instantSql(bind, window.from)}`);
  if (window.to !== undefined) conditions.push(`timestamp < ${instantSql(bind, window.to)}`);
  const query = filter === undefined || "type" in filter ? filter : parseQuery(filter.q, { now: filter.now });
  if (query !== undefined && query.type !== "all") {
    const wanted = toSql(query, scope.names);
    conditions.push(wanted.sql);
    Object.assign(params, wanted.params);
  }
  return { where: conditions.join(" AND "), bind, params };
};
