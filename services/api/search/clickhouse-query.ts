/** Runs one query for a tenant or for the ledger and turns the server's refusals into Faults. */
import { buffer } from "node:stream/consumers";
import { Fault, type SentTables, sentTables } from "@astralog/chassis";
import { tenantHeader } from "@astralog/schemas/clickhouse";
import { ClickHouseError, type ResponseJSON } from "@clickhouse/client";
import type { ClickHouseClient } from "../clickhouse.ts";
import type { ApiMetrics } from "../metrics.ts";
import type { OwnServers } from "../storage/own-servers.ts";
import type { Admission } from "./admission.ts";
import type { Sql } from "./scope.ts";

export interface QueryStats {
  /** Rows and bytes read. */
  readonly rows: number;
  readonly bytes: number;
  /** Milliseconds, as the server says. */
  readonly ms: number;
}

export interface Answer<Row> {
  readonly rows: Row[];
  readonly stats: QueryStats;
}

export interface RunOptions {
  /** The query's name in metrics. */
  readonly name: string;
  readonly seconds: number;
  readonly signal?: AbortSignal | undefined;
  /** What Astralog itself has is asked, although the tenant's events are kept on a server of its own. */
  readonly here?: boolean | undefined;
  /** Rows it may read; the server's own limit when left out. */
  readonly maxRows?: number | undefined;
  /** Tables that go along. */
  readonly sent?: SentTables | undefined;
}

export interface ClickHouseQueries {
  /**
   * May name the views tenant_events and tenant_batches, and sees the tenant's rows whatever the SQL says. Events are asked for
   * where the tenant has them kept. Faults: `query_too_expensive`, `busy`, `clickhouse_unavailable`; of a server of its own
   * `storage_failed`, `storage_refused`.
   */
  forTenant<Row>(tenant: string, sql: Sql, options: RunOptions): Promise<Answer<Row>>;
  /** Reads the table function of a bucket, or what goes along, and nothing of ours. Same Faults, and `object_gone`, `storage_failed`, `storage_refused`. */
  forBucket<Row>(tenant: string, sql: Sql, options: RunOptions): Promise<Answer<Row>>;
  /** Sees every row. Same Faults. */
  forLedger<Row>(sql: Sql, options: RunOptions): Promise<Answer<Row>>;
}

export const createQueries = (deps: {
  query: ClickHouseClient;
  bucket?: ClickHouseClient | undefined;
  ledger: ClickHouseClient;
  metrics: ApiMetrics;
  admission: Admission;
  maxRows: number;
  /** Where a tenant's events are kept instead. */
  own?: Pick<OwnServers, "home" | "ask">;
}): ClickHouseQueries => {
  const run = async <Row>(
    client: ClickHouseClient,
    sql: Sql,
    options: RunOptions,
    headers: Record<string, string> = {},
  ): Promise<Answer<Row>> => {
    const ask = async (): Promise<ResponseJSON<Row>> => {
      const { settings: ofTables = {}, ...along } = options.sent === undefined ? {} : sentTables(options.sent);
      const asked = {
        ...{ query: sql.query, query_params: { ...sql.params } },
        ...(options.signal === undefined ? {} : { abort_signal: options.signal }),
        clickhouse_settings: {
          ...ofTables,
          max_execution_time: options.seconds,
          ...(options.maxRows === undefined ? {} : { max_rows_to_read: String(options.maxRows) }),
          // A search that nobody waits for any more ends in the server too.
          cancel_http_readonly_queries_on_client_close: 1 as const,
        },
        http_headers: headers,
      };
      if (options.sent === undefined) return (await client.query({ ...asked, format: "JSONCompact" })).json<Row>();
      const { stream } = await client.exec({ ...asked, ...along, query: `${sql.query} FORMAT JSONCompact` });
      return JSON.parse((await buffer(stream)).toString()) as ResponseJSON<Row>;
    };
    const begun = performance.now();
    try {
      const answer = await ask().catch((error: unknown) => {
        if (!wasCut(error) || performance.now() - begun > cutMs) throw error;
        return ask();
      });
      const { elapsed = 0, rows_read: rows = 0, bytes_read: bytes = 0 } = answer.statistics ?? {};
      deps.metrics.querySeconds.observe({ query: options.name }, elapsed);
      deps.metrics.rowsRead.inc({ query: options.name }, rows);
      deps.metrics.bytesRead.inc({ query: options.name }, bytes);
      return { rows: answer.data, stats: { rows, bytes, ms: Math.round(elapsed * 1000) } };
    } catch (error) {
      throw asFault(error, options);
    }
  };
  return {
    forTenant: async (tenant, sql, options) => {
      const { own } = deps;
      const home = options.here === true || !sql.query.includes("tenant_events") ? undefined : own?.home(tenant);
      if (own !== undefined && home !== undefined) return own.ask(home, sql, options);
      const leave = await deps.admission.enter(tenant, options.signal);
      try {
        return await run(deps.query, sql, { maxRows: deps.maxRows, ...options }, { [tenantHeader]: tenant });
      } finally {
        leave();
      }
    },
    forBucket: async (tenant, sql, options) => {
      const { bucket } = deps;
      if (bucket === undefined)
        throw new Fault(
          "bucket_search_unavailable",
          "This installation searches no buckets: CLICKHOUSE_BUCKET_PASSWORD of the api is not set.",
        );
      const leave = await deps.admission.enter(tenant, options.signal);
      try {
        return await run(bucket, sql, { maxRows: deps.maxRows, ...options });
      } finally {
        leave();
      }
    },
    forLedger: (sql, options) => run(deps.ledger, sql, options),
  };
};

/**
 * A server may close a kept connection in the very moment it is used again: then the query is asked once more, for reading
 * twice harms nothing. A later cut may have another cause, and would cost as much again.
 */
const cutMs = 500;
const wasCut = (error: unknown): boolean =>
  error instanceof Error && ["ECONNRESET", "EPIPE"].includes((error as NodeJS.ErrnoException).code ?? "");

export const asFault = (
  error: unknown,
  { seconds, maxRows = 0, signal }: Pick<RunOptions, "seconds" | "maxRows" | "signal">,
): unknown => {
  // Nobody reads this; it keeps a closed tab from looking like a failure of ours.
  if (signal?.aborted === true) return new Fault("caller_gone", "The caller hung up.", { cause: error });
  if (!(error instanceof ClickHouseError)) {
    return new Fault("clickhouse_unavailable", "The storage does not answer; ingest goes on.", {
      retriable: true,
      cause: error,
    });
  }
  const narrower = "Choose a shorter time range, or add a field such as service: to the query.";
  switch (error.type) {
    case "TIMEOUT_EXCEEDED":
    case "TOO_SLOW":
      return new Fault(
        "query_too_expensive",
        `It took longer than ${seconds} s, which is the limit of one query. ${narrower}`,
        { cause: error },
      );
    case "TOO_MANY_ROWS":
      return new Fault(
        "query_too_expensive",
        `It would read more than ${maxRows.toLocaleString("en")} rows, which is the limit of one query. ${narrower}`,
        { cause: error },
      );
    case "MEMORY_LIMIT_EXCEEDED":
      return new Fault(
        "query_too_expensive",
        `It needs more memory than one query may have. Group by fewer or less varied fields. ${narrower}`,
        { cause: error },
      );
    case "TOO_MANY_BYTES":
    case "TOO_MANY_ROWS_OR_BYTES":
      return new Fault(
        "query_too_expensive",
        `Its answer is larger than one answer may be. Ask for less with | limit. ${narrower}`,
        {
          cause: error,
        },
      );
    // Its words name the bucket and the key's id, so only what they mean is told.
    case "S3_ERROR":
    case "NETWORK_ERROR":
    case "SOCKET_TIMEOUT":
    case "DNS_ERROR":
    case "FILE_DOESNT_EXIST":
      return bucketFault(error);
    case "INCORRECT_DATA":
    case "CANNOT_PARSE_INPUT_ASSERTION_FAILED":
      return new Fault("storage_refused", `An object in it is no Parquet of ours (${error.type}).`, { cause: error });
    case "TOO_MANY_SIMULTANEOUS_QUERIES":
      return new Fault("busy", "Too many queries run at once; try again in a second.", {
        retriable: true,
        cause: error,
      });
    default:
      // The server's words repeat the query and with it what the user searched for, so they do not reach the log.
      return new Error(`ClickHouse refused a query: ${error.type} (${error.code})`);
  }
};

const bucketFault = (error: ClickHouseError): Fault => {
  if (/NoSuchKey|NO_SUCH_KEY|RESOURCE_NOT_FOUND|HTTP response code: 404|does ?n.t exist/i.test(error.message))
    return new Fault("object_gone", "An object of the bucket is gone.", { retriable: true, cause: error });
  if (/AccessDenied|ACCESS_DENIED|HTTP response code: 403/.test(error.message))
    return new Fault("storage_refused", "The bucket's server refused to get an object: AccessDenied.", {
      cause: error,
    });
  return new Fault("storage_failed", "The bucket's server did not give ClickHouse what it asked for.", {
    retriable: true,
    cause: error,
  });
};
