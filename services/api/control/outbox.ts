/**
 * The transactional outbox: a change and the record that tells the data plane of it are written in one transaction, so
 * neither exists without the other. A record is a snapshot taken while its row is locked, therefore the outbox' ids are
 * in the right order for each key.
 */
import {
  type AlertActionRecord,
  type AlertDestinationRecord,
  type AlertRuleRecord,
  type AuditHead,
  type AuditHeadRecord,
  canonicalJson,
  type DeletionRecord,
  type Json,
  type KeyRecord,
  type RecordName,
  type RehydrationRecord,
  type RetentionRuleRecord,
  type SourceRecord,
  type StorageConnectionRecord,
  type TenantLimits,
  topics,
} from "@astralog/schemas";
import type {
  DeletionTable,
  KeyTable,
  RehydrationTable,
  RetentionRuleTable,
  SourceTable,
  TenantTable,
} from "@astralog/schemas/postgres";
import type { Selectable } from "kysely";
import { planOf } from "../plans/plan-inputs.ts";
import type { Trx } from "../postgres.ts";

export type KeyRow = Selectable<KeyTable>;
export type SourceRow = Selectable<SourceTable>;
export type TenantRow = Pick<Selectable<TenantTable>, "id" | "plan" | "overrides">;

const millis = (date: Date | null): bigint => BigInt(date?.getTime() ?? 0);

export const keyRecord = (row: KeyRow): KeyRecord => ({
  hash: row.hash,
  id: row.id,
  kind: row.kind,
  tenant: row.tenant,
  source: row.source ?? "",
  expires_at: millis(row.expires_at),
  revoked_at: millis(row.revoked_at),
  ip_allowlist: row.ip_allowlist,
  permissions: row.permissions,
  sources: row.sources,
});

export const sourceRecord = (row: SourceRow): SourceRecord => ({
  tenant: row.tenant,
  source: row.id,
  name: row.name,
  disabled: row.disabled,
  retention_days: row.retention_days,
  partitions: row.partitions,
  max_bytes_per_second: BigInt(row.max_bytes_per_second),
  native_partitions: row.native_partitions,
});

export const tenantLimits = (row: TenantRow): TenantLimits => {
  const { plan, limits } = planOf(row);
  return {
    tenant: row.id,
    plan,
    retention_days: limits.retention_days,
    partitions: limits.partitions,
    max_bytes_per_second: BigInt(limits.max_bytes_per_second),
    daily_bytes: BigInt(limits.daily_bytes),
  };
};

/** JSON is told in one field order: Postgres keeps another than was given. */
const definitionText = (definition: unknown): string => canonicalJson(definition as Json);

export const retentionRuleRecord = (
  row: Pick<Selectable<RetentionRuleTable>, "tenant" | "id" | "definition">,
): RetentionRuleRecord => ({ tenant: row.tenant, rule: row.id, definition: definitionText(row.definition) });

export const deletionRecord = (row: Pick<Selectable<DeletionTable>, "tenant" | "id" | "scope">): DeletionRecord => ({
  ...{ tenant: row.tenant, deletion: row.id, definition: definitionText(row.scope) },
});

export const rehydrationRecord = ({
  id,
  tenant,
  connection,
  slot,
  definition,
}: Pick<Selectable<RehydrationTable>, "tenant" | "id" | "connection" | "slot" | "definition">): RehydrationRecord => ({
  ...{ tenant, rehydration: id },
  definition: definitionText({ ...(definition as object), tenant, id, connection, slot }),
});

export const sourceKey = (record: Pick<SourceRecord, "tenant" | "source">): string =>
  `${record.tenant}/${record.source}`;

export type AlertControlRecord = AlertRuleRecord | AlertActionRecord | AlertDestinationRecord;
export type RetentionControlRecord = RetentionRuleRecord | DeletionRecord | RehydrationRecord;
export type ControlRecord =
  | KeyRecord
  | SourceRecord
  | TenantLimits
  | AuditHeadRecord
  | AlertControlRecord
  | StorageConnectionRecord
  | RetentionControlRecord;

const longs = new Set([
  "effective_from",
  "starts_at",
  "ends_at",
  "updated_at",
  "expires_at",
  "revoked_at",
  "max_bytes_per_second",
  "daily_bytes",
  "seq",
  "at",
]);

/** As jsonb; every long here fits a double. */
export const recordToJson = (record: ControlRecord): string =>
  JSON.stringify(record, (_, value: unknown) => (typeof value === "bigint" ? Number(value) : value));

export const recordFromJson = (json: Record<string, unknown>): ControlRecord =>
  Object.fromEntries(
    Object.entries(json).map(([name, value]) => [name, longs.has(name) ? BigInt(value as number) : value]),
  ) as unknown as ControlRecord;

/** Which Avro record a control topic carries. */
export const recordOf = (topic: string): RecordName => {
  const { keys, sources, tenants, auditHeads, alertRules, alertActions, alertDestinations, storage } = topics;
  const { clickhouse, retentionRules, deletions, rehydrations } = topics;
  const ofAlerts = [alertRules, alertActions, alertDestinations];
  const found = [
    keys,
    sources,
    tenants,
    auditHeads,
    ...ofAlerts,
    storage,
    clickhouse,
    retentionRules,
    deletions,
    rehydrations,
  ].find(({ name }) => name === topic);
  if (found === undefined) throw new Error(`${topic} is no topic of the outbox`);
  return found.value;
};

const put = async (trx: Trx, topic: string, key: string, record: ControlRecord | null): Promise<void> => {
  const value = record === null ? null : recordToJson(record);
  await trx.insertInto("outbox").values({ topic, key, value }).execute();
};

export const announceKey = (trx: Trx, row: KeyRow): Promise<void> =>
  put(trx, topics.keys.name, row.hash, keyRecord(row));

export const announceSource = (trx: Trx, row: SourceRow): Promise<void> =>
  put(trx, topics.sources.name, `${row.tenant}/${row.id}`, sourceRecord(row));

export const announceTenant = (trx: Trx, row: TenantRow): Promise<void> =>
  put(trx, topics.tenants.name, row.id, tenantLimits(row));

/** In the transaction that made it the chain's end, whose row is locked. */
export const announceHead = (trx: Trx, head: AuditHead): Promise<void> =>
  put(trx, topics.auditHeads.name, head.tenant, {
    ...head,
    seq: BigInt(head.seq),
    at: BigInt(Date.parse(head.at)),
  });

/** What somebody has said about alerts: in the transaction that said it. */
export const announceAlert = (
  trx: Trx,
  topic: "alertRules" | "alertActions" | "alertDestinations",
  tenant: string,
  id: string,
  record: AlertControlRecord | null,
): Promise<void> => put(trx, topics[topic].name, `${tenant}/${id}`, record);

/** A bucket that was connected, changed, or with null disconnected. */
export const announceStorage = (
  trx: Trx,
  tenant: string,
  id: string,
  record: StorageConnectionRecord | null,
): Promise<void> => put(trx, topics.storage.name, `${tenant}/${id}`, record);

/** The same of a ClickHouse server. */
export const announceClickHouse = (
  trx: Trx,
  tenant: string,
  id: string,
  record: StorageConnectionRecord | null,
): Promise<void> => put(trx, topics.clickhouse.name, `${tenant}/${id}`, record);

/** How long what is kept, or what is to be deleted: in the transaction that said it. Null forgets it. */
export const announceRetention = (
  trx: Trx,
  topic: "retentionRules" | "deletions" | "rehydrations",
  key: { readonly tenant: string; readonly id: string },
  record: RetentionControlRecord | null,
): Promise<void> => put(trx, topics[topic].name, `${key.tenant}/${key.id}`, record);

/** Tells the data plane to forget what Postgres does not know. */
export const forget = (trx: Trx, topic: string, key: string): Promise<void> => put(trx, topic, key, null);
