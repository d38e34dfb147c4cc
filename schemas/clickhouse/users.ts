/**
 * Who may do what in ClickHouse, as data. The embedded server gets it as users.xml (deploy/local), a server of one's own
 * as the SQL that `usersSql` writes. A right that is not written here does not exist.
 */
import { databaseName } from "./migrate.ts";

export const clickhouseUserNames = [
  "astralog_admin",
  "astralog_sink",
  "astralog_archive",
  "astralog_reader",
  "astralog_query",
  "astralog_export",
  "astralog_bucket",
  "astralog_ledger",
  "astralog_retention",
  "astralog_backup",
] as const;
export type ClickHouseUserName = (typeof clickhouseUserNames)[number];
export type ClickHouseProfileName =
  | "admin"
  | "sink"
  | "archive"
  | "query"
  | "export"
  | "bucket"
  | "ledger"
  | "retention"
  | "backup";

export interface ClickHouseUser {
  readonly name: ClickHouseUserName;
  readonly about: string;
  readonly profile: ClickHouseProfileName;
  /** Without the `TO user`. */
  readonly grants: readonly string[];
  /** Table -> the condition its rows must meet for this user. */
  readonly rows?: Readonly<Record<string, string>>;
  /** False: nobody may connect as this user; views run as it. */
  readonly login: boolean;
}

/** The request header that names the tenant of a query. */
export const tenantHeader = "X-Astralog-Tenant";

/** Poison batches have an empty tenant, and so has a request without the header: neither may see the other. */
const ownRows = `tenant != '' AND tenant = getClientHTTPHeader('${tenantHeader}')`;

export const clickhouseUsers = (database: string): readonly ClickHouseUser[] => {
  const on = (right: string, ...tables: string[]) =>
    tables.map((table) => `GRANT ${right} ON ${databaseName(database)}.${table}`);
  return [
    {
      name: "astralog_admin",
      about: "Migrations and operators.",
      profile: "admin",
      grants: ["GRANT ALL ON *.*"],
      login: true,
    },
    {
      name: "astralog_sink",
      about: "Writes events, the ledger and dead letters; ends its own inserts that hang.",
      profile: "sink",
      grants: [
        ...on("SELECT, INSERT", "events", "batches", "dead_letters", "sink_claims"),
        "GRANT SELECT ON system.processes",
      ],
      login: true,
    },
    {
      name: "astralog_archive",
      about: "Turns what is sent with a query into Parquet; sees no table.",
      profile: "archive",
      grants: [],
      login: true,
    },
    {
      name: "astralog_reader",
      about: "What the tenant views run as.",
      profile: "query",
      grants: on("SELECT", "events", "batches"),
      rows: { events: ownRows, batches: ownRows },
      login: false,
    },
    {
      name: "astralog_query",
      about: "Search on behalf of one tenant, by the views alone.",
      profile: "query",
      grants: on("SELECT", "tenant_events", "tenant_batches"),
      login: true,
    },
    {
      name: "astralog_export",
      about: "Exports on behalf of one tenant, by the same views: as much as there is, for as long as it takes.",
      profile: "export",
      grants: on("SELECT", "tenant_events"),
      login: true,
    },
    {
      name: "astralog_bucket",
      about: "Searches tenants' own buckets in place; sees no table.",
      profile: "bucket",
      grants: ["GRANT READ ON S3", "GRANT CREATE TEMPORARY TABLE ON *.*"],
      login: true,
    },
    {
      name: "astralog_ledger",
      about: "Reads across tenants, for verify and operators.",
      profile: "ledger",
      grants: on("SELECT", "events", "batches", "dead_letters", "removals", "sweeps", "deletion_steps"),
      login: true,
    },
    {
      name: "astralog_retention",
      about: "Removes what is past its time or was asked to be deleted, and writes down what it removed.",
      profile: "retention",
      grants: [
        ...on("SELECT, ALTER DELETE", "events", "dead_letters"),
        // Fields that go before their event does, and no others.
        ...on("ALTER UPDATE(message, host, trace_id, span_id, attribute_types, attributes)", "events"),
        // What is brought back from a tenant's bucket.
        ...on("INSERT", "events"),
        "GRANT SELECT ON system.processes",
        ...on("SELECT", "batches"),
        ...on("SELECT, INSERT", "removals", "sweeps", "deletion_steps"),
        "GRANT READ ON S3",
        "GRANT CREATE TEMPORARY TABLE ON *.*",
      ],
      login: true,
    },
    {
      name: "astralog_backup",
      about: "Reads all that a backup holds, and which parts it is in.",
      profile: "backup",
      grants: [
        ...on(
          "SELECT",
          "events",
          "batches",
          "dead_letters",
          "removals",
          "sweeps",
          "deletion_steps",
          "schema_migrations",
        ),
        "GRANT SELECT ON system.parts",
        "GRANT SELECT ON system.columns",
      ],
      login: true,
    },
  ];
};

export interface ClickHouseProfile {
  readonly settings: Readonly<Record<string, number>>;
  /**
   * Settings that a request may choose although it is read-only, from 1 to the most it may ask for (0 would mean no
   * limit); null is any value.
   */
  readonly changeable: Readonly<Record<string, number | null>>;
}

// What clients set to read an answer, none of which shows or spends more.
const forAnswers = {
  enable_http_compression: null,
  send_progress_in_http_headers: null,
  http_headers_progress_interval_ms: null,
  output_format_json_quote_64bit_integers: null,
  date_time_output_format: null,
  cancel_http_readonly_queries_on_client_close: null,
};

// What holds for whoever asks on behalf of one tenant.
const forTenants = {
  readonly: 1,
  allow_get_client_http_header: 1,
  // Through a view, rewriting mapValues(attributes) to a subcolumn hides it from the bloom filters.
  optimize_functions_to_subcolumns: 0,
  max_memory_usage: 2_000_000_000,
  max_bytes_before_external_group_by: 500_000_000,
  max_bytes_before_external_sort: 500_000_000,
  function_sleep_max_microseconds_per_block: 1,
  allow_introspection_functions: 0,
  cancel_http_readonly_queries_on_client_close: 1,
};

// A search shows a hundred rows from all over a table. With the usual buffers of 128 KiB it read 44 MB of files to find 90.
const forScatteredRows = {
  max_read_buffer_size: 16_384,
  max_read_buffer_size_local_fs: 16_384,
  use_text_index_postings_cache: 1,
};

// Such queries name customers' keys, so not even their masked text is kept. Names of days and sources find objects, and are
// no columns. That a server does not answer is told soon.
const forBuckets = {
  log_queries: 0,
  use_hive_partitioning: 0,
  s3_max_redirects: 1,
  s3_retry_attempts: 1,
  s3_connect_timeout_ms: 3_000,
  s3_request_timeout_ms: 6_000,
};

export const clickhouseProfiles: Readonly<Record<ClickHouseProfileName, ClickHouseProfile>> = {
  admin: { settings: {}, changeable: {} },
  sink: { settings: { max_memory_usage: 4_000_000_000 }, changeable: {} },
  archive: { settings: { max_memory_usage: 4_000_000_000, max_threads: 2 }, changeable: {} },
  query: {
    settings: {
      ...forTenants,
      ...forScatteredRows,
      max_execution_time: 30,
      max_result_rows: 100_000,
      max_result_bytes: 256_000_000,
      max_concurrent_queries_for_user: 64,
    },
    changeable: {
      ...forAnswers,
      max_execution_time: 30,
      max_result_rows: 100_000,
      max_rows_to_read: 100_000_000_000,
    },
  },
  // Its answers are streamed, so only time and company bound them.
  export: {
    settings: {
      ...forTenants,
      max_execution_time: 3_600,
      max_result_rows: 0,
      max_result_bytes: 0,
      max_concurrent_queries_for_user: 16,
    },
    changeable: { ...forAnswers, max_execution_time: 3_600 },
  },
  // What only reads may not name a table function; this user may read nothing else, and write nowhere.
  bucket: {
    settings: {
      ...forTenants,
      readonly: 2,
      max_execution_time: 30,
      max_result_rows: 100_000,
      max_result_bytes: 256_000_000,
      max_concurrent_queries_for_user: 16,
      ...forBuckets,
    },
    changeable: {
      ...forAnswers,
      max_execution_time: 30,
      max_result_rows: 100_000,
      max_rows_to_read: 100_000_000_000,
    },
  },
  ledger: {
    settings: {
      readonly: 1,
      max_execution_time: 300,
      max_memory_usage: 4_000_000_000,
      cancel_http_readonly_queries_on_client_close: 1,
    },
    changeable: { ...forAnswers, max_execution_time: 300 },
  },
  // It looks through all there is, and must not be felt.
  retention: {
    settings: { max_threads: 1, max_memory_usage: 4_000_000_000, priority: 10, ...forBuckets },
    changeable: {},
  },
  // It reads all there is, and must not be felt. Answers are compressed and whole before they are sent.
  backup: {
    settings: { readonly: 2, max_threads: 2, max_memory_usage: 4_000_000_000, priority: 10 },
    changeable: {},
  },
};

const settings = ({ settings, changeable }: ClickHouseProfile): string => {
  const limits = Object.entries(changeable).map(
    ([name, max]) => `${name}${max === null ? "" : ` MIN 1 MAX ${max}`} CHANGEABLE_IN_READONLY`,
  );
  return [...Object.entries(settings).map(([name, value]) => `${name} = ${value}`), ...limits].join(", ");
};

/**
 * The same rights as SQL statements for a server that keeps users itself, to be run by one who may manage access.
 * `sha256Of` gives a user's password hash in hex. Run it before the migrations: the views name astralog_reader.
 */
export const usersSql = (database: string, sha256Of: (user: ClickHouseUserName) => string): string[] =>
  clickhouseUsers(database).flatMap(({ name, profile, grants, rows, login }) => [
    ...(Object.keys(clickhouseProfiles[profile].settings).length === 0
      ? []
      : [`CREATE SETTINGS PROFILE OR REPLACE astralog_${profile} SETTINGS ${settings(clickhouseProfiles[profile])}`]),
    login
      ? `CREATE USER OR REPLACE ${name} IDENTIFIED WITH sha256_hash BY '${sha256Of(name).replace(/[^0-9a-f]/g, "")}'${profileOf(profile)}`
      : `CREATE USER OR REPLACE ${name} NOT IDENTIFIED HOST NONE${profileOf(profile)}`,
    ...grants.map((grant) => `${grant} TO ${name}`),
    ...Object.entries(rows ?? {}).flatMap(([table, filter]) => [
      // A restrictive policy alone shows nothing; the permissive one beneath it lets it decide.
      `CREATE ROW POLICY OR REPLACE ${name}_all ON ${database}.${table} USING 1 AS PERMISSIVE TO ${name}`,
      `CREATE ROW POLICY OR REPLACE ${name}_own ON ${database}.${table} USING ${filter} AS RESTRICTIVE TO ${name}`,
      `CREATE ROW POLICY OR REPLACE ${name}_others ON ${database}.${table} USING 1 AS PERMISSIVE TO ALL EXCEPT ${name}`,
    ]),
  ]);

const profileOf = (profile: ClickHouseProfileName): string =>
  Object.keys(clickhouseProfiles[profile].settings).length === 0 ? "" : ` SETTINGS PROFILE 'astralog_${profile}'`;
