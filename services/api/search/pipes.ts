/** A query with pipes, answered as a table: columns with types, and rows. */
import { levelName } from "@astralog/schemas";
import { type Column, createBinder, parsePipeline, pipelineSql, type Query } from "@astralog/schemas/query/index";
import { minuteLength, minuteSql } from "@astralog/schemas/query/sql-time";
import { rfc3339 } from "./event-rows.ts";
import { type Bind, type Scope, type Sql, scoped, type Window, whereSql } from "./scope.ts";

export interface PipesRequest extends Window {
  readonly q: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export type Cell = string | number | null;

export interface Table {
  readonly columns: readonly { readonly name: string; readonly type: "time" | "number" | "text" }[];
  readonly rows: readonly (readonly Cell[])[];
  /** More rows were there than are shown. */
  readonly truncated: boolean;
}

export interface TableSql extends Sql {
  readonly columns: readonly Column[];
  readonly limit: number;
}

/** Throws QueryError. */
export const tableSql = (request: PipesRequest, scope: Scope): TableSql => {
  const { filter, stages } = parsePipeline(request.q, { now: request.now });
  const { where, bind, params } = minuteScoped(request, scope, filter) ?? scoped(scope, request, filter);
  const { query, columns, limit } = pipelineSql(stages, [where], bind, scope.names);
  return { query, params, columns, limit };
};

/**
 * Times as whole minutes, where the window has them and the filter asks for nothing else than what the projection
 * minute_counts keeps: then the server may count from that. It is free not to, with the same answer.
 */
export const minuteScoped = (window: Window, scope: Scope, filter: Query): ReturnType<typeof scoped> | undefined => {
  const whole = (end: bigint | undefined) => end === undefined || (end >= 0n && end % minuteLength === 0n);
  if (!whole(window.from) || !whole(window.to) || !isCounted(filter)) return undefined;
  const { params, bind } = createBinder("s");
  return { where: minutesSql(scope, window, filter, bind), bind, params };
};

/** whereSql in whole minutes. */
export const minutesSql = (scope: Scope, { from, to }: Window, filter: Query, bind: Bind): string =>
  [
    whereSql(scope, {}, filter, bind),
    ...(from === undefined ? [] : [`${minuteSql} >= ${bind("Int64", `${from / minuteLength}`)}`]),
    ...(to === undefined ? [] : [`${minuteSql} < ${bind("Int64", `${to / minuteLength}`)}`]),
  ].join(" AND ");

/** Whether counts by minute, source, service and level can say how many events the query finds. */
export const isCounted = (query: Query): boolean => {
  switch (query.type) {
    case "all":
    case "levels":
      return true;
    case "and":
    case "or":
      return query.parts.every(isCounted);
    case "not":
      return isCounted(query.part);
    case "exists":
    case "equals":
    case "pattern":
    case "regex":
      return query.field.kind === "service" || query.field.kind === "source";
    default:
      return false;
  }
};

const shown = (type: Column["type"], cell: Cell, sources: ReadonlyMap<string, string>): Cell => {
  if (cell === null) return null;
  switch (type) {
    case "time":
      return rfc3339(BigInt(cell));
    case "level":
      return levelName(Number(cell));
    case "source":
      return sources.get(String(cell)) || cell;
    default:
      return cell;
  }
};

export const tableOf = ({ columns, limit }: TableSql, rows: readonly (readonly Cell[])[], scope: Scope): Table => ({
  columns: columns.map(({ name, type }) => ({ name, type: type === "level" || type === "source" ? "text" : type })),
  rows: rows
    .slice(0, limit)
    .map((row) => row.map((cell, i) => shown(columns[i]?.type ?? "text", cell, scope.names.sources))),
  truncated: rows.length > limit,
});

/**
 * What a query would read at most, before it is run. Indexes over words and values are left out of the estimate: a granule
 * at the edge of a tenant's rows holds its neighbour's too, and an estimate would tell which words those have.
 */
export const explainSql = (request: PipesRequest, scope: Scope): Sql => {
  const { query, params } = tableSql(request, scope);
  if (isFromCounts(request)) return { query: `EXPLAIN ESTIMATE ${query}`, params };
  const { where, params: own } = scoped(scope, request, undefined);
  return { query: `EXPLAIN ESTIMATE SELECT max(message) FROM tenant_events WHERE ${where}`, params: own };
};

const quoted = (text: string): string => `'${text.replace(/[\\']/g, "\\$&").replaceAll("\0", "\\0")}'`;

const literal = (type: string, value: string | number | readonly string[] | undefined): string =>
  typeof value === "object" ? `[${value.map(quoted).join(", ")}]` : `CAST(${quoted(`${value}`)} AS ${type})`;

/** To paste into any client of ClickHouse that may read the events: the statement with its values in their places. */
export const writtenSql = ({ query, params }: Sql): string =>
  query
    .replaceAll("tenant_events", "events")
    .replace(/\{(\w+):(String|Float64|UInt8|Int64|Array\(String\))\}/g, (_, name: string, type: string) =>
      type === "String" ? quoted(`${params[name]}`) : literal(type, params[name]),
    );

export type EstimateRow = [database: string, table: string, parts: number, rows: number, marks: number];

const indexes = {
  message_words: "Words of the message: only granules that hold all of them are read.",
  trace_ids: "Trace ids: only granules that may hold this one are read.",
  attribute_keys: "Attribute names: only granules that may hold this name are read.",
  attribute_values: "Attribute values: only granules that may hold this value are read.",
  minute_counts: "Counts by minute, service, level and source, kept beside the events: no event is read.",
} as const;
export type IndexName = keyof typeof indexes;

const isFromCounts = (request: PipesRequest): boolean => {
  const { filter, stages } = parsePipeline(request.q, { now: request.now });
  const [first] = stages;
  return (
    isCounted(filter) &&
    first?.type === "stats" &&
    first.aggregates.every(({ of }) => of === undefined) &&
    first.by.every((group) =>
      "bin" in group ? group.bin % minuteLength === 0n : ["service", "level", "source"].includes(group.field.kind),
    )
  );
};

/** Which indexes narrow a query beyond its times, as its meaning says. */
export const indexesOf = (request: PipesRequest): { name: IndexName; about: string }[] => {
  const { filter } = parsePipeline(request.q, { now: request.now });
  const names = isFromCounts(request) ? (["minute_counts"] as const) : [...new Set(narrowing(filter))];
  return names.map((name) => ({ name, about: indexes[name] }));
};

const narrowing = (query: Query): IndexName[] => {
  switch (query.type) {
    case "and":
      return query.parts.flatMap(narrowing);
    case "or": {
      const parts = query.parts.map(narrowing);
      return parts.every((part) => part.length > 0) ? parts.flat() : [];
    }
    case "words":
      return ["message_words"];
    case "equals":
      if (query.field.kind === "trace_id") return ["trace_ids"];
      return query.field.kind === "attribute" && query.value !== "" ? ["attribute_keys", "attribute_values"] : [];
    case "exists":
      return query.field.kind === "attribute" ? ["attribute_keys"] : [];
    default:
      return [];
  }
};
