/** What verify reads, as the ledger's user: one tenant's sums and records, and every tenant's offsets. */
import { createBinder, type SqlParams } from "@astralog/schemas/query/index";
import type { ClickHouseQueries } from "../search/clickhouse-query.ts";
import type { LedgerPartition, MinuteSum, PartitionState } from "./verify.ts";

/** Epoch seconds; `to` is not included. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

export interface WrongRecord {
  /** Without the cluster's prefix. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly accepted: number;
  readonly stored: number;
  readonly dropped: Record<string, number>;
  /** Rows in the table `events`, and how many different indexes they have; what was removed is not among them. */
  readonly found: number;
  readonly distinct: number;
}

export interface LedgerQueries {
  /** Of every tenant: the partitions of events.raw are shared. */
  partitions(topic: string): Promise<LedgerPartition[]>;
  /** The partition's offsets in the ledger, ascending, from `from` on, at most `limit`. */
  offsets(topic: string, partition: number, from: number, limit: number): Promise<number[]>;
  /** Of what was stored, how much has been removed since: when its time was over, and by deletions. */
  removed(
    tenant: string,
    topics: readonly string[],
    window: Window | undefined,
  ): Promise<{ expired: number; deleted: number }>;
  minutes(tenant: string, topics: readonly string[], window: Window | undefined): Promise<MinuteSum[]>;
  /** Records of the window that are due and whose rows or sums do not agree, at most `limit`. */
  wrong(
    tenant: string,
    window: Window,
    states: readonly Pick<PartitionState, "topic" | "partition" | "due">[],
    limit: number,
  ): Promise<WrongRecord[]>;
}

const seconds = 240;

/** Topics are named without the cluster's `prefix` here, and with it in ClickHouse. */
export const createLedgerQueries = (queries: Pick<ClickHouseQueries, "forLedger">, prefix: string): LedgerQueries => {
  const run = async <Row>(query: string, params: SqlParams): Promise<Row[]> =>
    (await queries.forLedger<Row>({ query, params }, { name: "verify", seconds })).rows;

  const within = (bind: ReturnType<typeof createBinder>["bind"], window: Window) =>
    `received_at >= fromUnixTimestamp64Milli(${bind("Int64", window.from * 1000)}, 'UTC') AND received_at < fromUnixTimestamp64Milli(${bind("Int64", window.to * 1000)}, 'UTC')`;

  return {
    partitions: async (topic) => {
      const { params, bind } = createBinder();
      // Repeated rows of one offset are one: the table replaces them when it merges.
      const rows = await run<[number, string, string, string]>(
        `SELECT partition, toString(uniqExact(offset)), toString(min(offset)), toString(max(offset)) FROM batches
WHERE topic = ${bind("String", prefix + topic)} GROUP BY partition ORDER BY partition`,
        params,
      );
      return rows.map(([partition, records, first, last]) => ({
        partition,
        records: Number(records),
        first: Number(first),
        last: Number(last),
      }));
    },
    offsets: async (topic, partition, from, limit) => {
      const { params, bind } = createBinder();
      const rows = await run<[string]>(
        `SELECT toString(o) FROM (SELECT DISTINCT offset AS o FROM batches WHERE topic = ${bind("String", prefix + topic)}
AND partition = ${bind("Int64", partition)} AND offset >= ${bind("Int64", from)} ORDER BY o LIMIT ${limit})`,
        params,
      );
      return rows.map(([offset]) => Number(offset));
    },
    removed: async (tenant, topics, window) => {
      const { params, bind } = createBinder();
      const names = topics.map((topic) => prefix + topic);
      const rows = await run<[number, string]>(
        `SELECT expired, toString(sum(bitmapCardinality(gone))) FROM (
  SELECT startsWith(removal, 'expired:') AS expired, groupBitmapMergeState(indexes) AS gone FROM removals
  WHERE tenant = ${bind("String", tenant)} AND topic IN ${bind("Array(String)", names)} AND NOT match(removal, '^(dead|bucket|own):')
  ${window === undefined ? "" : ` AND ${within(bind, window)}`} GROUP BY expired, topic, partition, offset
) GROUP BY expired`,
        params,
      );
      const of = (wanted: number): number => Number(rows.find(([expired]) => Number(expired) === wanted)?.[1] ?? 0);
      return { expired: of(1), deleted: of(0) };
    },
    minutes: async (tenant, topics, window) => {
      const { params, bind } = createBinder();
      const rows = await run<[string, string, string, string, Record<string, string>]>(
        `SELECT source, formatDateTime(minute, '%Y-%m-%dT%H:%i:%SZ', 'UTC'), toString(sum(accepted)), toString(sum(stored)),
sumMap(CAST(dropped, 'Map(String, UInt64)')) FROM batches FINAL
WHERE tenant = ${bind("String", tenant)} AND topic IN ${bind(
          "Array(String)",
          topics.map((topic) => prefix + topic),
        )}${window === undefined ? "" : ` AND ${within(bind, window)}`}
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
    wrong: async (tenant, window, states, limit) => {
      const { params, bind } = createBinder();
      const topics = [...new Set(states.map(({ topic }) => prefix + topic))];
      const scope = () =>
        `tenant = ${bind("String", tenant)} AND topic IN ${bind("Array(String)", topics)} AND ${within(bind, window)}`;
      const due = states.map(
        (state) =>
          `(topic = ${bind("String", prefix + state.topic)} AND partition = ${bind("Int64", state.partition)} AND offset < ${bind("Int64", state.due)})`,
      );
      const rows = await run<[string, number, string, number, number, Record<string, number>, string, string]>(
        `SELECT topic, partition, toString(offset), accepted, stored, dropped, toString(found), toString(distinct) FROM (
  SELECT topic, partition, offset, accepted, stored, dropped FROM batches FINAL WHERE ${scope()} AND (${due.join(" OR ") || "0"})
) AS ledger LEFT JOIN (
  SELECT topic, partition, offset, sum(rows) AS found, groupBitmapMergeIf(indexes, rows > 0) AS distinct,
    groupBitmapMerge(indexes) AS explained FROM (
    SELECT topic, partition, offset, count() AS rows, groupBitmapState(idx) AS indexes FROM events WHERE ${scope()} GROUP BY topic, partition, offset
    UNION ALL
    SELECT topic, partition, offset, 0 AS rows, groupBitmapMergeState(indexes) AS indexes FROM removals
    WHERE ${scope()} AND NOT match(removal, '^(dead|bucket|own):') GROUP BY topic, partition, offset
  ) GROUP BY topic, partition, offset
) AS seen USING (topic, partition, offset)
WHERE explained != stored OR distinct != found OR accepted != stored + arraySum(mapValues(dropped))
ORDER BY topic, partition, offset LIMIT ${limit}`,
        params,
      );
      return rows.map(([topic, partition, offset, accepted, stored, dropped, found, distinct]) => ({
        topic: topic.slice(prefix.length),
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
