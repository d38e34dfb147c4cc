/** Tenants, sources, keys, and the outbox that carries their changes to Kafka. */
import { type Kysely, sql } from "kysely";

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable("tenants")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("name", "text", (c) => c.notNull().unique())
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .execute();
  await db.schema
    .createTable("sources")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("disabled", "boolean", (c) => c.notNull().defaultTo(false))
    .addColumn("retention_days", "integer", (c) =>
      c.notNull().defaultTo(30).check(sql`retention_days between 1 and 3650`),
    )
    .addColumn("partitions", "integer", (c) => c.notNull().defaultTo(4).check(sql`partitions between 1 and 1000`))
    .addColumn("max_bytes_per_second", "bigint", (c) => c.notNull().defaultTo(0).check(sql`max_bytes_per_second >= 0`))
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addUniqueConstraint("sources_tenant_name", ["tenant", "name"])
    // So that a key can be held to a source of its own tenant.
    .addUniqueConstraint("sources_tenant_id", ["tenant", "id"])
    .execute();
  await db.schema
    .createTable("keys")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("source", "text")
    .addColumn("kind", "text", (c) => c.notNull().check(sql`kind in ('ingest', 'query', 'admin')`))
    .addColumn("hash", "text", (c) => c.notNull().unique().check(sql`hash ~ '^[0-9a-f]{64}$'`))
    .addColumn("prefix", "text", (c) => c.notNull())
    .addColumn("last4", "text", (c) => c.notNull())
    .addColumn("name", "text", (c) => c.notNull().defaultTo(""))
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("expires_at", "timestamptz")
    .addColumn("revoked_at", "timestamptz")
    .addColumn("rotated_from", "text", (c) => c.references("keys.id"))
    .addColumn("ip_allowlist", sql`text[]`, (c) => c.notNull().defaultTo(sql`'{}'`))
    .addForeignKeyConstraint("keys_source_of_tenant", ["tenant", "source"], "sources", ["tenant", "id"])
    .addCheckConstraint("keys_source_by_kind", sql`(kind = 'ingest') = (source is not null)`)
    .execute();
  await db.schema.createIndex("keys_by_tenant").on("keys").columns(["tenant", "created_at"]).execute();
  await db.schema
    .createTable("outbox")
    .addColumn("id", "bigserial", (c) => c.primaryKey())
    .addColumn("topic", "text", (c) => c.notNull())
    .addColumn("key", "text", (c) => c.notNull())
    .addColumn("value", "jsonb")
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .execute();
  // By a trigger, so that nobody who writes a row can forget to wake the relay.
  await sql`create function outbox_notify() returns trigger language plpgsql as $$
    begin perform pg_notify('outbox', ''); return null; end $$`.execute(db);
  await sql`create trigger outbox_notify after insert on outbox
    for each statement execute function outbox_notify()`.execute(db);
};

export const down = async (db: Kysely<unknown>): Promise<void> => {
  for (const table of ["outbox", "keys", "sources", "tenants"]) await db.schema.dropTable(table).execute();
  await sql`drop function outbox_notify()`.execute(db);
};
