/** What verify reads, as the ledger's user: one tenant's sums and records, and every tenant's offsets. */
import { createBinder, type SqlParams } from "@astralog/schemas/query/index";
import type { ClickHouseQueries } from "../search/clickhouse-query.ts";
import type { LedgerPartition, MinuteSum } from "./verify.ts";

/** Epoch seconds; `to` is not included. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

export interface WrongRecord {
  readonly partition: number;
  readonly offset: number;
  readonly accepted: number;
  readonly stored: number;
  readonly dropped: Record<string, number>;
  /** Rows in the table `events`, and how many different indexes they have. */
  readonly found: number;
  readonly distinct: number;
}

export interface LedgerQueries {
  /** Of every tenant: partitions are shared. */
  partitions(): Promise<LedgerPartition[]>;
  /** The partition's offsets in the ledger, ascending, from `from` on, at most `limit`. */
  offsets(partition: number, from: number, limit: number): Promise<number[]>;
  minutes(tenant: string, window: Window | undefined): Promise<MinuteSum[]>;
  /** Records of the window whose rows or sums do not agree, at most `limit`. `below`: partition to the offset that is due. */
  wrong(tenant: string, window: Window, below: ReadonlyMap<number, number>, limit: number): Promise<WrongRecord[]>;
}

const seconds = 240;

export const createLedgerQueries = (queries: ClickHouseQueries, topic: string): LedgerQueries => {
  const run = async <Row>(query: string, params: SqlParams): Promise<Row[]> =>
    (await queries.forLedger<Row>({ query, params }, { name: "verify", seconds })).rows;

  const within = (bind: ReturnType<typeof createBinder>["bind"], window: Window) =>
    `received_at >= fromUnixTimestamp64Milli(${bind("Int64", window.from * 1000)}, 'UTC') AND received_at < fromUnixTimestamp64Milli(${bind("Int64", window.to * 1000)}, 'UTC')`;

  return {
    partitions: async () => {
      const { params, bind } = createBinder();
      // Repeated rows of one offset are one: the table replaces them when it merges.
      const rows = await run<[number, string, string, string]>(
        `SELECT partition, toString(uniqExact(offset)), toString(min(offset)), toString(max(offset)) FROM batches
WHERE topic = ${bind("String", topic)} GROUP BY partition ORDER BY partition`,
        params,
      );
      return rows.map(([partition, records, first, last]) => ({
        partition,
        records: Number(records),
        first: Number(first),
        last: Number(last),
      }));
    },
    offsets: async (partition, from, limit) => {
      const { params, bind } = createBinder();
      const rows = await run<[string]>(
        `SELECT toString(o) FROM (SELECT DISTINCT offset AS o FROM batches WHERE topic = ${bind("String", topic)}
AND partition = ${bind("Int64", partition)} AND offset >= ${bind("Int64", from)} ORDER BY o LIMIT ${limit})`,
        params,
      );
      return rows.map(([offset]) => Number(offset));
    },
    minutes: async (tenant, window) => {
      const { params, bind } = createBinder();
      const rows = await run<[string, string, string, string, Record<string, string>]>(
        `SELECT source, formatDateTime(minute, '%Y-%m-%dT%H:%i:%SZ', 'UTC'), toString(sum(accepted)), toString(sum(stored)),
sumMap(CAST(dropped, 'Map(String, UInt64)')) FROM batches FINAL
WHERE tenant = ${bind("String", tenant)} AND topic = ${bind("String", topic)}${window === undefined ? "" : ` AND ${within(bind, window)}`}
GROUP BY source, minute ORDER BY source, minute`,
        params,
      );
      return rows.map(([source, minute, accepted, stored, dropped]) => ({
        source,
        minute,
        accepted: Number(accepted),
        stored: Number(stored),
        dropped: Object.fromEntries(Object.entries(dropped).map(([reason, count]) => [reason, Number(count)])),
      }));
    },
    wrong: async (tenant, window, below, limit) => {
      const { params, bind } = createBinder();
      const scope = () =>
        `tenant = ${bind("String", tenant)} AND topic = ${bind("String", topic)} AND ${within(bind, window)}`;
      const due = [...below].map(
        ([partition, offset]) => `(partition = ${bind("Int64", partition)} AND offset < ${bind("Int64", offset)})`,
      );
      const rows = await run<[number, string, number, number, Record<string, number>, string, string]>(
        `SELECT partition, toString(offset), accepted, stored, dropped, toString(found), toString(distinct) FROM (
  SELECT partition, offset, accepted, stored, dropped FROM batches FINAL WHERE ${scope()} AND (${due.join(" OR ") || "0"})
) AS ledger LEFT JOIN (
  SELECT partition, offset, count() AS found, uniqExact(idx) AS distinct FROM events WHERE ${scope()} GROUP BY partition, offset
) AS rows USING (partition, offset)
WHERE found != stored OR distinct != found OR accepted != stored + arraySum(mapValues(dropped))
ORDER BY partition, offset LIMIT ${limit}`,
        params,
      );
      return rows.map(([partition, offset, accepted, stored, dropped, found, distinct]) => ({
        partition,
        offset: Number(offset),
        accepted,
        stored,
        dropped,
        found: Number(found),
        distinct: Number(distinct),
      }));
    },
  };
};
