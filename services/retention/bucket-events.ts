/** What ClickHouse reads of a bucket's objects, and makes of them. The objects are named one by one. */
import { Fault, type KeySource, type Outgoing } from "@astralog/chassis";
import { createBinder } from "@astralog/schemas/query/index";
import { archiveColumnNames, archiveTableSql, type StorageConnection } from "@astralog/schemas/storage";
import type { ClickHouse } from "./clickhouse.ts";

const namesAtOnce = 500;

type Params = Record<string, unknown>;

export interface Counted {
  readonly events: number;
  readonly found: number;
  readonly held: number;
}

export interface Span {
  /** Days of receipt, since the epoch. */
  readonly first: number;
  readonly last: number;
  readonly events: number;
}

export interface BucketEvents {
  /** How long what is in each of these has been there. */
  spans(names: readonly string[]): Promise<Map<string, Span>>;
  /** By object; objects that hold none of either are left out. */
  count(names: readonly string[], found: string, held: string, params: Params): Promise<Map<string, Counted>>;
  /** A table expression over these objects, for statements of others, with the parameters that it needs. */
  table(names: readonly string[]): Promise<{ sql: string; params: Params }>;
  /** One object of all events of these that the condition does not find. Undefined when none is left. */
  without(
    names: readonly string[],
    found: string,
    params: Params,
  ): Promise<{ events: number; body: Buffer } | undefined>;
  /** One object of all events of these, those that the condition finds with these columns instead of their own. */
  changed(
    names: readonly string[],
    found: string,
    columns: Readonly<Record<string, string>>,
    params: Params,
  ): Promise<{ events: number; body: Buffer } | undefined>;
}

/** An object in a condition's way has as many rows as this in one row group, as those of the archive have. */
const parquet = {
  output_format_parquet_compression_method: "zstd",
  output_format_parquet_row_group_size: "65536",
  max_execution_time: 600,
};

export const createBucketEvents = (deps: {
  clickhouse: ClickHouse;
  connection: StorageConnection;
  keys: KeySource;
  outgoing: Pick<Outgoing, "judge">;
}): BucketEvents => {
  const { clickhouse, connection, keys } = deps;

  const table: BucketEvents["table"] = async (names) => {
    // ClickHouse resolves the name again: it must not reach by it what ours may not.
    await deps.outgoing.judge(connection.endpoint);
    const { params, bind } = createBinder("o");
    return { sql: archiveTableSql(connection, await keys(), names, bind), params };
  };
  const name = "substring(_path, position(_path, 'events/day='))";
  /** Words of ClickHouse's about a bucket name it and the key's id. */
  const asFault = (error: unknown): never => {
    const type = (error as { type?: string }).type ?? "";
    if (/^(?:S3_ERROR|NETWORK_ERROR|SOCKET_TIMEOUT|DNS_ERROR|FILE_DOESNT_EXIST)$/.test(type))
      throw new Fault("storage_failed", "The bucket's server did not give ClickHouse what it asked for.", {
        retriable: true,
        cause: error,
      });
    throw error;
  };

  /** Some at a time: a list that is cut in two has no names of objects any more. */
  const each = async <T>(
    names: readonly string[],
    query: (from: string) => string,
    given: Params = {},
  ): Promise<T[]> => {
    const rows: T[] = [];
    for (let at = 0; at < names.length; at += namesAtOnce) {
      const { sql, params } = await table(names.slice(at, at + namesAtOnce));
      rows.push(...(await clickhouse.rows<T>(query(sql), { ...given, ...params }).catch(asFault)));
    }
    return rows;
  };

  /** An object of what stands behind FROM; its rows are counted before. */
  const make = async (from: string, params: Params, shown: readonly string[] = archiveColumnNames) => {
    const [expected] = await clickhouse.rows<{ n: number }>(`SELECT count() AS n FROM ${from}`, params).catch(asFault);
    const { rows, body } = await clickhouse
      .file(
        `SELECT ${shown.join(", ")} FROM ${from} ORDER BY timestamp, topic, partition, offset, idx FORMAT Parquet`,
        ...([params, parquet] as const),
      )
      .catch(asFault);
    if (rows !== expected?.n)
      throw new Fault("storage_failed", `An object would have ${rows} events instead of ${expected?.n}.`, {
        retriable: true,
      });
    return rows === 0 ? undefined : { events: rows, body };
  };

  return {
    table,
    spans: async (names) => {
      const rows = await each<{ name: string } & Span>(
        names,
        (from) => `SELECT ${name} AS name, toUInt32(toDate(min(received_at))) AS first,
          toUInt32(toDate(max(received_at))) AS last, count() AS events FROM ${from} GROUP BY name`,
      );
      return new Map(rows.map(({ name: one, ...span }) => [one, span]));
    },
    count: async (names, found, held, given) => {
      const rows = await each<{ name: string } & Counted>(
        names,
        (from) => `SELECT ${name} AS name, count() AS events, countIf((${found}) AND NOT (${held})) AS found,
          countIf((${found}) AND (${held})) AS held FROM ${from} GROUP BY name HAVING found > 0 OR held > 0`,
        given,
      );
      return new Map(rows.map(({ name: one, ...counted }) => [one, counted]));
    },
    without: async (names, found, given) => {
      const { sql, params } = await table(names);
      return make(`${sql} WHERE NOT (${found})`, { ...given, ...params });
    },
    changed: async (names, found, columns, given) => {
      const { sql, params } = await table(names);
      // Each is made of what was there, and not of what another has been made into.
      const made = Object.entries(columns).map(
        ([column, value]) => `if(${found}, ${value}, ${column}) AS new_${column}`,
      );
      const shown = archiveColumnNames.map((column) =>
        columns[column] === undefined ? column : `new_${column} AS ${column}`,
      );
      return make(`(SELECT *, ${made.join(", ")} FROM ${sql})`, { ...given, ...params }, shown);
    },
  };
};
