/** Whose events are kept on a ClickHouse of their own instead of Astralog's, as control.clickhouse says. */
import { setTimeout as sleep } from "node:timers/promises";
import { createControlTable, type KafkaClient, type Log, type Registry } from "@astralog/chassis";
import { type StorageConnectionRecord, topics } from "@astralog/schemas";
import type { OwnClickHouse } from "@astralog/schemas/own-clickhouse";

/**
 * Resolves once all that was said before is known: whoever stored earlier would store what should not be here. Between a change
 * and the moment each sink has heard of it events may be in both places, never in neither: the customer's own writer takes all.
 */
export const followElsewhere = async (kafka: KafkaClient, deps: { log: Log; registry: Registry }) => {
  const tenants = new Map<string, string>();
  const table = await createControlTable(kafka, deps, {
    ...{ principal: "sink", topic: topics.clickhouse },
    onChange: (key, record?: StorageConnectionRecord) => {
      const instead = record !== undefined && (JSON.parse(record.definition) as OwnClickHouse).mode === "instead";
      if (instead) tenants.set(key, record.tenant);
      else tenants.delete(key);
    },
  });
  while (!table.complete) await sleep(50);
  return {
    isElsewhere: (tenant: string): boolean => {
      for (const one of tenants.values()) if (one === tenant) return true;
      return false;
    },
    close: table.close,
  };
};
