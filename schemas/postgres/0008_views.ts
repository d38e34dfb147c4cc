/** What people keep to look at again: saved views and dashboards, and the marks on their charts. */
import { type Kysely, sql } from "kysely";

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable("views")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("kind", "text", (c) => c.notNull().check(sql`kind in ('view', 'dashboard')`))
    // No foreign key: what he shared stays when a person leaves, and the name he had with it.
    .addColumn("owner", "text", (c) => c.notNull())
    .addColumn("owner_name", "text", (c) => c.notNull())
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("shared", "boolean", (c) => c.notNull().defaultTo(false))
    .addColumn("content", "jsonb", (c) => c.notNull())
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("updated_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .execute();
  await db.schema.createIndex("views_by_tenant").on("views").columns(["tenant", "kind", "created_at", "id"]).execute();
  await db.schema
    .createTable("annotations")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("kind", "text", (c) => c.notNull().check(sql`kind in ('deploy', 'alert', 'note')`))
    .addColumn("title", "text", (c) => c.notNull())
    .addColumn("service", "text", (c) => c.notNull().defaultTo(""))
    .addColumn("url", "text", (c) => c.notNull().defaultTo(""))
    .addColumn("at", "timestamptz", (c) => c.notNull())
    .addColumn("until", "timestamptz", (c) => c.check(sql`until >= at`))
    .addColumn("created_by", "text", (c) => c.notNull())
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .execute();
  await db.schema.createIndex("annotations_by_time").on("annotations").columns(["tenant", "at"]).execute();
};

export const down = async (db: Kysely<unknown>): Promise<void> => {
  for (const table of ["annotations", "views"]) await db.schema.dropTable(table).execute();
};
