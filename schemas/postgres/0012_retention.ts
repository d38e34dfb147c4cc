/** How long events are kept, and what is deleted before that. */
import { type Kysely, sql } from "kysely";

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable("retention_rules")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("definition", "jsonb", (c) => c.notNull())
    .addColumn("created_by", "text", (c) => c.notNull())
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("updated_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .execute();
  await db.schema.createIndex("retention_rules_by_tenant").on("retention_rules").column("tenant").execute();
  await db.schema
    .createTable("deletions")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    // DeletionScope as JSON; created_at is its cut.
    .addColumn("scope", "jsonb", (c) => c.notNull())
    .addColumn("reason", "text", (c) => c.notNull())
    .addColumn("requested_by", "text", (c) => c.notNull())
    .addColumn("created_at", "timestamptz", (c) => c.notNull())
    // Until then a replay could bring something back, and retention goes on looking.
    .addColumn("watched_until", "timestamptz", (c) => c.notNull())
    .addColumn("released", "boolean", (c) => c.notNull().defaultTo(false))
    .addColumn("certificate", "jsonb")
    .execute();
  await db.schema.createIndex("deletions_by_tenant").on("deletions").columns(["tenant", "created_at"]).execute();
};

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema.dropTable("deletions").execute();
  await db.schema.dropTable("retention_rules").execute();
};
