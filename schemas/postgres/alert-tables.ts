/** The tables of alerts. */
import type { ColumnType, Generated } from "kysely";

type CreatedAt = ColumnType<Date, never, never>;
type ChangedAt = ColumnType<Date, never, Date>;
/** Given as text of JSON. */
type Json<T> = ColumnType<T, string, string>;

export interface AlertRuleTable {
  tenant: string;
  id: string;
  version: number;
  effective_from: Date;
  definition: Json<unknown>;
  created_at: CreatedAt;
  updated_at: ChangedAt;
  deleted_at: Date | null;
}

export interface AlertDestinationTable {
  /** dst_ with random base62 behind. */
  id: string;
  tenant: string;
  name: string;
  kind: string;
  settings: Json<unknown>;
  template: Json<{ title: string; text: string }>;
  /** Under ALERTS_KEY, as in the control topic; empty where there is nothing to hide. */
  sealed: Generated<string>;
  standard: Generated<boolean>;
  version: Generated<number>;
  disabled_at: Date | null;
  /** Why it was turned off by itself. */
  problem: Generated<string>;
  created_at: CreatedAt;
  updated_at: ChangedAt;
}

export interface AlertActionTable {
  /** act_ with random base62 behind. */
  id: string;
  tenant: string;
  kind: "silence" | "maintenance" | "acknowledgement" | "snooze" | "resolution";
  matchers: Json<unknown>;
  incident: Generated<string>;
  starts_at: ColumnType<Date, Date | undefined, Date>;
  ends_at: Date | null;
  schedule: ColumnType<unknown, string | null, string | null>;
  comment: Generated<string>;
  created_by: string;
  created_at: CreatedAt;
}

export interface AlertIncidentTable {
  tenant: string;
  id: string;
  rule: string;
  state: string;
  closed: boolean;
  created_at: Date;
  body: Json<unknown>;
}

export interface AlertChangeTable {
  tenant: string;
  id: string;
  incident: string;
  at: Date;
  body: Json<unknown>;
}

export interface AlertNoticeTable {
  tenant: string;
  id: string;
  destination: string;
  status: string;
  incidents: string[];
  created_at: Date;
  body: Json<unknown>;
}

export interface AlertTables {
  alert_rules: AlertRuleTable;
  alert_destinations: AlertDestinationTable;
  alert_actions: AlertActionTable;
  alert_incidents: AlertIncidentTable;
  alert_changes: AlertChangeTable;
  alert_notices: AlertNoticeTable;
}
