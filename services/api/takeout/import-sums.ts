/** What an organization has stored that was received before an instant, by source: how many, and the sum of their hashes. */
import { Fault } from "@astralog/chassis";
import { createBinder } from "@astralog/schemas/query/index";
import { rowHashSql } from "@astralog/schemas/takeout";
import type { ExportQueries } from "../export/clickhouse-export.ts";

export type ImportSums = (
  tenant: string,
  before: number,
) => Promise<ReadonlyMap<string, { readonly rows: number; readonly checksum: bigint }>>;

export const createImportSums =
  (exports: ExportQueries): ImportSums =>
  async (tenant, before) => {
    const { params, bind } = createBinder();
    const query = `SELECT source, toString(count()), toString(sum(${rowHashSql})) FROM tenant_events
WHERE tenant = ${bind("String", tenant)} AND received_at < fromUnixTimestamp64Milli(${bind("Int64", before)}, 'UTC') GROUP BY source`;
    const found = new Map<string, { rows: number; checksum: bigint }>();
    try {
      for await (const block of await exports.rows(tenant, { query, params }, new AbortController().signal))
        for (const row of block) {
          const [source, rows, checksum] = row.json<[string, string, string]>();
          found.set(source, { rows: Number(rows), checksum: BigInt(checksum) });
        }
    } catch (error) {
      if (error instanceof Fault) throw error;
      throw new Fault("clickhouse_unavailable", "ClickHouse's answer was cut.", { retriable: true, cause: error });
    }
    return found;
  };
