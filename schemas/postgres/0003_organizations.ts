/**
 * Who belongs to an organization and what they may do there: memberships, invitations, teams, roles; and the same limits
 * on keys. People have a table of their own only after this one (0004), so nothing here refers to it; a membership whose
 * person is gone opens nothing, because nobody can sign in as him.
 */
import { type Kysely, sql } from "kysely";

const id = (prefix: string) => sql`id ~ ${sql.lit(`^${prefix}_[0-9A-Za-z]{12}$`)}`;

export const up = async (db: Kysely<unknown>): Promise<void> => {
  // Anybody may call his organization what he likes. What a command made is found again by its handle instead.
  await db.schema
    .alterTable("tenants")
    .addColumn("handle", "text", (c) => c.unique())
    .execute();
  await sql`update tenants set handle = name`.execute(db);
  await db.schema.alterTable("tenants").dropConstraint("tenants_name_key").execute();
  await db.schema
    .createTable("roles")
    .addColumn("id", "text", (c) => c.primaryKey().check(id("rol")))
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("permissions", sql`text[]`, (c) => c.notNull())
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addUniqueConstraint("roles_tenant_name", ["tenant", "name"])
    .execute();
  await db.schema
    .createTable("memberships")
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("person", "text", (c) => c.notNull())
    // A built-in role's name or a role's id.
    .addColumn("role", "text", (c) => c.notNull())
    // Null: all of them.
    .addColumn("sources", sql`text[]`)
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("created_by", "text", (c) => c.notNull().defaultTo(""))
    .addPrimaryKeyConstraint("memberships_pkey", ["tenant", "person"])
    .addCheckConstraint("memberships_owner_sees_all", sql`role <> 'owner' or sources is null`)
    .execute();
  await db.schema.createIndex("memberships_by_person").on("memberships").column("person").execute();
  await db.schema
    .createTable("invitations")
    .addColumn("id", "text", (c) => c.primaryKey().check(id("inv")))
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("email", "text", (c) => c.notNull().check(sql`email = lower(email)`))
    .addColumn("role", "text", (c) => c.notNull())
    .addColumn("sources", sql`text[]`)
    .addColumn("token_hash", "text", (c) => c.notNull().unique().check(sql`token_hash ~ '^[0-9a-f]{64}$'`))
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn("created_by", "text", (c) => c.notNull())
    .addColumn("expires_at", "timestamptz", (c) => c.notNull())
    .addColumn("accepted_at", "timestamptz")
    .addColumn("revoked_at", "timestamptz")
    .addCheckConstraint("invitations_a_week_at_most", sql`expires_at <= created_at + interval '7 days'`)
    .execute();
  // One open invitation per address; a new one takes the old one's place.
  await sql`create unique index invitations_open on invitations (tenant, email)
    where accepted_at is null and revoked_at is null`.execute(db);
  await db.schema.createIndex("invitations_by_email").on("invitations").column("email").execute();
  await db.schema
    .createTable("teams")
    .addColumn("id", "text", (c) => c.primaryKey().check(id("tm")))
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("name", "text", (c) => c.notNull())
    // What its members see besides what they see anyway; null: all of them.
    .addColumn("sources", sql`text[]`)
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addUniqueConstraint("teams_tenant_name", ["tenant", "name"])
    .addUniqueConstraint("teams_tenant_id", ["tenant", "id"])
    .execute();
  await db.schema
    .createTable("team_members")
    .addColumn("tenant", "text", (c) => c.notNull())
    .addColumn("team", "text", (c) => c.notNull())
    .addColumn("person", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("team_members_pkey", ["team", "person"])
    .addForeignKeyConstraint("team_members_team", ["tenant", "team"], "teams", ["tenant", "id"], (c) =>
      c.onDelete("cascade"),
    )
    // Whoever leaves the organization leaves its teams.
    .addForeignKeyConstraint("team_members_member", ["tenant", "person"], "memberships", ["tenant", "person"], (c) =>
      c.onDelete("cascade"),
    )
    .execute();
  await db.schema.createIndex("team_members_by_person").on("team_members").columns(["tenant", "person"]).execute();
  await db.schema
    .alterTable("keys")
    // Empty: all that its kind may, all sources.
    .addColumn("permissions", sql`text[]`, (c) => c.notNull().defaultTo(sql`'{}'`))
    .addColumn("sources", sql`text[]`, (c) => c.notNull().defaultTo(sql`'{}'`))
    .addColumn("last_used_at", "timestamptz")
    .execute();
};

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .alterTable("keys")
    .dropColumn("permissions")
    .dropColumn("sources")
    .dropColumn("last_used_at")
    .execute();
  for (const table of ["team_members", "teams", "invitations", "memberships", "roles"]) {
    await db.schema.dropTable(table).execute();
  }
  await db.schema.alterTable("tenants").dropColumn("handle").execute();
  await db.schema.alterTable("tenants").addUniqueConstraint("tenants_name_key", ["name"]).execute();
};
