/**
 * A result that may have no end, read as fast as it is taken: back-pressure reaches the server, and who hangs up ends
 * the query there. Runs as the same user as a search, behind the same row filter, with the limits of one export.
 */
import type { Readable } from "node:stream";
import { Fault } from "@astralog/chassis";
import { tenantHeader } from "@astralog/schemas/clickhouse";
import type { ClickHouseClient } from "../clickhouse.ts";
import { asFault } from "../search/clickhouse-query.ts";
import type { Sql } from "../search/scope.ts";
import type { OwnServers } from "../storage/own-servers.ts";

/** Rows of a block, each still text. */
export type RowBlocks = AsyncIterable<readonly { json<T>(): T }[]>;

export interface ExportQueries {
  /** Faults like a search. What fails later breaks the iteration. */
  rows(tenant: string, sql: Sql, signal: AbortSignal): Promise<RowBlocks>;
  /** A Parquet file, byte for byte. */
  parquet(tenant: string, sql: Sql, signal: AbortSignal): Promise<Readable>;
}

/** An export is bounded by its reader's patience, not by its size. */
export const exportSeconds = 3_600;

export const createExportQueries = (client: ClickHouseClient): ExportQueries => {
  const options = (tenant: string, { params }: Sql, signal: AbortSignal) => ({
    query_params: { ...params },
    abort_signal: signal,
    clickhouse_settings: {
      max_execution_time: exportSeconds,
      cancel_http_readonly_queries_on_client_close: 1 as const,
    },
    http_headers: { [tenantHeader]: tenant },
  });
  const ask = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      throw asFault(error, { seconds: exportSeconds });
    }
  };
  return {
    rows: (tenant, sql, signal) =>
      ask(async () => {
        const result = await client.query({
          query: sql.query,
          format: "JSONCompactEachRow",
          ...options(tenant, sql, signal),
        });
        return result.stream();
      }),
    parquet: (tenant, sql, signal) =>
      ask(async () => {
        const { stream } = await client.exec({
          query: `${sql.query} FORMAT Parquet`,
          ...options(tenant, sql, signal),
        });
        return stream;
      }),
  };
};

/** The same for people, who ask for all there is: what is kept on a server of their own is not here. Faults besides: `kept_elsewhere`. */
export const onlyOfHere = (exports: ExportQueries, own: Pick<OwnServers, "home">): ExportQueries => {
  const mustBeHere = (tenant: string): void => {
    const home = own.home(tenant);
    if (home !== undefined)
      throw new Fault(
        "kept_elsewhere",
        `Your events are kept on your own ClickHouse "${home.name}": export them there, from ${home.database}.events.`,
      );
  };
  return {
    rows: async (tenant, sql, signal) => {
      mustBeHere(tenant);
      return exports.rows(tenant, sql, signal);
    },
    parquet: async (tenant, sql, signal) => {
      mustBeHere(tenant);
      return exports.parquet(tenant, sql, signal);
    },
  };
};
