/** The tables of 0007_plans as kysely sees them. */
import type { ColumnType, Generated } from "kysely";

type CreatedAt = ColumnType<Date, never, never>;

/** Where a tenant's audit trail is sent, event by event. */
export interface AuditStreamTable {
  /** ast_… */
  id: string;
  tenant: string;
  name: string;
  url: string;
  /** Sealed by the envelope, for the tenant. */
  secret: string;
  /** Signs too, until then: receivers learn the new one meanwhile. */
  secret_before: string | null;
  secret_before_until: Date | null;
  /** The last event that the receiver has taken. */
  cursor: number;
  created_at: CreatedAt;
  /** Tries of the event after the cursor that failed. */
  attempts: Generated<number>;
  next_at: Generated<Date>;
  tried_at: Date | null;
  delivered_at: Date | null;
  /** Why the last try failed; "" when it did not. */
  problem: Generated<string>;
  disabled_at: Date | null;
}

/** Persons who work for the platform. */
export interface StaffTable {
  person: string;
  created_at: CreatedAt;
}

export interface AccessGrantTable {
  /** acg_… */
  id: string;
  tenant: string;
  /** One of the staff. */
  person: string;
  reason: string;
  permissions: string[];
  /** How long it is to last from its approval on. */
  seconds: number;
  requested_at: CreatedAt;
  decided_at: Date | null;
  decided_by: string | null;
  approved: boolean | null;
  expires_at: Date | null;
  ended_at: Date | null;
  used_at: Date | null;
}

/** Sessions that a grant was used in. */
export interface AccessUseTable {
  access_grant: string;
  session: string;
  at: CreatedAt;
}

export interface PlanTables {
  audit_streams: AuditStreamTable;
  staff: StaffTable;
  access_grants: AccessGrantTable;
  access_uses: AccessUseTable;
}
