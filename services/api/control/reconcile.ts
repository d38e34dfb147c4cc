/**
 * Holds the control topics to what Postgres says. The outbox carries each change; this carries everything else: topics
 * that were lost or restored from an older copy, a Postgres that was, and a record that came late from a relay that had
 * lost its lock. What differs goes through the outbox like any change.
 */
import type { ControlTable, Log } from "@astralog/chassis";
import {
  type AlertActionRecord,
  type AlertDestinationRecord,
  type AlertRuleRecord,
  type DeletionRecord,
  type KeyRecord,
  type RehydrationRecord,
  type RetentionRuleRecord,
  type SourceRecord,
  type StorageConnectionRecord,
  type TenantLimits,
  topics,
} from "@astralog/schemas";
import {
  actionRecord,
  announceAction,
  announceDestination,
  announceRule,
  destinationRecord,
  ruleRecord,
} from "../alerts/control-records.ts";
import type { AuditHeads } from "../audit/audit-heads.ts";
import type { Db, Trx } from "../postgres.ts";
import type { ClickHouses } from "../storage/clickhouse-connections.ts";
import { asVersion } from "../storage/connection-rows.ts";
import type { Connections } from "../storage/connections.ts";
import {
  announceKey,
  announceRetention,
  announceSource,
  announceTenant,
  type ControlRecord,
  deletionRecord,
  forget,
  keyRecord,
  recordToJson,
  rehydrationRecord,
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
  readonly alertRules: ControlTable<AlertRuleRecord>;
  readonly alertActions: ControlTable<AlertActionRecord>;
  readonly alertDestinations: ControlTable<AlertDestinationRecord>;
  readonly retentionRules: ControlTable<RetentionRuleRecord>;
  readonly deletions: ControlTable<DeletionRecord>;
  readonly rehydrations: ControlTable<RehydrationRecord>;
  readonly storage: ControlTable<StorageConnectionRecord>;
  readonly connections: Pick<Connections, "versions" | "announce">;
  readonly clickhouseTable: ControlTable<StorageConnectionRecord>;
  readonly clickhouses: Pick<ClickHouses, "versions" | "announce">;
  readonly heads: Pick<AuditHeads, "complete" | "reconcile">;
  readonly log: Log;
}

/** What `truth` has otherwise, and what only `table` has. Records are compared as JSON of one field order. */
export const differences = <R extends ControlRecord>(
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

const inOrder = <R extends ControlRecord>(record: R): R =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))) as R;

/** One topic, what Postgres says of it, and how a key of it is told anew. */
interface Part<R extends ControlRecord> {
  readonly topic: string;
  readonly table: Pick<ControlTable<R>, "values">;
  keyOf(record: R): string;
  truth(): Promise<R[]>;
  /** The row is read again under lock: the outbox' order must be the order of the changes. */
  announce(trx: Trx, key: string): Promise<void>;
}

interface Found {
  readonly topic: string;
  readonly changed: readonly string[];
  readonly extra: readonly string[];
  announce(trx: Trx, key: string): Promise<void>;
}

const compare = async <R extends ControlRecord>({ topic, table, keyOf, truth, announce }: Part<R>): Promise<Found> => {
  // The table is read before Postgres: nothing that Postgres does not have may have come from it meanwhile.
  const known = new Map([...table.values()].map((record) => [keyOf(record), record]));
  return { topic, announce, ...differences(await truth(), known, keyOf) };
};

/** `tenant/id` in its two. */
const split = (key: string): [tenant: string, id: string] => {
  const at = key.indexOf("/");
  return [key.slice(0, at), key.slice(at + 1)];
};

/** The result says whether it could be done: not before the topics have been read. */
export const createReconcile = (deps: ReconcileDeps) => {
  const { db, keys, sources, tenants, alertRules, alertActions, alertDestinations, heads, log } = deps;
  const { retentionRules, deletions, rehydrations, storage, connections, clickhouseTable, clickhouses } = deps;
  const ofKeys: Part<KeyRecord> = {
    ...{ topic: topics.keys.name, table: keys, keyOf: ({ hash }) => hash },
    truth: async () => (await db.selectFrom("keys").selectAll().execute()).map(keyRecord),
    announce: async (trx, hash) => {
      const row = await trx.selectFrom("keys").selectAll().where("hash", "=", hash).forUpdate().executeTakeFirst();
      if (row !== undefined) await announceKey(trx, row);
    },
  };
  const ofSources: Part<SourceRecord> = {
    ...{ topic: topics.sources.name, table: sources, keyOf: sourceKey },
    truth: async () => (await db.selectFrom("sources").selectAll().execute()).map(sourceRecord),
    announce: async (trx, key) => {
      const [, id] = split(key);
      const row = await trx.selectFrom("sources").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
      if (row !== undefined) await announceSource(trx, row);
    },
  };
  const ofTenants: Part<TenantLimits> = {
    ...{ topic: topics.tenants.name, table: tenants, keyOf: ({ tenant }) => tenant },
    truth: async () => (await db.selectFrom("tenants").select(["id", "plan", "overrides"]).execute()).map(tenantLimits),
    announce: async (trx, id) => {
      const row = await trx.selectFrom("tenants").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
      if (row !== undefined) await announceTenant(trx, row);
    },
  };
  const ofRules: Part<AlertRuleRecord> = {
    ...{ topic: topics.alertRules.name, table: alertRules, keyOf: ({ tenant, rule }) => `${tenant}/${rule}` },
    truth: async () =>
      (await db.selectFrom("alert_rules").selectAll().execute()).flatMap((row) => ruleRecord(row) ?? []),
    announce: async (trx, key) => {
      const [tenant, id] = split(key);
      const row = await trx
        .selectFrom("alert_rules")
        .selectAll()
        .where("tenant", "=", tenant)
        .where("id", "=", id)
        .forUpdate()
        .executeTakeFirst();
      if (row !== undefined) await announceRule(trx, row);
    },
  };
  const ofActions: Part<AlertActionRecord> = {
    ...{ topic: topics.alertActions.name, table: alertActions, keyOf: ({ tenant, action }) => `${tenant}/${action}` },
    truth: async () => (await db.selectFrom("alert_actions").selectAll().execute()).map(actionRecord),
    announce: async (trx, key) => {
      const [, id] = split(key);
      const row = await trx.selectFrom("alert_actions").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
      if (row !== undefined) await announceAction(trx, row);
    },
  };
  const ofDestinations: Part<AlertDestinationRecord> = {
    ...{ topic: topics.alertDestinations.name, table: alertDestinations },
    keyOf: ({ tenant, destination }) => `${tenant}/${destination}`,
    truth: async () => (await db.selectFrom("alert_destinations").selectAll().execute()).map(destinationRecord),
    announce: async (trx, key) => {
      const [, id] = split(key);
      const row = await trx
        .selectFrom("alert_destinations")
        .selectAll()
        .where("id", "=", id)
        .forUpdate()
        .executeTakeFirst();
      if (row !== undefined) await announceDestination(trx, row);
    },
  };
  const ofRetention: Part<RetentionRuleRecord> = {
    ...{ topic: topics.retentionRules.name, table: retentionRules, keyOf: ({ tenant, rule }) => `${tenant}/${rule}` },
    truth: async () => (await db.selectFrom("retention_rules").selectAll().execute()).map(retentionRuleRecord),
    announce: async (trx, key) => {
      const [, id] = split(key);
      const rows = trx.selectFrom("retention_rules").selectAll().where("id", "=", id);
      const row = await rows.forUpdate().executeTakeFirst();
      if (row !== undefined) await announceRetention(trx, "retentionRules", row, retentionRuleRecord(row));
    },
  };
  const ofDeletions: Part<DeletionRecord> = {
    ...{ topic: topics.deletions.name, table: deletions, keyOf: ({ tenant, deletion }) => `${tenant}/${deletion}` },
    truth: async () =>
      (await db.selectFrom("deletions").selectAll().where("released", "=", false).execute()).map(deletionRecord),
    announce: async (trx, key) => {
      const [, id] = split(key);
      const rows = trx.selectFrom("deletions").selectAll().where("id", "=", id).where("released", "=", false);
      const row = await rows.forUpdate().executeTakeFirst();
      if (row !== undefined) await announceRetention(trx, "deletions", row, deletionRecord(row));
    },
  };
  const ofRehydrations: Part<RehydrationRecord> = {
    ...{ topic: topics.rehydrations.name, table: rehydrations },
    keyOf: ({ tenant, rehydration }) => `${tenant}/${rehydration}`,
    truth: async () =>
      (await db.selectFrom("rehydrations").selectAll().where("ended_at", "is", null).execute()).map(rehydrationRecord),
    announce: async (trx, key) => {
      const [, id] = split(key);
      const rows = trx.selectFrom("rehydrations").selectAll().where("id", "=", id).where("ended_at", "is", null);
      const row = await rows.forUpdate().executeTakeFirst();
      if (row !== undefined) await announceRetention(trx, "rehydrations", row, rehydrationRecord(row));
    },
  };
  const ofStorage: Part<StorageConnectionRecord> = {
    ...{ topic: topics.storage.name, keyOf: ({ tenant, connection }) => `${tenant}/${connection}` },
    table: { values: () => [...storage.values()].map(asVersion) },
    truth: connections.versions,
    announce: (trx, key) => connections.announce(trx, ...split(key)),
  };
  const ofClickHouse: Part<StorageConnectionRecord> = {
    ...{ topic: topics.clickhouse.name, keyOf: ({ tenant, connection }) => `${tenant}/${connection}` },
    table: { values: () => [...clickhouseTable.values()].map(asVersion) },
    truth: clickhouses.versions,
    announce: (trx, key) => clickhouses.announce(trx, ...split(key)),
  };
  const ofAlerts = [alertRules, alertActions, alertDestinations];
  const ofStores = [storage, clickhouseTable];
  const followed = [keys, sources, tenants, ...ofAlerts, retentionRules, deletions, rehydrations, ...ofStores, heads];

  return async (): Promise<boolean> => {
    if (!followed.every((one) => one.complete)) return false;
    await heads.reconcile();
    const found = [
      ...[await compare(ofKeys), await compare(ofSources), await compare(ofTenants)],
      ...[await compare(ofRules), await compare(ofActions), await compare(ofDestinations)],
      ...[
        await compare(ofRetention),
        await compare(ofDeletions),
        await compare(ofRehydrations),
        await compare(ofStorage),
        await compare(ofClickHouse),
      ],
    ].filter(({ changed, extra }) => changed.length + extra.length > 0);
    if (found.length === 0) return true;
    log.warn(
      Object.fromEntries(
        found.map(({ topic, changed, extra }) => [topic, { changed: changed.length, forgotten: extra.length }]),
      ),
      "the control topics differed from Postgres and are corrected",
    );
    await db.transaction().execute(async (trx) => {
      for (const { topic, changed, extra, announce } of found) {
        for (const key of changed) await announce(trx, key);
        for (const key of extra) await forget(trx, topic, key);
      }
    });
    return true;
  };
};
