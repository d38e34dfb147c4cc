/** What is brought back from tenants' buckets for a while; and the role that opens a bucket instead of keys. */
import { type Kysely, sql } from "kysely";

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable("rehydrations")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    // No reference: what was brought back outlives a connection that was ended.
    .addColumn("connection", "text", (c) => c.notNull())
    // Nobody else's until nothing of it is left.
    .addColumn("slot", "integer", (c) => c.unique())
    // Rehydration as JSON, without tenant, id, connection and slot.
    .addColumn("definition", "jsonb", (c) => c.notNull())
    .addColumn("events", "bigint", (c) => c.notNull())
    .addColumn("bytes", "bigint", (c) => c.notNull())
    .addColumn("requested_by", "text", (c) => c.notNull())
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("ends_at", "timestamptz", (c) => c.notNull())
    .addColumn("ended_at", "timestamptz")
    .execute();
  await db.schema
    .alterTable("storage_connections")
    .addColumn("role_arn", "text", (c) => c.notNull().defaultTo(""))
    .execute();
  await db.schema.createIndex("rehydrations_by_tenant").on("rehydrations").columns(["tenant", "created_at"]).execute();
};

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema.alterTable("storage_connections").dropColumn("role_arn").execute();
  await db.schema.dropTable("rehydrations").execute();
};
