/** Alerts: what people have said (rules, destinations, silences and the like), and what came of it. */
import { type Kysely, sql } from "kysely";

const now = sql`now()`;

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable("alert_rules")
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("version", "integer", (c) => c.notNull())
    .addColumn("effective_from", "timestamptz", (c) => c.notNull())
    .addColumn("definition", "jsonb", (c) => c.notNull())
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(now))
    .addColumn("updated_at", "timestamptz", (c) => c.notNull().defaultTo(now))
    // What was taken away keeps its version: one of the same name must not be taken for it.
    .addColumn("deleted_at", "timestamptz")
    .addPrimaryKeyConstraint("alert_rules_pkey", ["tenant", "id"])
    .execute();
  await db.schema
    .createTable("alert_destinations")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("kind", "text", (c) => c.notNull())
    .addColumn("settings", "jsonb", (c) => c.notNull())
    .addColumn("template", "jsonb", (c) => c.notNull())
    .addColumn("sealed", "text", (c) => c.notNull().defaultTo(""))
    .addColumn("standard", "boolean", (c) => c.notNull().defaultTo(false))
    .addColumn("version", "integer", (c) => c.notNull().defaultTo(1))
    .addColumn("disabled_at", "timestamptz")
    .addColumn("problem", "text", (c) => c.notNull().defaultTo(""))
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(now))
    .addColumn("updated_at", "timestamptz", (c) => c.notNull().defaultTo(now))
    .execute();
  await db.schema
    .createIndex("alert_destinations_by_tenant")
    .on("alert_destinations")
    .columns(["tenant", "created_at", "id"])
    .execute();
  await db.schema
    .createTable("alert_actions")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("kind", "text", (c) =>
      c.notNull().check(sql`kind in ('silence', 'maintenance', 'acknowledgement', 'snooze', 'resolution')`),
    )
    .addColumn("matchers", "jsonb", (c) => c.notNull())
    .addColumn("incident", "text", (c) => c.notNull().defaultTo(""))
    .addColumn("starts_at", "timestamptz", (c) => c.notNull().defaultTo(now))
    .addColumn("ends_at", "timestamptz")
    .addColumn("schedule", "jsonb")
    .addColumn("comment", "text", (c) => c.notNull().defaultTo(""))
    .addColumn("created_by", "text", (c) => c.notNull())
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(now))
    .execute();
  await db.schema
    .createIndex("alert_actions_by_tenant")
    .on("alert_actions")
    .columns(["tenant", "created_at", "id"])
    .execute();
  await db.schema
    .createIndex("alert_actions_by_incident")
    .on("alert_actions")
    .columns(["tenant", "incident"])
    .execute();
  await db.schema
    .createTable("alert_incidents")
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("rule", "text", (c) => c.notNull())
    .addColumn("state", "text", (c) => c.notNull())
    .addColumn("closed", "boolean", (c) => c.notNull())
    .addColumn("created_at", "timestamptz", (c) => c.notNull())
    // As the alerter has it, in the shape of schemas/src/alerts/delivery.ts.
    .addColumn("body", "jsonb", (c) => c.notNull())
    .addPrimaryKeyConstraint("alert_incidents_pkey", ["tenant", "id"])
    .execute();
  await db.schema
    .createIndex("alert_incidents_by_time")
    .on("alert_incidents")
    .columns(["tenant", "created_at", "id"])
    .execute();
  await db.schema
    .createTable("alert_changes")
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    // The transition's: who hears of it twice writes it once.
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("incident", "text", (c) => c.notNull())
    .addColumn("at", "timestamptz", (c) => c.notNull())
    .addColumn("body", "jsonb", (c) => c.notNull())
    .addPrimaryKeyConstraint("alert_changes_pkey", ["tenant", "id"])
    .execute();
  await db.schema
    .createIndex("alert_changes_by_incident")
    .on("alert_changes")
    .columns(["tenant", "incident", "at"])
    .execute();
  await db.schema
    .createTable("alert_notices")
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("destination", "text", (c) => c.notNull())
    .addColumn("status", "text", (c) => c.notNull())
    .addColumn("incidents", sql`text[]`, (c) => c.notNull())
    .addColumn("created_at", "timestamptz", (c) => c.notNull())
    .addColumn("body", "jsonb", (c) => c.notNull())
    .addPrimaryKeyConstraint("alert_notices_pkey", ["tenant", "id"])
    .execute();
  await db.schema
    .createIndex("alert_notices_by_time")
    .on("alert_notices")
    .columns(["tenant", "created_at", "id"])
    .execute();
};

export const down = async (db: Kysely<unknown>): Promise<void> => {
  for (const table of ["notices", "changes", "incidents", "actions", "destinations", "rules"])
    await db.schema.dropTable(`alert_${table}`).execute();
};
