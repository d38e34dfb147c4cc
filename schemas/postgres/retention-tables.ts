/** The tables of retention and deletion. */
import type { ColumnType, Generated } from "kysely";

type Json<T> = ColumnType<T, string, string>;

export interface RetentionRuleTable {
  /** ret_ with random base62 behind. */
  id: string;
  tenant: string;
  /** RetentionRule in schemas/src/retention/rule.ts. */
  definition: Json<unknown>;
  /** Id of the person, or the key, that made it. */
  created_by: string;
  created_at: ColumnType<Date, never, never>;
  updated_at: ColumnType<Date, never, Date>;
}

export interface DeletionTable {
  /** del_ with random base62 behind. */
  id: string;
  tenant: string;
  scope: Json<unknown>;
  reason: string;
  requested_by: string;
  /** The cut: what was received before is deleted. */
  created_at: Date;
  watched_until: Date;
  /** Whether retention was told to look no more. */
  released: Generated<boolean>;
  certificate: ColumnType<unknown, string | null, string>;
}

export interface RehydrationTable {
  /** reh_ with random base62 behind. */
  id: string;
  tenant: string;
  connection: string;
  /** Null once nothing of it is left. */
  slot: number | null;
  definition: Json<unknown>;
  /** What it was estimated to bring, when it was asked for: events, and bytes of them as they are counted. */
  events: number;
  bytes: number;
  requested_by: string;
  created_at: ColumnType<Date, never, never>;
  ends_at: Date;
  ended_at: ColumnType<Date | null, null | undefined, Date>;
}

export interface RetentionTables {
  retention_rules: RetentionRuleTable;
  deletions: DeletionTable;
  rehydrations: RehydrationTable;
}
