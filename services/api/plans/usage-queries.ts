/**
 * What was used, from the ledger alone. A volume is the bytes of the events as they are stored: encoded, not compressed,
 * after redaction; a duplicate and what became a dead letter are 0. It counts for the day of UTC that the edge took it on.
 */
import { nextDay, type TenantUsage } from "@astralog/schemas";
import { createBinder } from "@astralog/schemas/query/index";
import type { ClickHouseQueries } from "../search/clickhouse-query.ts";

export interface SourceDay {
  readonly day: string;
  readonly source: string;
  readonly events: number;
  readonly bytes: number;
  /** By reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** By detector. */
  readonly redacted: Readonly<Record<string, number>>;
}

const seconds = 20;
export const mostRows = 50_000;

type Bind = ReturnType<typeof createBinder>["bind"];

const instant = (bind: Bind, at: number): string => `fromUnixTimestamp64Milli(${bind("Int64", at)}, 'UTC')`;

/** From the first day to the last, both included. */
const within = (bind: Bind, from: string, to: string): string =>
  `received_at >= ${instant(bind, Date.parse(`${from}T00:00:00Z`))} AND received_at < ${instant(bind, nextDay(to))}`;

const numbers = (counts: Readonly<Record<string, string>>): Record<string, number> =>
  Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, Number(count)]));

export const createUsageQueries = (queries: ClickHouseQueries, rawTopic: string) => ({
  /** Oldest first; at most `mostRows`. */
  days: async (tenant: string, from: string, to: string): Promise<SourceDay[]> => {
    const { params, bind } = createBinder();
    type Row = [string, string, string, string, Record<string, string>, Record<string, string>];
    const { rows } = await queries.forTenant<Row>(
      tenant,
      {
        query: `SELECT toString(toDate(received_at)) AS day, source, toString(sum(stored)), toString(sum(bytes)),
sumMap(CAST(dropped, 'Map(String, UInt64)')), sumMap(CAST(redactions, 'Map(String, UInt64)')) FROM tenant_batches
WHERE tenant = ${bind("String", tenant)} AND ${within(bind, from, to)} GROUP BY day, source ORDER BY day, source LIMIT ${mostRows}`,
        params,
      },
      { name: "usage", seconds },
    );
    return rows.map(([day, source, events, bytes, dropped, redacted]) => ({
      ...{ day, source, events: Number(events), bytes: Number(bytes) },
      ...{ dropped: numbers(dropped), redacted: numbers(redacted) },
    }));
  },

  /** When each source was last heard of. */
  lastOf: async (tenant: string): Promise<Map<string, Date>> => {
    const { params, bind } = createBinder();
    const { rows } = await queries.forTenant<[string, string]>(
      tenant,
      {
        query: `SELECT source, toString(toUnixTimestamp64Milli(max(received_at))) FROM tenant_batches
WHERE tenant = ${bind("String", tenant)} GROUP BY source`,
        params,
      },
      { name: "source_use", seconds },
    );
    return new Map(rows.map(([source, at]) => [source, new Date(Number(at))]));
  },

  /**
   * Every tenant's volume of one day, and how far the ledger is with it. Not FINAL: the sink writes no row twice (its
   * README says why), and this is asked every few seconds.
   */
  ofDay: async (day: string): Promise<TenantUsage[]> => {
    const { params, bind } = createBinder();
    const { rows } = await queries.forLedger<[string, string, number[], string[]]>(
      {
        query: `SELECT tenant, toString(sum(volume)), groupArrayIf(partition, ours), groupArrayIf(toString(top), ours) FROM (
  SELECT tenant, topic = ${bind("String", rawTopic)} AS ours, partition, sum(bytes) AS volume, max(offset) AS top
  FROM batches WHERE ${within(bind, day, day)} AND tenant != '' GROUP BY tenant, ours, partition
) GROUP BY tenant`,
        params,
      },
      { name: "usage_today", seconds },
    );
    return rows.map(([tenant, bytes, partitions, tops]) => ({
      ...{ tenant, day, bytes: BigInt(bytes) },
      through: Object.fromEntries(partitions.map((partition, i) => [String(partition), BigInt(tops[i] ?? -1)])),
    }));
  },
});

export type UsageQueries = ReturnType<typeof createUsageQueries>;
