/**
 * Holds the control topics to what Postgres says. The outbox carries each change; this carries everything else: topics
 * that were lost or restored from an older copy, a Postgres that was, and a record that came late from a relay that had
 * lost its lock. What differs goes through the outbox like any change.
 */
import type { ControlTable, Log } from "@astralog/chassis";
import {
  type DeletionRecord,
  type KeyRecord,
  type RetentionRuleRecord,
  type SourceRecord,
  type TenantLimits,
  topics,
} from "@astralog/schemas";
import type { AuditHeads } from "../audit/audit-heads.ts";
import type { Db, Trx } from "../postgres.ts";
import {
  announceKey,
  announceRetention,
  announceSource,
  announceTenant,
  deletionRecord,
  forget,
  keyRecord,
  recordToJson,
  retentionRuleRecord,
  sourceKey,
  sourceRecord,
  tenantLimits,
} from "./outbox.ts";

export interface ReconcileDeps {
  readonly db: Db;
  readonly keys: ControlTable<KeyRecord>;
  readonly sources: ControlTable<SourceRecord>;
  readonly tenants: ControlTable<TenantLimits>;
  readonly retentionRules: ControlTable<RetentionRuleRecord>;
  readonly deletions: ControlTable<DeletionRecord>;
  readonly heads: Pick<AuditHeads, "complete" | "reconcile">;
  readonly log: Log;
}

type Reconciled = KeyRecord | SourceRecord | TenantLimits | RetentionRuleRecord | DeletionRecord;

/** What `truth` has otherwise, and what only `table` has. Records are compared as JSON of one field order. */
export const differences = <R extends Reconciled>(
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

const inOrder = <R extends Reconciled>(record: R): R =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))) as R;

/** One topic: what it should have, and how one record of it is told anew, read again under lock. */
interface Kind<R extends Reconciled> {
  readonly topic: string;
  readonly table: ControlTable<R>;
  readonly keyOf: (record: R) => string;
  truth(): Promise<R[]>;
  tell(trx: Trx, key: string): Promise<void>;
}

interface Found {
  readonly topic: string;
  readonly changed: readonly string[];
  readonly extra: readonly string[];
  tell(trx: Trx, key: string): Promise<void>;
}

const behindTenant = (key: string): string => key.slice(key.indexOf("/") + 1);

/** The result says whether it could be done: not before the topics have been read. */
export const createReconcile = (deps: ReconcileDeps) => {
  const { db, heads, log, keys, sources, tenants, retentionRules, deletions } = deps;
  const tables = [keys, sources, tenants, retentionRules, deletions];

  const ofKeys: Kind<KeyRecord> = {
    ...{ topic: topics.keys.name, table: keys, keyOf: ({ hash }) => hash },
    truth: async () => (await db.selectFrom("keys").selectAll().execute()).map(keyRecord),
    tell: async (trx, hash) => {
      const row = await trx.selectFrom("keys").selectAll().where("hash", "=", hash).forUpdate().executeTakeFirst();
      if (row !== undefined) await announceKey(trx, row);
    },
  };
  const ofSources: Kind<SourceRecord> = {
    ...{ topic: topics.sources.name, table: sources, keyOf: sourceKey },
    truth: async () => (await db.selectFrom("sources").selectAll().execute()).map(sourceRecord),
    tell: async (trx, key) => {
      const id = behindTenant(key);
      const row = await trx.selectFrom("sources").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
      if (row !== undefined) await announceSource(trx, row);
    },
  };
  const ofTenants: Kind<TenantLimits> = {
    ...{ topic: topics.tenants.name, table: tenants, keyOf: ({ tenant }) => tenant },
    truth: async () => (await db.selectFrom("tenants").select(["id", "plan", "overrides"]).execute()).map(tenantLimits),
    tell: async (trx, id) => {
      const row = await trx.selectFrom("tenants").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
      if (row !== undefined) await announceTenant(trx, row);
    },
  };
  const ofRules: Kind<RetentionRuleRecord> = {
    ...{ topic: topics.retentionRules.name, table: retentionRules, keyOf: ({ tenant, rule }) => `${tenant}/${rule}` },
    truth: async () => (await db.selectFrom("retention_rules").selectAll().execute()).map(retentionRuleRecord),
    tell: async (trx, key) => {
      const id = behindTenant(key);
      const rows = trx.selectFrom("retention_rules").selectAll().where("id", "=", id);
      const row = await rows.forUpdate().executeTakeFirst();
      if (row !== undefined) await announceRetention(trx, "retentionRules", row, retentionRuleRecord(row));
    },
  };
  const ofDeletions: Kind<DeletionRecord> = {
    ...{ topic: topics.deletions.name, table: deletions, keyOf: ({ tenant, deletion }) => `${tenant}/${deletion}` },
    truth: async () =>
      (await db.selectFrom("deletions").selectAll().where("released", "=", false).execute()).map(deletionRecord),
    tell: async (trx, key) => {
      const id = behindTenant(key);
      const rows = trx.selectFrom("deletions").selectAll().where("id", "=", id).where("released", "=", false);
      const row = await rows.forUpdate().executeTakeFirst();
      if (row !== undefined) await announceRetention(trx, "deletions", row, deletionRecord(row));
    },
  };

  const look = async <R extends Reconciled>({ topic, table, keyOf, truth, tell }: Kind<R>): Promise<Found> => {
    // The table is read before Postgres: nothing that Postgres does not have may have come from it meanwhile.
    const known = new Map([...table.values()].map((record) => [keyOf(record), record]));
    return { topic, tell, ...differences(await truth(), known, keyOf) };
  };

  return async (): Promise<boolean> => {
    if (!heads.complete || !tables.every(({ complete }) => complete)) return false;
    await heads.reconcile();
    const found = [
      ...[await look(ofKeys), await look(ofSources), await look(ofTenants)],
      ...[await look(ofRules), await look(ofDeletions)],
    ];
    if (found.every(({ changed, extra }) => changed.length + extra.length === 0)) return true;
    const counts = found.map(({ topic, changed, extra }) => [topic, changed.length + extra.length] as const);
    log.warn(Object.fromEntries(counts), "the control topics differed from Postgres and are corrected");
    await db.transaction().execute(async (trx) => {
      for (const { topic, changed, extra, tell } of found) {
        // Read again under lock: the outbox' order must be the order of the changes.
        for (const key of changed) await tell(trx, key);
        for (const key of extra) await forget(trx, topic, key);
      }
    });
    return true;
  };
};
