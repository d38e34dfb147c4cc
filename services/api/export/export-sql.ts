/**
 * An export as SQL: everything that a search with the same words would find, in the order in which it is stored (five
 * minutes by five minutes, by service within), which needs no sorting and so no memory, however much it is.
 */
import { sliceSql } from "@astralog/schemas/query/sql-time";
import { eventColumns } from "../search/event-rows.ts";
import { type Scope, type Sql, scoped, type Window } from "../search/scope.ts";

export const exportFormats = ["ndjson", "csv", "parquet"] as const;
export type ExportFormat = (typeof exportFormats)[number];

export interface ExportRequest extends Window {
  readonly q: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const storedOrder = `ORDER BY ${sliceSql}, service, timestamp`;

/** Throws QueryError. */
export const exportSql = (request: ExportRequest, scope: Scope): Sql => {
  const { where, params } = scoped(scope, request, request);
  return { query: `SELECT ${eventColumns} FROM tenant_events WHERE ${where} ${storedOrder}`, params };
};

/** With columns that a reader of Parquet understands without us. Throws QueryError. */
export const parquetSql = (request: ExportRequest, scope: Scope): Sql => {
  const { where, bind, params } = scoped(scope, request, request);
  const [ids, names] = [[...scope.names.sources.keys()], [...scope.names.sources.values()]];
  const source =
    ids.length === 0
      ? "source"
      : `transform(source, ${bind("Array(String)", ids)}, ${bind("Array(String)", names)}, source)`;
  const skip = bind("Int64", scope.topicPrefix.length + 1);
  return {
    query: `SELECT timestamp, received_at, level AS severity_number, ${source} AS source_name, source AS source_id, service, host,
message, trace_id, span_id, attributes, substring(topic, ${skip}) AS topic_name, partition, offset, idx
FROM tenant_events WHERE ${where} ${storedOrder}`,
    params,
  };
};
