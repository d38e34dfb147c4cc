/** What is stored, by source and day of receipt, and what sweeps have found. */
import { createBinder } from "@astralog/schemas/query/index";
import type { ClickHouseQueries } from "../search/clickhouse-query.ts";
import { type Owner, ownerSql } from "../search/scope.ts";

export interface StoredDay {
  readonly source: string;
  /** Of receipt, days since the epoch. */
  readonly day: number;
  readonly events: number;
}

export interface SweepRow {
  readonly place: string;
  readonly looked: number;
  readonly removed: number;
  readonly overdue: number;
  readonly held: number;
  readonly detail: string;
  readonly began_at: string;
  readonly ended_at: string;
}

const seconds = 20;
const time = (column: string): string => `formatDateTime(${column}, '%Y-%m-%dT%H:%i:%S.%fZ', 'UTC')`;

export const createKeptQueries = (queries: ClickHouseQueries) => ({
  stored: async (owner: Owner): Promise<StoredDay[]> => {
    const { params, bind } = createBinder();
    const query = `SELECT source, toUInt32(toDate(received_at)) AS day, toString(count()) FROM tenant_events
WHERE ${ownerSql(owner, bind)} GROUP BY source, day ORDER BY source, day LIMIT 50000`;
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

  /** Newest first. Of the tenant '' are those of all: what one look at a place has found. */
  sweeps: async (tenant: string, limit: number): Promise<SweepRow[]> => {
    const { params, bind } = createBinder();
    type Row = [string, string, string, string, string, string, string, string];
    const query = `SELECT place, toString(looked), toString(removed), toString(overdue), toString(held), detail,
${time("began_at")}, ${time("ended_at")} FROM sweeps WHERE tenant = ${bind("String", tenant)} ORDER BY began_at DESC LIMIT ${limit}`;
    const { rows } = await queries.forLedger<Row>({ query, params }, { name: "sweeps", seconds });
    return rows.map(([place, looked, removed, overdue, held, detail, began_at, ended_at]) => ({
      ...{ place, looked: Number(looked), removed: Number(removed), overdue: Number(overdue), held: Number(held) },
      ...{ detail, began_at, ended_at },
    }));
  },
});

export type KeptQueries = ReturnType<typeof createKeptQueries>;
