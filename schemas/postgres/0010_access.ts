/** SAML sign-out: our signing keys, where providers are told, and which sessions are theirs. Counts of tries. */
import { type Kysely, sql } from "kysely";

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .alterTable("sso_connections")
    .addColumn("logout_url", "text")
    // Sealed; made when it is first needed.
    .addColumn("signing_key", "text")
    .addColumn("signing_certificate", "text")
    .execute();
  await db.schema.alterTable("identity_confirmations").addColumn("provider_session", "jsonb").execute();
  await db.schema
    .createTable("saml_sessions")
    .addColumn("session", "text", (c) => c.primaryKey().references("sessions.id").onDelete("cascade"))
    .addColumn("connection", "text", (c) => c.notNull().references("sso_connections.id").onDelete("cascade"))
    .addColumn("name_id", "text", (c) => c.notNull())
    .addColumn("name_id_format", "text", (c) => c.notNull())
    .addColumn("session_index", "text", (c) => c.notNull())
    .execute();
  await db.schema.createIndex("saml_sessions_by_name").on("saml_sessions").columns(["connection", "name_id"]).execute();
  // Unlogged: what it holds is over in minutes, and a crash of the database may forgive a few tries.
  await sql`create unlogged table tries (
    key text primary key check (key ~ '^[0-9a-f]{64}$'),
    count integer not null,
    resets_at timestamptz not null
  )`.execute(db);
  await db.schema.createIndex("tries_by_end").on("tries").column("resets_at").execute();
};

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema.dropTable("tries").execute();
  await db.schema.dropTable("saml_sessions").execute();
  await db.schema.alterTable("identity_confirmations").dropColumn("provider_session").execute();
  for (const column of ["logout_url", "signing_key", "signing_certificate"])
    await db.schema.alterTable("sso_connections").dropColumn(column).execute();
};
