/** The control plane's tables as kysely sees them. Ids are text: tn_, src_ and key_ with random base62 behind. */

import type { ColumnType, Generated } from "kysely";
import type { AlertTables } from "./alert-tables.ts";
import type { OrganizationTables } from "./organization-tables.ts";
import type { PeopleTables } from "./people-tables.ts";
import type { PlanTables } from "./plan-tables.ts";
import type { ProducerTables } from "./producer-tables.ts";
import type { RetentionTables } from "./retention-tables.ts";
import type { SsoTables } from "./sso-tables.ts";
import type { StorageTables } from "./storage-tables.ts";
import type { TakeoutTables } from "./takeout-tables.ts";

export type * from "./organization-tables.ts";
export type * from "./people-tables.ts";
export type * from "./plan-tables.ts";
export type * from "./producer-tables.ts";
export type * from "./sso-tables.ts";

import type { AnnotationTable, ViewTable } from "./views-tables.ts";

type CreatedAt = ColumnType<Date, never, never>;

export interface TenantTable {
  id: string;
  name: string;
  /** What a command calls it; null for one that a person made. */
  handle: string | null;
  created_at: CreatedAt;
  /** Members without a second factor may only set one up. */
  require_mfa: Generated<boolean>;
  /** People of its verified domains come in through its identity provider, and no other way. */
  sso_only: Generated<boolean>;
  /** A name in schemas/src/plans.ts. */
  plan: Generated<string>;
  /** Limits in place of the plan's; PlanOverrides as JSON. */
  overrides: ColumnType<unknown, string | undefined, string>;
  /** Whether a second one of the platform's staff may let a first one in. */
  staff_may_approve: Generated<boolean>;
}

export interface SourceTable {
  id: string;
  tenant: string;
  /** Unique within the tenant. */
  name: string;
  disabled: Generated<boolean>;
  /** Days an event is kept, counted from its arrival. */
  retention_days: Generated<number>;
  /** k: how many partitions the tenant's events may use. */
  partitions: Generated<number>;
  /** Uncompressed, per second and receiver; 0 is unlimited. */
  max_bytes_per_second: Generated<number>;
  /** For each partition of its native topic, the one of events.clean; empty without such a topic. */
  native_partitions: Generated<number[]>;
  created_at: CreatedAt;
}

export interface KeyTable {
  id: string;
  tenant: string;
  /** Only ingest keys have one. */
  source: string | null;
  kind: "ingest" | "query" | "admin";
  /** SHA-256 of the key, hex. The key itself is stored nowhere. */
  hash: string;
  prefix: string;
  last4: string;
  name: Generated<string>;
  created_at: CreatedAt;
  expires_at: Date | null;
  revoked_at: Date | null;
  rotated_from: string | null;
  /** CIDR blocks; empty allows every address. */
  ip_allowlist: Generated<string[]>;
  /** Of those its kind has; empty is all of them. */
  permissions: Generated<string[]>;
  /** What a query or admin key may see and manage; empty is all of them. */
  sources: Generated<string[]>;
  /** Kept to the minute. */
  last_used_at: ColumnType<Date | null, never, Date>;
}

/** What must still reach Kafka, in the order of `id`. A row is deleted once Kafka has confirmed it. */
export interface OutboxTable {
  id: ColumnType<number, never, never>;
  /** A control topic, without the cluster's prefix. */
  topic: string;
  key: string;
  /** The record as JSON; null forgets the key. */
  value: ColumnType<Record<string, unknown> | null, string | null, never>;
  created_at: CreatedAt;
}

/** A tenant's audit trail; rows are only added. The columns are AuditEvent's members in schemas/src/audit.ts. */
export interface AuditEventTable {
  tenant: string;
  seq: number;
  at: Date;
  actor_kind: string;
  actor_id: string;
  actor_name: string;
  action: string;
  target_kind: string;
  target_id: string;
  ip: string;
  user_agent: string;
  request_id: string;
  result: string;
  /** Canonical JSON. */
  details: string;
  prev: string;
  hash: string;
}

/** Where a trail ends, signed. Its row's lock puts the acts of one tenant in order. */
export interface AuditChainTable {
  tenant: string;
  seq: number;
  hash: string;
  at: Date;
  key_id: string;
  signature: string;
}

export interface Database
  extends AlertTables,
    OrganizationTables,
    PeopleTables,
    PlanTables,
    ProducerTables,
    RetentionTables,
    SsoTables,
    StorageTables,
    TakeoutTables {
  audit_events: AuditEventTable;
  audit_chains: AuditChainTable;
  tenants: TenantTable;
  sources: SourceTable;
  keys: KeyTable;
  outbox: OutboxTable;
  views: ViewTable;
  annotations: AnnotationTable;
}
