/** What is stored, by source and day of receipt, and what sweeps have found. */
import { createBinder } from "@astralog/schemas/query/index";
import { notRehydratedSql } from "@astralog/schemas/retention/index";
import type { ClickHouseQueries } from "../search/clickhouse-query.ts";
import { type Owner, ownerSql, type Sql } from "../search/scope.ts";

export interface StoredDay {
  readonly source: string;
  /** Of receipt, days since the epoch. */
  readonly day: number;
  readonly events: number;
}

/** One look at a place. How much of others was seen or removed is not told. */
export interface Look {
  readonly place: string;
  /** Of all organizations: past its time and still there. */
  readonly overdue: number;
  /** Of this organization. */
  readonly removed: number;
  readonly detail: string;
  readonly began_at: string;
  readonly ended_at: string;
}

const seconds = 20;
const time = (column: string): string => `formatDateTime(${column}, '%Y-%m-%dT%H:%i:%S.%fZ', 'UTC')`;

type Row = [place: string, overdue: string, removed: string, detail: string, began: string, ended: string];

const looksOf = (rows: readonly Row[]): Look[] =>
  rows.map(([place, overdue, removed, detail, began_at, ended_at]) => ({
    ...{ place, overdue: Number(overdue), removed: Number(removed), detail, began_at, ended_at },
  }));

export const createKeptQueries = (queries: ClickHouseQueries) => {
  const run = async (sql: Sql): Promise<Row[]> => (await queries.forLedger<Row>(sql, { name: "sweeps", seconds })).rows;
  return {
    /** Without what was brought back from buckets for a while. */
    stored: async (owner: Owner): Promise<StoredDay[]> => {
      const { params, bind } = createBinder();
      const query = `SELECT source, toUInt32(toDate(received_at)) AS day, toString(count()) FROM tenant_events
WHERE ${ownerSql(owner, bind)} AND ${notRehydratedSql} GROUP BY source, day ORDER BY source, day LIMIT 50000`;
      const { rows } = await queries.forTenant<[string, number, string]>(
        owner.tenant,
        { query, params },
        { name: "kept", seconds },
      );
      return rows.map(([source, day, events]) => ({ source, day, events: Number(events) }));
    },

    /** Bytes of an event as it is stored, encoded and not compressed, on average; by source. */
    sizes: async (owner: Owner): Promise<Map<string, number>> => {
      const { params, bind } = createBinder();
      const query = `SELECT source, sum(bytes) / greatest(1, sumIf(stored, bytes > 0)) FROM tenant_batches
WHERE ${ownerSql(owner, bind)} GROUP BY source`;
      const { rows } = await queries.forTenant<[string, number]>(
        owner.tenant,
        { query, params },
        { name: "kept_sizes", seconds },
      );
      return new Map(rows.map(([source, bytes]) => [source, Number(bytes)]));
    },

    letters: async (owner: Owner): Promise<number> => {
      const { params, bind } = createBinder();
      const query = `SELECT toString(count()) FROM dead_letters FINAL WHERE ${ownerSql(owner, bind)}`;
      const { rows } = await queries.forLedger<[string]>({ query, params }, { name: "kept_letters", seconds });
      return Number(rows[0]?.[0] ?? 0);
    },

    /** The last look at each place. */
    looks: async (tenant: string): Promise<Look[]> => {
      const { params, bind } = createBinder();
      const query = `SELECT place, toString(argMaxIf(overdue, began_at, tenant = '')), toString(sumIf(removed, tenant != '' AND sweep = last)),
argMaxIf(detail, began_at, tenant = ''), ${time("maxIf(began_at, tenant = '')")}, ${time("maxIf(ended_at, tenant = '')")}
FROM sweeps INNER JOIN (SELECT place, argMax(sweep, began_at) AS last FROM sweeps WHERE tenant = '' GROUP BY place) AS newest USING (place)
WHERE tenant IN ('', ${bind("String", tenant)}) GROUP BY place ORDER BY place`;
      return looksOf(await run({ query, params }));
    },

    /** Those that removed something of the organization's, newest first. */
    removals: async (tenant: string, limit: number): Promise<Look[]> => {
      const { params, bind } = createBinder();
      const query = `SELECT place, '0', toString(removed), detail, ${time("began_at")}, ${time("ended_at")} FROM sweeps
WHERE tenant = ${bind("String", tenant)} ORDER BY began_at DESC LIMIT ${limit}`;
      return looksOf(await run({ query, params }));
    },
  };
};

export type KeptQueries = ReturnType<typeof createKeptQueries>;
