/** Where a tenant's events lie. */
import type { ControlTable } from "@astralog/chassis";
import { type SourceRecord, tenantPartitions } from "@astralog/schemas";

/** The clean partitions that a tenant's events may lie in: as many as its widest source uses. */
export const createPartitionsOf =
  (sources: Pick<ControlTable<SourceRecord>, "values">) =>
  (tenant: string, total: number): number[] => {
    let widest = 1;
    for (const one of sources.values()) if (one.tenant === tenant) widest = Math.max(widest, one.partitions);
    return tenantPartitions(tenant, widest, total);
  };
