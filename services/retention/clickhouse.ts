/** The connection to ClickHouse. */
import { buffer } from "node:stream/consumers";
import { type SentTables, sentTables } from "@astralog/chassis";
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from "@clickhouse/client";

/** `sent`: tables that go along, for this statement alone. */
export interface ClickHouse {
  rows<T>(query: string, params?: Record<string, unknown>, sent?: SentTables): Promise<T[]>;
  /** With an id no other of that id runs at the same time: see `isRunning`. */
  command(
    query: string,
    params?: Record<string, unknown>,
    options?: { id?: string | undefined; sent?: SentTables | undefined },
  ): Promise<void>;
  /** The answer as a file, whole, and how many rows it has. */
  file(
    query: string,
    params: Record<string, unknown>,
    settings: Record<string, number | string>,
    sent?: SentTables,
  ): Promise<{ rows: number; body: Buffer }>;
  insert(table: string, rows: readonly object[]): Promise<void>;
  close(): Promise<void>;
}

/** To rewrite a partition may take long; it goes on in the server when this process dies, and the next one waits for it. */
const requestTimeoutMs = 3_600_000;

/** The part was merged or dropped meanwhile: what it held is looked for again. */
export const isGonePart = (error: unknown): boolean =>
  error instanceof ClickHouseError &&
  (error.type === "NO_SUCH_DATA_PART" || error.type === "PART_IS_TEMPORARILY_LOCKED");

/** A command of that id has not ended. */
export const isRunning = (error: unknown): boolean =>
  error instanceof ClickHouseError && error.type === "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING";

export const connectClickHouse = (access: {
  url: string;
  username: string;
  password: string;
  database: string;
}): ClickHouse => {
  const client: ClickHouseClient = createClient({
    ...access,
    application: "astralog-retention",
    // It would print queries, and they hold what people search for.
    log: { level: ClickHouseLogLevel.OFF },
    request_timeout: requestTimeoutMs,
    max_open_connections: 4,
    // Rules can be longer than an address may be.
    use_multipart_params_auto: true,
    keep_alive: { enabled: true, idle_socket_ttl: 1_500 },
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0, mutations_sync: "1" },
  });
  const ask = async (
    query: string,
    params: Record<string, unknown>,
    {
      settings = {},
      id,
      sent,
    }: { settings?: Record<string, number | string>; id?: string | undefined; sent?: SentTables | undefined },
  ): Promise<{ rows: number; body: Buffer }> => {
    const { settings: ofTables = {}, ...along } = sent === undefined ? {} : sentTables(sent);
    const { stream, response_headers: headers } = await client.exec({
      ...{ query, query_params: params, ...along, ...(id === undefined ? {} : { query_id: id }) },
      // The answer is whole or an error, and its head says how many rows it has.
      clickhouse_settings: { ...settings, ...ofTables, wait_end_of_query: 1 },
    });
    const body = await buffer(stream);
    const { result_rows: rows = "0" } = JSON.parse(String(headers["x-clickhouse-summary"] ?? "{}")) as {
      result_rows?: string;
    };
    return { rows: Number(rows), body };
  };
  return {
    rows: async <T>(query: string, params: Record<string, unknown> = {}, sent?: SentTables) => {
      if (sent === undefined) {
        const result = await client.query({ query, query_params: params, format: "JSONEachRow" });
        return result.json<T>();
      }
      const { body } = await ask(`${query} FORMAT JSONEachRow`, params, { sent });
      return body
        .toString()
        .split("\n")
        .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as T]));
    },
    command: async (query, params = {}, { id, sent } = {}) => {
      if (sent !== undefined) await ask(query, params, { id, sent });
      else await client.command({ query, query_params: params, ...(id === undefined ? {} : { query_id: id }) });
    },
    file: (query, params, settings, sent) => ask(query, params, { settings, sent }),
    insert: async (table, rows) => {
      if (rows.length > 0) await client.insert({ table, values: rows, format: "JSONEachRow" });
    },
    close: () => client.close(),
  };
};
