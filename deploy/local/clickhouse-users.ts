/**
 * Who may do what in the embedded ClickHouse. The embedded engine takes users from a file only, so this table is
 * written out as users.xml before each start; a cluster gets the same rights by SQL (docs/clickhouse-users.sql).
 */
export interface ClickHouseUser {
  readonly name: string;
  readonly profile: "default" | "query" | "ledger";
  readonly grants: readonly string[];
  /** Table -> the condition its rows must meet for this user. */
  readonly rows?: Readonly<Record<string, string>>;
}

/** Tables that hold one tenant's rows beside another's. */
const tenantTables = ["events", "batches", "dead_letters"] as const;

/** The custom setting that carries the tenant of a query; without it the filter fails and no row is seen. */
export const tenantSetting = "log_comment";

export const clickhouseUsers = (database: string): readonly ClickHouseUser[] => [
  { name: "astralog_admin", profile: "default", grants: ["GRANT ALL ON *.*"] },
  {
    name: "astralog_sink",
    profile: "default",
    grants: [
      ...tenantTables.map((table) => `GRANT SELECT, INSERT ON ${database}.${table}`),
      "GRANT SELECT ON system.processes",
      "GRANT KILL QUERY ON *.*",
    ],
  },
  {
    name: "astralog_query",
    profile: "query",
    grants: tenantTables.map((table) => `GRANT SELECT ON ${database}.${table}`),
    rows: Object.fromEntries(tenantTables.map((table) => [table, `tenant = getSetting('${tenantSetting}')`])),
  },
  {
    name: "astralog_ledger",
    profile: "ledger",
    grants: tenantTables.map((table) => `GRANT SELECT ON ${database}.${table}`),
  },
];

/** Limits of the profiles that read for people. Settings named in `changeable` may be chosen per request, none else. */
export const clickhouseProfiles: Readonly<
  Record<ClickHouseUser["profile"], { settings: Readonly<Record<string, number>>; changeable: readonly string[] }>
> = {
  default: { settings: {}, changeable: [] },
  query: {
    settings: {
      readonly: 1,
      max_execution_time: 30,
      max_memory_usage: 4_000_000_000,
      max_result_rows: 1_000_000,
      max_concurrent_queries_for_user: 32,
    },
    changeable: [
      tenantSetting,
      "max_execution_time",
      "max_threads",
      "enable_http_compression",
      "send_progress_in_http_headers",
      "http_headers_progress_interval_ms",
      "output_format_json_quote_64bit_integers",
      "date_time_output_format",
      "cancel_http_readonly_queries_on_client_close",
    ],
  },
  ledger: {
    settings: { readonly: 1, max_execution_time: 300, max_memory_usage: 4_000_000_000 },
    changeable: [
      "max_execution_time",
      "max_threads",
      "enable_http_compression",
      "send_progress_in_http_headers",
      "http_headers_progress_interval_ms",
      "output_format_json_quote_64bit_integers",
      "date_time_output_format",
      "cancel_http_readonly_queries_on_client_close",
    ],
  },
};
