/**
 * People, how they sign in and prove that they are themselves, the mail that is on its way to them, and the wrapped keys
 * that what is secret in other tables is encrypted with. Of whatever opens something, only a hash is here.
 */
import { type Kysely, sql } from "kysely";

const sha256 = (column: string) => sql`${sql.ref(column)} ~ '^[0-9a-f]{64}$'`;

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable("people")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("email", "text", (c) =>
      c.notNull().unique().check(sql`email = lower(email) and length(email) between 3 and 254`),
    )
    .addColumn("name", "text", (c) => c.notNull().defaultTo(""))
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("disabled_at", "timestamptz")
    .execute();
  await db.schema
    .createTable("sessions")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("token_hash", "text", (c) => c.notNull().unique().check(sha256("token_hash")))
    .addColumn("person", "text", (c) => c.notNull().references("people.id").onDelete("cascade"))
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("seen_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("expires_at", "timestamptz", (c) => c.notNull())
    .addColumn("ip", "text", (c) => c.notNull())
    .addColumn("user_agent", "text", (c) => c.notNull())
    .addColumn("method", "text", (c) => c.notNull())
    .addColumn("mfa_at", "timestamptz")
    .addColumn("organization", "text", (c) => c.references("tenants.id"))
    .execute();
  await db.schema.createIndex("sessions_by_person").on("sessions").columns(["person", "created_at"]).execute();
  // Whatever disables a person, no session of his is left behind.
  await sql`create function people_end_sessions() returns trigger language plpgsql as $$
    begin delete from sessions where person = new.id; return null; end $$`.execute(db);
  await sql`create trigger people_end_sessions after update of disabled_at on people
    for each row when (new.disabled_at is not null) execute function people_end_sessions()`.execute(db);
  await db.schema
    .createTable("sign_in_links")
    .addColumn("token_hash", "text", (c) => c.primaryKey().check(sha256("token_hash")))
    .addColumn("purpose", "text", (c) => c.notNull().check(sql`purpose in ('sign-in', 'email', 'first-owner')`))
    // The browser that asked; a first owner's link is asked for on a console.
    .addColumn("browser_hash", "text", (c) => c.check(sha256("browser_hash")))
    .addColumn("email", "text", (c) => c.notNull())
    .addColumn("person", "text", (c) => c.references("people.id").onDelete("cascade"))
    .addColumn("tenant", "text", (c) => c.references("tenants.id"))
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("expires_at", "timestamptz", (c) => c.notNull())
    .execute();
  await db.schema.createIndex("sign_in_links_by_end").on("sign_in_links").column("expires_at").execute();
  await db.schema
    .createTable("totp_factors")
    .addColumn("person", "text", (c) => c.primaryKey().references("people.id").onDelete("cascade"))
    .addColumn("secret", "text", (c) => c.notNull())
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    // Until a first code has shown that the app has it.
    .addColumn("confirmed_at", "timestamptz")
    // No code of this step or before is taken again.
    .addColumn("last_step", "bigint", (c) => c.notNull().defaultTo(0))
    .execute();
  await db.schema
    .createTable("recovery_codes")
    .addColumn("person", "text", (c) => c.notNull().references("people.id").onDelete("cascade"))
    .addColumn("code_hash", "text", (c) => c.notNull().check(sha256("code_hash")))
    .addPrimaryKeyConstraint("recovery_codes_pkey", ["person", "code_hash"])
    .execute();
  await db.schema
    .createTable("passkeys")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("person", "text", (c) => c.notNull().references("people.id").onDelete("cascade"))
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("public_key", "bytea", (c) => c.notNull())
    .addColumn("sign_count", "bigint", (c) => c.notNull())
    .addColumn("transports", sql`text[]`, (c) => c.notNull().defaultTo(sql`'{}'`))
    .addColumn("synced", "boolean", (c) => c.notNull())
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("used_at", "timestamptz")
    .execute();
  await db.schema.createIndex("passkeys_by_person").on("passkeys").columns(["person", "created_at"]).execute();
  await db.schema
    .createTable("webauthn_challenges")
    .addColumn("challenge", "text", (c) => c.primaryKey())
    .addColumn("purpose", "text", (c) => c.notNull().check(sql`purpose in ('register', 'sign-in', 'second-factor')`))
    .addColumn("person", "text", (c) => c.references("people.id").onDelete("cascade"))
    .addColumn("expires_at", "timestamptz", (c) => c.notNull())
    .execute();
  await db.schema
    .createTable("data_keys")
    .addColumn("id", "text", (c) => c.primaryKey())
    // A tenant, a person, or "system".
    .addColumn("owner", "text", (c) => c.notNull())
    .addColumn("wrapped", "text", (c) => c.notNull())
    .addColumn("wrapped_by", "text", (c) => c.notNull())
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("retired_at", "timestamptz")
    .execute();
  await sql`create unique index data_keys_in_use on data_keys (owner) where retired_at is null`.execute(db);
  await db.schema
    .createTable("mail_outbox")
    .addColumn("id", "bigserial", (c) => c.primaryKey())
    // Encrypted: a mail may hold what opens something.
    .addColumn("mail", "text", (c) => c.notNull())
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("expires_at", "timestamptz", (c) => c.notNull())
    .addColumn("next_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("attempts", "integer", (c) => c.notNull().defaultTo(0))
    .execute();
  await db.schema.createIndex("mail_outbox_by_next").on("mail_outbox").column("next_at").execute();
  await db.schema
    .alterTable("tenants")
    .addColumn("require_mfa", "boolean", (c) => c.notNull().defaultTo(false))
    .execute();
};

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema.alterTable("tenants").dropColumn("require_mfa").execute();
  for (const table of [
    "mail_outbox",
    "data_keys",
    "webauthn_challenges",
    "passkeys",
    "recovery_codes",
    "totp_factors",
    "sign_in_links",
    "sessions",
    "people",
  ])
    await db.schema.dropTable(table).execute();
  await sql`drop function people_end_sessions()`.execute(db);
};
