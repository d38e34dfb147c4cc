/**
 * Ways in through others: whose account an identity of GitHub, Google or an organization's own provider is, the
 * connections and domains of organizations, exchanges with providers that are under way, and provisioning by SCIM.
 */
import { type Kysely, sql } from "kysely";

const sha256 = (column: string) => sql`${sql.ref(column)} ~ '^[0-9a-f]{64}$'`;
const now = sql`now()`;

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable("sso_connections")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("kind", "text", (c) => c.notNull().check(sql`kind in ('oidc', 'saml')`))
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("enabled", "boolean", (c) => c.notNull().defaultTo(true))
    .addColumn("issuer", "text", (c) => c.notNull())
    .addColumn("client_id", "text")
    .addColumn("client_secret", "text")
    .addColumn("entry_point", "text")
    .addColumn("certificates", "text")
    // Whom it vouches for becomes a member, in this role.
    .addColumn("admits", "boolean", (c) => c.notNull().defaultTo(true))
    .addColumn("role", "text", (c) => c.notNull().defaultTo("read-only").check(sql`role <> 'owner'`))
    .addColumn("trusts_email", "boolean", (c) => c.notNull().defaultTo(false))
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(now))
    .addColumn("changed_at", "timestamptz", (c) => c.notNull().defaultTo(now))
    .addUniqueConstraint("sso_connections_name", ["tenant", "name"])
    .addCheckConstraint(
      "sso_connections_complete",
      sql`case kind when 'oidc' then client_id is not null and client_secret is not null
        else entry_point is not null and certificates is not null end`,
    )
    .execute();
  await db.schema
    .createTable("identities")
    .addColumn("id", "text", (c) => c.notNull().unique())
    .addColumn("issuer", "text", (c) => c.notNull())
    .addColumn("subject", "text", (c) => c.notNull())
    .addColumn("person", "text", (c) => c.notNull().references("people.id").onDelete("cascade"))
    .addColumn("connection", "text", (c) => c.references("sso_connections.id").onDelete("cascade"))
    .addColumn("email", "text", (c) => c.notNull())
    .addColumn("linked_at", "timestamptz", (c) => c.notNull().defaultTo(now))
    .addColumn("used_at", "timestamptz", (c) => c.notNull().defaultTo(now))
    .addPrimaryKeyConstraint("identities_pkey", ["issuer", "subject"])
    .execute();
  await db.schema.createIndex("identities_by_person").on("identities").column("person").execute();
  await db.schema
    .createTable("sso_requests")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("way", "text", (c) => c.notNull().check(sql`way in ('github', 'google', 'oidc', 'saml')`))
    .addColumn("connection", "text", (c) => c.references("sso_connections.id").onDelete("cascade"))
    // Set when a person who is signed in asked for it, to link an identity to himself.
    .addColumn("person", "text", (c) => c.references("people.id").onDelete("cascade"))
    // SHA-256 of OAuth's state, or of the SAML request's id.
    .addColumn("state_hash", "text", (c) => c.notNull().unique().check(sha256("state_hash")))
    .addColumn("browser_hash", "text", (c) => c.notNull().check(sha256("browser_hash")))
    // PKCE's, which opens nothing without the provider's code.
    .addColumn("verifier", "text", (c) => c.notNull())
    .addColumn("nonce", "text", (c) => c.notNull())
    .addColumn("return_to", "text", (c) => c.notNull())
    // What a SAML assertion said, until the browser that began comes for it.
    .addColumn("answer", "jsonb")
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(now))
    .addColumn("expires_at", "timestamptz", (c) => c.notNull())
    .execute();
  await db.schema.createIndex("sso_requests_by_end").on("sso_requests").column("expires_at").execute();
  await db.schema
    .createTable("saml_replay")
    .addColumn("connection", "text", (c) => c.notNull().references("sso_connections.id").onDelete("cascade"))
    .addColumn("assertion", "text", (c) => c.notNull())
    .addColumn("expires_at", "timestamptz", (c) => c.notNull())
    .addPrimaryKeyConstraint("saml_replay_pkey", ["connection", "assertion"])
    .execute();
  await db.schema
    .createTable("identity_confirmations")
    .addColumn("token_hash", "text", (c) => c.primaryKey().check(sha256("token_hash")))
    .addColumn("browser_hash", "text", (c) => c.notNull().check(sha256("browser_hash")))
    .addColumn("way", "text", (c) => c.notNull())
    .addColumn("issuer", "text", (c) => c.notNull())
    .addColumn("subject", "text", (c) => c.notNull())
    .addColumn("email", "text", (c) => c.notNull())
    .addColumn("person", "text", (c) => c.notNull().references("people.id").onDelete("cascade"))
    .addColumn("connection", "text", (c) => c.references("sso_connections.id").onDelete("cascade"))
    .addColumn("return_to", "text", (c) => c.notNull())
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(now))
    .addColumn("expires_at", "timestamptz", (c) => c.notNull())
    .execute();
  await db.schema
    .createTable("domains")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("domain", "text", (c) => c.notNull().check(sql`domain = lower(domain)`))
    .addColumn("token", "text", (c) => c.notNull())
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(now))
    .addColumn("verified_at", "timestamptz")
    .addUniqueConstraint("domains_claim", ["tenant", "domain"])
    .execute();
  // Anybody may claim a domain; one organization has it.
  await sql`create unique index domains_verified on domains (domain) where verified_at is not null`.execute(db);
  await db.schema
    .createTable("scim_tokens")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("hash", "text", (c) => c.notNull().unique().check(sha256("hash")))
    .addColumn("last4", "text", (c) => c.notNull())
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(now))
    .addColumn("expires_at", "timestamptz")
    .addColumn("revoked_at", "timestamptz")
    .addColumn("used_at", "timestamptz")
    .execute();
  await db.schema
    .createTable("scim_users")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("person", "text", (c) => c.notNull().references("people.id").onDelete("cascade"))
    .addColumn("user_name", "text", (c) => c.notNull())
    .addColumn("external_id", "text")
    .addColumn("given_name", "text", (c) => c.notNull().defaultTo(""))
    .addColumn("family_name", "text", (c) => c.notNull().defaultTo(""))
    .addColumn("display_name", "text", (c) => c.notNull().defaultTo(""))
    .addColumn("active", "boolean", (c) => c.notNull())
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(now))
    .addColumn("changed_at", "timestamptz", (c) => c.notNull().defaultTo(now))
    .addUniqueConstraint("scim_users_person", ["tenant", "person"])
    .execute();
  await sql`create unique index scim_users_name on scim_users (tenant, lower(user_name))`.execute(db);
  await sql`create index scim_users_external on scim_users (tenant, external_id)`.execute(db);
  await db.schema
    .createTable("scim_groups")
    .addColumn("team", "text", (c) => c.primaryKey().references("teams.id").onDelete("cascade"))
    .addColumn("tenant", "text", (c) => c.notNull().references("tenants.id"))
    .addColumn("external_id", "text")
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(now))
    .addColumn("changed_at", "timestamptz", (c) => c.notNull().defaultTo(now))
    .execute();
  await db.schema
    .alterTable("tenants")
    .addColumn("sso_only", "boolean", (c) => c.notNull().defaultTo(false))
    .execute();
};

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema.alterTable("tenants").dropColumn("sso_only").execute();
  for (const table of [
    "scim_groups",
    "scim_users",
    "scim_tokens",
    "domains",
    "identity_confirmations",
    "saml_replay",
    "sso_requests",
    "identities",
    "sso_connections",
  ])
    await db.schema.dropTable(table).execute();
};
