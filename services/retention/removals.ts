/** The ledger of what was removed. It is written before anything is removed. */
import type { SentTables } from "@astralog/chassis";
import { createBinder } from "@astralog/schemas/query/index";
import type { ClickHouse } from "./clickhouse.ts";

export interface Removals {
  /** Writes down, under `removal`, the rows of `table` that meet the condition. `index` is the SQL of an event's number. */
  write(
    removal: string,
    from: {
      table: string;
      index: string;
      time: string;
      where: string;
      params: Record<string, unknown>;
      sent?: SentTables | undefined;
    },
  ): Promise<void>;
  /** How many different events of the tenant were written down under it. */
  count(tenant: string, removal: string): Promise<number>;
}

export const createRemovals = (clickhouse: Pick<ClickHouse, "rows" | "command">): Removals => ({
  write: (removal, { table, index, time, where, params, sent }) =>
    clickhouse.command(
      `INSERT INTO removals (tenant, removal, source, topic, partition, offset, received_at, indexes, at)
       SELECT tenant, {removal:String}, source, topic, partition, offset, min(${time}), groupBitmapState(${index}), now64(3)
       FROM ${table} WHERE ${where} GROUP BY tenant, source, topic, partition, offset`,
      { ...params, removal },
      { sent },
    ),
  count: async (tenant, removal) => {
    const { params, bind } = createBinder();
    const [row] = await clickhouse.rows<{ events: number }>(
      `SELECT sum(bitmapCardinality(merged)) AS events FROM (
         SELECT groupBitmapMergeState(indexes) AS merged FROM removals
         WHERE tenant = ${bind("String", tenant)} AND removal = ${bind("String", removal)}
         GROUP BY topic, partition, offset)`,
      params,
    );
    return Number(row?.events ?? 0);
  },
});
