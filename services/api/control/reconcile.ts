/**
 * Holds the control topics to what Postgres says. The outbox carries each change; this carries everything else: topics
 * that were lost or restored from an older copy, a Postgres that was, and a record that came late from a relay that had
 * lost its lock. What differs goes through the outbox like any change.
 */
import type { ControlTable, Log } from "@astralog/chassis";
import { type KeyRecord, type SourceRecord, type TenantLimits, topics } from "@astralog/schemas";
import type { AuditHeads } from "../audit/audit-heads.ts";
import type { Db } from "../postgres.ts";
import {
  announceKey,
  announceSource,
  announceTenant,
  forget,
  keyRecord,
  recordToJson,
  sourceKey,
  sourceRecord,
  tenantLimits,
} from "./outbox.ts";

export interface ReconcileDeps {
  readonly db: Db;
  readonly keys: ControlTable<KeyRecord>;
  readonly sources: ControlTable<SourceRecord>;
  readonly tenants: ControlTable<TenantLimits>;
  readonly heads: Pick<AuditHeads, "complete" | "reconcile">;
  readonly log: Log;
}

/** What `truth` has otherwise, and what only `table` has. Records are compared as JSON of one field order. */
export const differences = <R extends KeyRecord | SourceRecord | TenantLimits>(
  truth: readonly R[],
  table: { get(key: string): R | undefined; values(): Iterable<R> },
  keyOf: (record: R) => string,
): { changed: string[]; extra: string[] } => {
  const known = new Set(truth.map(keyOf));
  const same = (a: R, b: R | undefined) => b !== undefined && recordToJson(inOrder(a)) === recordToJson(inOrder(b));
  return {
    changed: truth.filter((record) => !same(record, table.get(keyOf(record)))).map(keyOf),
    extra: [...table.values()].map(keyOf).filter((key) => !known.has(key)),
  };
};

const inOrder = <R extends KeyRecord | SourceRecord | TenantLimits>(record: R): R =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))) as R;

/** The result says whether it could be done: not before the topics have been read. */
export const createReconcile =
  ({ db, keys, sources, tenants, heads, log }: ReconcileDeps) =>
  async (): Promise<boolean> => {
    if (![keys, sources, tenants, heads].every((one) => one.complete)) return false;
    await heads.reconcile();
    // The tables are read before Postgres: nothing that Postgres does not have may have come from it meanwhile.
    const tableKeys = new Map([...keys.values()].map((record) => [record.hash, record]));
    const tableSources = new Map([...sources.values()].map((record) => [sourceKey(record), record]));
    const tableTenants = new Map([...tenants.values()].map((record) => [record.tenant, record]));
    const keyRows = await db.selectFrom("keys").selectAll().execute();
    const sourceRows = await db.selectFrom("sources").selectAll().execute();
    const tenantRows = await db.selectFrom("tenants").select(["id", "plan", "overrides"]).execute();
    const ofKeys = differences(keyRows.map(keyRecord), tableKeys, (record) => record.hash);
    const ofSources = differences(sourceRows.map(sourceRecord), tableSources, sourceKey);
    const ofTenants = differences(tenantRows.map(tenantLimits), tableTenants, (record) => record.tenant);
    const counts = {
      keys: ofKeys.changed.length,
      sources: ofSources.changed.length,
      tenants: ofTenants.changed.length,
      forgotten: ofKeys.extra.length + ofSources.extra.length + ofTenants.extra.length,
    };
    if (Object.values(counts).every((count) => count === 0)) return true;
    log.warn(counts, "the control topics differed from Postgres and are corrected");
    await db.transaction().execute(async (trx) => {
      // Read again under lock: the outbox' order must be the order of the changes.
      for (const hash of ofKeys.changed) {
        const row = await trx.selectFrom("keys").selectAll().where("hash", "=", hash).forUpdate().executeTakeFirst();
        if (row !== undefined) await announceKey(trx, row);
      }
      for (const key of ofSources.changed) {
        const id = key.slice(key.indexOf("/") + 1);
        const row = await trx.selectFrom("sources").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
        if (row !== undefined) await announceSource(trx, row);
      }
      for (const id of ofTenants.changed) {
        const row = await trx.selectFrom("tenants").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
        if (row !== undefined) await announceTenant(trx, row);
      }
      for (const hash of ofKeys.extra) await forget(trx, topics.keys.name, hash);
      for (const key of ofSources.extra) await forget(trx, topics.sources.name, key);
      for (const id of ofTenants.extra) await forget(trx, topics.tenants.name, id);
    });
    return true;
  };
