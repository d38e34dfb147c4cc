/** The connection to Astralog's own ClickHouse. */
import { Readable } from "node:stream";
import { type ClickHouse, fewRows, storeSettings } from "@astralog/chassis";
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";

interface Access {
  url: string;
  username: string;
  password: string;
  database: string;
}

/** An insert of 100,000 rows takes a third of a second; what takes this long is lost or blocked. */
const requestTimeoutMs = 30_000;

export const connectClickHouse = (access: Access): ClickHouse => {
  const client: ClickHouseClient = createClient({
    ...access,
    application: "astralog-sink",
    // It would print what it sent, and that may be events; what failed is told by code.
    log: { level: ClickHouseLogLevel.OFF },
    request_timeout: requestTimeoutMs,
    max_open_connections: 4,
    keep_alive: { enabled: true, idle_socket_ttl: 1_500 },
    clickhouse_settings: storeSettings,
  });
  return {
    insert: async ({ query, queryId, body, params, rows }) => {
      const { stream, summary } = await client.exec({
        query,
        query_id: queryId,
        query_params: params,
        values: Readable.from([body]),
        clickhouse_settings: { materialize_skip_indexes_on_insert: rows < fewRows ? 0 : 1 },
      });
      for await (const _ of stream);
      return Number(summary?.written_rows ?? -1);
    },
    rows: async <T>(query: string, params: Record<string, unknown>) => {
      const result = await client.query({ query, query_params: params, format: "JSONEachRow" });
      return result.json<T>();
    },
    command: async (query, params) => {
      await client.command({ query, query_params: params });
    },
    close: () => client.close(),
  };
};
