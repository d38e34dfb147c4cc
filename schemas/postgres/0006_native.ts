/** Kafka-native producers: users of the cluster that write to their source's own topic. */
import { type Kysely, sql } from "kysely";

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .alterTable("sources")
    // Partition of events.clean by partition of native.<source>; a place in it never changes once it is there.
    .addColumn("native_partitions", sql`integer[]`, (c) => c.notNull().defaultTo(sql`'{}'`))
    .execute();
  await db.schema
    .createTable("producers")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("source", "text", (c) => c.notNull())
    .addColumn("name", "text", (c) => c.notNull().defaultTo(""))
    .addColumn("username", "text", (c) => c.notNull().unique())
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("expires_at", "timestamptz")
    .addColumn("revoked_at", "timestamptz")
    .addColumn("rotated_from", "text", (c) => c.references("producers.id"))
    .addColumn("closed_at", "timestamptz")
    .addForeignKeyConstraint("producers_source_of_tenant", ["tenant", "source"], "sources", ["tenant", "id"])
    .execute();
  await db.schema.createIndex("producers_by_tenant").on("producers").columns(["tenant", "created_at"]).execute();
  await sql`create index producers_open on producers (source) where closed_at is null`.execute(db);
};

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema.dropTable("producers").execute();
  await db.schema.alterTable("sources").dropColumn("native_partitions").execute();
};
