/** Organizations packed into files, and such files brought in. */
import { type Kysely, sql } from "kysely";

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable("takeouts")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("requested_by", "text", (c) => c.notNull())
    .addColumn("created_at", "timestamptz", (c) => c.notNull())
    .addColumn("expires_at", "timestamptz", (c) => c.notNull())
    // Null: the operator's store. Else a storage connection's id.
    .addColumn("connection", "text")
    .addColumn("parts", sql`text[]`, (c) => c.notNull())
    .addColumn("state", "text", (c) =>
      c
        .notNull()
        .check(sql`state in ('waiting', 'running', 'done', 'failed', 'cancelled', 'deleted')`)
        .defaultTo("waiting"),
    )
    .addColumn("problem", "text", (c) => c.notNull().defaultTo(""))
    // The cut and the offsets, once they are read; how far it is.
    .addColumn("cut", "jsonb")
    .addColumn("progress", "jsonb", (c) => c.notNull().defaultTo(sql`'{}'`))
    .addColumn("audit_seq", "bigint", (c) => c.notNull())
    .addColumn("finished_at", "timestamptz")
    // Who works on it, and until when nobody else does.
    .addColumn("worker", "text")
    .addColumn("worker_until", "timestamptz")
    .execute();
  await db.schema.createIndex("takeouts_by_tenant").on("takeouts").columns(["tenant", "created_at"]).execute();
  await sql`create unique index takeouts_one_open on takeouts (tenant) where state in ('waiting', 'running')`.execute(
    db,
  );
  await db.schema
    .createTable("takeout_files")
    .addColumn("takeout", "text", (c) => c.notNull().references("takeouts.id").onDelete("cascade"))
    .addColumn("name", "text", (c) => c.notNull())
    // What a part of the events covers, so that whoever goes on makes the same one.
    .addColumn("plan", "jsonb")
    // TakeoutFile, once it is written.
    .addColumn("file", "jsonb")
    .addPrimaryKeyConstraint("takeout_files_pkey", ["takeout", "name"])
    .execute();
  await db.schema
    .createTable("takeout_imports")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("takeout", "text", (c) => c.notNull())
    .addColumn("manifest", "jsonb", (c) => c.notNull())
    .addColumn("requested_by", "text", (c) => c.notNull())
    .addColumn("created_at", "timestamptz", (c) => c.notNull())
    .addColumn("finished_at", "timestamptz")
    // Ids of the other Astralog to ours, by kind.
    .addColumn("ids", "jsonb", (c) => c.notNull().defaultTo(sql`'{}'`))
    // What was made of each file of the configuration.
    .addColumn("notes", "jsonb", (c) => c.notNull().defaultTo(sql`'[]'`))
    .addColumn("result", "jsonb")
    .addUniqueConstraint("takeout_imports_once", ["tenant", "takeout"])
    .execute();
  await db.schema
    .createTable("takeout_import_files")
    .addColumn("import", "text", (c) => c.notNull().references("takeout_imports.id").onDelete("cascade"))
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("accepted", "bigint", (c) => c.notNull())
    .addColumn("refused", "jsonb", (c) => c.notNull())
    .addPrimaryKeyConstraint("takeout_import_files_pkey", ["import", "name"])
    .execute();
};

export const down = async (db: Kysely<unknown>): Promise<void> => {
  for (const table of ["takeout_import_files", "takeout_imports", "takeout_files", "takeouts"])
    await db.schema.dropTable(table).execute();
};
