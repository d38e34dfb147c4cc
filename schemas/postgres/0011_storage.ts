/** Tenants' own buckets. What opens one is sealed under a key of its tenant's. */
import { type Kysely, sql } from "kysely";

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable("storage_connections")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("kind", "text", (c) => c.notNull().check(sql`kind in ('s3', 'r2', 'gcs', 'compatible')`))
    .addColumn("endpoint", "text", (c) => c.notNull())
    .addColumn("region", "text", (c) => c.notNull())
    .addColumn("bucket", "text", (c) => c.notNull())
    .addColumn("prefix", "text", (c) => c.notNull())
    .addColumn("encryption", "text", (c) => c.notNull().check(sql`encryption in ('bucket', 'AES256', 'aws:kms')`))
    .addColumn("kms_key", "text", (c) => c.notNull())
    .addColumn("access_key_id", "text", (c) => c.notNull())
    .addColumn("secret_access_key", "text", (c) => c.notNull().check(sql`secret_access_key like 'v1.%'`))
    .addColumn("archive", "boolean", (c) => c.notNull())
    .addColumn("version", "integer", (c) => c.notNull().defaultTo(1))
    .addColumn("problem", "text", (c) => c.notNull().defaultTo(""))
    .addColumn("probed_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("updated_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addUniqueConstraint("storage_connections_by_name", ["tenant", "name"])
    .execute();
};

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema.dropTable("storage_connections").execute();
};
