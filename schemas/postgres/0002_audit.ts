/**
 * The audit trail: one chain of events per tenant, and each chain's signed end. Triggers refuse whatever is not an
 * append, for owners and superusers too unless they switch the triggers off; then the chain and its head elsewhere tell.
 */
import { type Kysely, sql } from "kysely";

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable("audit_events")
    // No reference to tenants: a trail outlives what it tells of, and one chain belongs to none.
    .addColumn("tenant", "text", (c) => c.notNull())
    .addColumn("seq", "bigint", (c) => c.notNull().check(sql`seq > 0`))
    .addColumn("at", sql`timestamptz(3)`, (c) => c.notNull())
    .addColumn("actor_kind", "text", (c) => c.notNull())
    .addColumn("actor_id", "text", (c) => c.notNull())
    .addColumn("actor_name", "text", (c) => c.notNull())
    .addColumn("action", "text", (c) => c.notNull())
    .addColumn("target_kind", "text", (c) => c.notNull())
    .addColumn("target_id", "text", (c) => c.notNull())
    .addColumn("ip", "text", (c) => c.notNull())
    .addColumn("user_agent", "text", (c) => c.notNull())
    .addColumn("request_id", "text", (c) => c.notNull())
    .addColumn("result", "text", (c) => c.notNull().check(sql`result in ('ok', 'denied', 'failed')`))
    // Text, not jsonb: what was hashed is kept as it was.
    .addColumn("details", "text", (c) => c.notNull().check(sql`octet_length(details) <= 8192`))
    .addColumn("prev", "text", (c) => c.notNull().check(sql`prev ~ '^[0-9a-f]{64}$'`))
    .addColumn("hash", "text", (c) => c.notNull().check(sql`hash ~ '^[0-9a-f]{64}$'`))
    .addPrimaryKeyConstraint("audit_events_pkey", ["tenant", "seq"])
    .execute();
  for (const column of ["at", "action", "actor_id", "target_id"]) {
    await db.schema
      .createIndex(`audit_events_by_${column}`)
      .on("audit_events")
      .columns(["tenant", column, "seq"])
      .execute();
  }
  await db.schema
    .createTable("audit_chains")
    .addColumn("tenant", "text", (c) => c.primaryKey())
    .addColumn("seq", "bigint", (c) => c.notNull())
    .addColumn("hash", "text", (c) => c.notNull())
    .addColumn("at", sql`timestamptz(3)`, (c) => c.notNull())
    .addColumn("key_id", "text", (c) => c.notNull())
    .addColumn("signature", "text", (c) => c.notNull())
    .execute();
  await sql`create function audit_refuse() returns trigger language plpgsql as $$
    begin raise exception 'the audit trail only grows: % of % is refused', tg_op, tg_table_name
      using errcode = 'insufficient_privilege'; end $$`.execute(db);
  await sql`create function audit_advance() returns trigger language plpgsql as $$
    begin
      if new.tenant = old.tenant and (new.seq = old.seq + 1 or (new.seq = old.seq and new.hash = old.hash)) then return new; end if;
      raise exception 'the audit trail only grows: a head moves on by one event'
        using errcode = 'insufficient_privilege';
    end $$`.execute(db);
  await sql`create trigger audit_events_refuse before update or delete on audit_events
    for each row execute function audit_refuse()`.execute(db);
  await sql`create trigger audit_chains_refuse before delete on audit_chains
    for each row execute function audit_refuse()`.execute(db);
  await sql`create trigger audit_chains_advance before update on audit_chains
    for each row execute function audit_advance()`.execute(db);
  for (const table of ["audit_events", "audit_chains"]) {
    await sql`create trigger ${sql.ref(`${table}_truncate`)} before truncate on ${sql.table(table)}
      for each statement execute function audit_refuse()`.execute(db);
  }
  // Also in sessions that replay a replication stream, where ordinary triggers rest.
  for (const [table, trigger] of [
    ["audit_events", "audit_events_refuse"],
    ["audit_events", "audit_events_truncate"],
    ["audit_chains", "audit_chains_refuse"],
    ["audit_chains", "audit_chains_advance"],
    ["audit_chains", "audit_chains_truncate"],
  ] as const) {
    await sql`alter table ${sql.table(table)} enable always trigger ${sql.ref(trigger)}`.execute(db);
  }
};

export const down = async (db: Kysely<unknown>): Promise<void> => {
  for (const table of ["audit_chains", "audit_events"]) await db.schema.dropTable(table).execute();
  await sql`drop function audit_refuse()`.execute(db);
  await sql`drop function audit_advance()`.execute(db);
};
