/** The tables of takeouts and their imports. */
import type { ColumnType, Generated } from "kysely";

/** Given as text of JSON. */
type Json<T> = ColumnType<T, string, string>;
type MadeJson<T> = ColumnType<T, string | undefined, string>;

export interface TakeoutTable {
  /** tko_ with random base62 behind. */
  id: string;
  tenant: string;
  requested_by: string;
  created_at: Date;
  expires_at: Date;
  connection: string | null;
  parts: string[];
  state: Generated<"waiting" | "running" | "done" | "failed" | "cancelled" | "deleted">;
  problem: Generated<string>;
  cut: ColumnType<unknown, string | null | undefined, string>;
  progress: MadeJson<unknown>;
  /** Of its own event in the audit trail. */
  audit_seq: number;
  finished_at: Date | null;
  worker: string | null;
  worker_until: Date | null;
}

export interface TakeoutFileTable {
  takeout: string;
  name: string;
  plan: ColumnType<unknown, string | null | undefined, string>;
  file: ColumnType<unknown, string | null | undefined, string>;
}

export interface TakeoutImportTable {
  /** imp_ with random base62 behind. */
  id: string;
  tenant: string;
  /** Id of the takeout, given by the other Astralog. */
  takeout: string;
  manifest: Json<unknown>;
  requested_by: string;
  created_at: Date;
  finished_at: Date | null;
  ids: MadeJson<unknown>;
  notes: MadeJson<unknown>;
  result: ColumnType<unknown, string | null | undefined, string>;
}

export interface TakeoutImportFileTable {
  import: string;
  name: string;
  accepted: number;
  refused: Json<unknown>;
}

export interface TakeoutTables {
  takeouts: TakeoutTable;
  takeout_files: TakeoutFileTable;
  takeout_imports: TakeoutImportTable;
  takeout_import_files: TakeoutImportFileTable;
}
