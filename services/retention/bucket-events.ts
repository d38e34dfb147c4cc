/**
 * What ClickHouse reads of a bucket's objects, and makes of them. The objects are named one by one. Those that were encrypted
 * here it cannot read: they go along with each statement, some at a time, and are nowhere afterwards.
 */
import { type Bucket, Fault, type KeySource, type Outgoing, type SentTables } from "@astralog/chassis";
import { createBinder } from "@astralog/schemas/query/index";
import { archiveColumnNames, archiveTableSql, type StorageConnection, sentTablesSql } from "@astralog/schemas/storage";
import type { ClickHouse } from "./clickhouse.ts";

const namesAtOnce = 500;
/** Of Parquet that is sent at once: ClickHouse has it unpacked in memory, a dozen times as large, and twice that to order it. */
export const sentBytes = 32 * 2 ** 20;
const sentNames = 100;

type Params = Record<string, unknown>;

interface How {
  readonly together?: boolean;
  readonly naming?: string | undefined;
}

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

/** A table expression over objects, with what it needs. */
export interface From {
  readonly sql: string;
  readonly params: Params;
  readonly sent?: SentTables | undefined;
}

export interface BucketEvents {
  /** How long what is in each of these has been there. */
  spans(names: readonly string[]): Promise<Map<string, Span>>;
  /** By object; objects that hold none of either are left out. */
  count(names: readonly string[], found: string, held: string, params: Params): Promise<Map<string, Counted>>;
  /** For statements of others: calls `work` with these objects, some at a time. */
  each(names: readonly string[], work: (from: From) => Promise<void>): Promise<void>;
  /** One object of all events of these that the condition does not find. Undefined when none is left. */
  without(
    names: readonly string[],
    found: string,
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
  bucket: Pick<Bucket, "get">;
  connection: StorageConnection;
  keys: KeySource;
  outgoing: Pick<Outgoing, "judge">;
}): BucketEvents => {
  const { clickhouse, connection, keys } = deps;
  const encrypted = connection.client_encryption === true;

  const inPlace = async (names: readonly string[]): Promise<From> => {
    // ClickHouse resolves the name again: it must not reach by it what ours may not.
    await deps.outgoing.judge(connection.endpoint);
    const { params, bind } = createBinder("o");
    return { sql: archiveTableSql(connection, await keys(), names, bind), params };
  };

  const get = async (name: string): Promise<Buffer> => {
    const found = await deps.bucket.get(name);
    if (found === undefined)
      throw new Fault("storage_failed", "An object that was listed is gone.", { retriable: true });
    return found;
  };
  const sentAs = (names: readonly string[], bodies: readonly Buffer[], naming?: string): From => {
    const { params, bind } = createBinder("o");
    const { sql, tables, columns } = sentTablesSql(names, bind, naming);
    const sent = tables.flatMap((table, i) => {
      const parquet = bodies[i];
      return parquet === undefined ? [] : [{ table, parquet }];
    });
    return { sql, params, sent: { tables: sent, columns } };
  };

  /** Some objects at a time, and all where they are `together`. `naming`: the columns that a statement names. */
  async function* tables(names: readonly string[], { together = false, naming }: How = {}): AsyncGenerator<From> {
    if (!encrypted) {
      const most = together ? names.length : namesAtOnce;
      for (let at = 0; at < names.length; at += most) yield await inPlace(names.slice(at, at + most));
      return;
    }
    let mine: string[] = [];
    let bodies: Buffer[] = [];
    let bytes = 0;
    for (const [i, name] of names.entries()) {
      const body = await get(name);
      mine.push(name);
      bodies.push(body);
      bytes += body.length;
      const full = mine.length >= sentNames || bytes >= sentBytes;
      if (i < names.length - 1 && (together || !full)) continue;
      yield sentAs(mine, bodies, naming);
      [mine, bodies, bytes] = [[], [], 0];
    }
  }
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
    for await (const { sql, params, sent } of tables(names, { naming: query("") }))
      rows.push(...(await clickhouse.rows<T>(query(sql), { ...given, ...params }, sent).catch(asFault)));
    return rows;
  };

  return {
    each: async (names, work) => {
      for await (const from of tables(names)) await work(from);
    },
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
      const { value: from } = await tables(names, { together: true }).next();
      if (from === undefined) return undefined;
      const { sql, params, sent } = from;
      const all = { ...given, ...params };
      const [expected] = await clickhouse
        .rows<{ n: number }>(`SELECT countIf(NOT (${found})) AS n FROM ${sql}`, all, sent)
        .catch(asFault);
      const { rows, body } = await clickhouse
        .file(
          `SELECT ${archiveColumnNames.join(", ")} FROM ${sql} WHERE NOT (${found})
           ORDER BY timestamp, topic, partition, offset, idx FORMAT Parquet`,
          ...([all, parquet, sent] as const),
        )
        .catch(asFault);
      if (rows !== expected?.n)
        throw new Fault("storage_failed", `An object would have ${rows} events instead of ${expected?.n}.`, {
          retriable: true,
        });
      return rows === 0 ? undefined : { events: rows, body };
    },
  };
};
