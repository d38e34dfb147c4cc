/** The tables of saved views, dashboards and annotations. */
import type { ColumnType, Generated } from "kysely";

type CreatedAt = ColumnType<Date, never, never>;

export interface ViewTable {
  /** vw_ or db_ with random base62 behind. */
  id: string;
  tenant: string;
  kind: "view" | "dashboard";
  /** Id of the person, or the key, that made it. */
  owner: string;
  owner_name: string;
  name: string;
  /** Whether everybody in the organization sees it. */
  shared: Generated<boolean>;
  content: ColumnType<unknown, string, string>;
  created_at: CreatedAt;
  updated_at: ColumnType<Date, never, Date>;
}

export interface AnnotationTable {
  id: string;
  tenant: string;
  kind: "deploy" | "alert" | "note";
  title: string;
  service: Generated<string>;
  url: Generated<string>;
  at: Date;
  /** Of what lasted. */
  until: Date | null;
  created_by: string;
  created_at: CreatedAt;
}
