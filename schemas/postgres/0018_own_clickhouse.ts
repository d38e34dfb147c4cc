/** Tenants' own ClickHouse servers. What opens one is sealed under a key of its tenant's. */
import { type Kysely, sql } from "kysely";

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable("clickhouse_connections")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("url", "text", (c) => c.notNull())
    .addColumn("username", "text", (c) => c.notNull())
    .addColumn("password", "text", (c) => c.notNull().check(sql`password like 'v1.%'`))
    .addColumn("database", "text", (c) => c.notNull())
    .addColumn("cluster", "text", (c) => c.notNull())
    .addColumn("mode", "text", (c) => c.notNull().check(sql`mode in ('off', 'beside', 'instead')`))
    .addColumn("server_version", "text", (c) => c.notNull())
    .addColumn("version", "integer", (c) => c.notNull().defaultTo(1))
    .addColumn("problem", "text", (c) => c.notNull().defaultTo(""))
    .addColumn("probed_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("updated_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addUniqueConstraint("clickhouse_connections_by_name", ["tenant", "name"])
    .execute();
  // Events that are nowhere else have one home.
  await db.schema
    .createIndex("clickhouse_connections_instead")
    .unique()
    .on("clickhouse_connections")
    .column("tenant")
    .where(sql.ref("mode"), "=", "instead")
    .execute();
};

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema.dropTable("clickhouse_connections").execute();
};
