/** What a tenant's own server says of records that are kept there alone. */
import { elsewhere } from "@astralog/chassis";
import { parseReceipt } from "@astralog/schemas";
import { type LedgerRow, type ReceiptRecord, receiptRecords, receiptSql } from "../search/receipts.ts";
import type { Scope } from "../search/scope.ts";
import type { OwnServers } from "./own-servers.ts";

/** Stored means stored there. Faults: those of the server, which is the only one that knows. */
export const createReceiptsElsewhere =
  (servers: Pick<OwnServers, "home" | "all" | "ask">, seconds: number) =>
  async (scope: Scope, records: readonly ReceiptRecord[]): Promise<ReceiptRecord[]> => {
    const away = records.filter(({ dropped }) => (dropped[elsewhere] ?? 0) > 0);
    if (away.length === 0) return [...records];
    const home = servers.home(scope.tenant);
    // It may have been kept on one that is beside by now.
    const asked = home === undefined ? servers.all(scope.tenant) : [home];
    const found = new Map<string, ReceiptRecord>();
    for (const server of asked) {
      const parts = away.flatMap(({ record }) => (found.has(record) ? [] : (parseReceipt(record) ?? [])));
      if (parts.length === 0) break;
      const { rows } = await servers.ask<LedgerRow>(server, receiptSql(scope, parts), { name: "receipt", seconds });
      for (const one of receiptRecords(parts, rows, scope.topicPrefix))
        if (one.state === "stored") found.set(one.record, one);
    }
    return records.map((one) => {
      if ((one.dropped[elsewhere] ?? 0) === 0) return one;
      const there = found.get(one.record);
      if (there !== undefined) return there;
      const { [elsewhere]: _, ...dropped } = one.dropped;
      return { ...one, state: "pending", dropped, stored_at: null };
    });
  };
