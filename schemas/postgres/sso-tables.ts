/** The tables of 0005_sso as kysely sees them. */
import type { ColumnType, Generated } from "kysely";

type CreatedAt = ColumnType<Date, never, never>;

export interface SsoConnectionTable {
  /** sso_… */
  id: string;
  tenant: string;
  kind: "oidc" | "saml";
  name: string;
  enabled: Generated<boolean>;
  /** OIDC's issuer, SAML's entity id. */
  issuer: string;
  client_id: string | null;
  /** Sealed by the envelope, for the tenant. */
  client_secret: string | null;
  entry_point: string | null;
  /** PEM, as a JSON array; sealed like the secret. */
  certificates: string | null;
  /** Whether those whom it vouches for become members. */
  admits: Generated<boolean>;
  /** In this role, never as owners. */
  role: Generated<string>;
  /** Whether an address without `email_verified` counts as verified: some providers never say it. */
  trusts_email: Generated<boolean>;
  /** Where a SAML provider is told that somebody signs out. */
  logout_url: string | null;
  /** PEM of what we sign with for a SAML provider; sealed like the secret. */
  signing_key: string | null;
  signing_certificate: string | null;
  created_at: CreatedAt;
  changed_at: Generated<Date>;
}

export interface IdentityTable {
  /** idn_… */
  id: string;
  /** Of an organization's own provider with the connection in front: no other connection can speak in its name. */
  issuer: string;
  subject: string;
  person: string;
  connection: string | null;
  /** As the provider said when it was linked; it identifies nobody. */
  email: string;
  linked_at: CreatedAt;
  used_at: Generated<Date>;
}

export type FederatedWay = "github" | "google" | "oidc" | "saml";

export interface SsoRequestTable {
  /** ssr_… */
  id: string;
  way: FederatedWay;
  connection: string | null;
  person: string | null;
  state_hash: string;
  browser_hash: string;
  verifier: string;
  nonce: string;
  return_to: string;
  answer: ColumnType<Record<string, unknown> | null, string | null, string | null>;
  created_at: CreatedAt;
  expires_at: Date;
}

/** Assertions that were believed, and requests to sign somebody out, until they could not be shown again anyway. */
export interface SamlReplayTable {
  connection: string;
  assertion: string;
  expires_at: Date;
}

/** Identities that wait until the holder of their address proves it. */
export interface IdentityConfirmationTable {
  token_hash: string;
  browser_hash: string;
  way: FederatedWay;
  issuer: string;
  subject: string;
  email: string;
  person: string;
  connection: string | null;
  return_to: string;
  /** JSON of the provider's session, if it told of one. */
  provider_session: ColumnType<{ format: string; index: string } | null, string | null | undefined, never>;
  created_at: CreatedAt;
  expires_at: Date;
}

/** Sessions that a SAML provider may end. */
export interface SamlSessionTable {
  session: string;
  connection: string;
  name_id: string;
  name_id_format: string;
  session_index: string;
}

export interface DomainTable {
  /** dom_… */
  id: string;
  tenant: string;
  /** Lower case, in ASCII. */
  domain: string;
  /** What DNS must say. */
  token: string;
  created_at: CreatedAt;
  verified_at: Date | null;
}

export interface ScimTokenTable {
  /** sct_… */
  id: string;
  tenant: string;
  name: string;
  /** SHA-256 of the token, hex. */
  hash: string;
  last4: string;
  created_at: CreatedAt;
  expires_at: Date | null;
  revoked_at: Date | null;
  /** Kept to the minute. */
  used_at: Date | null;
}

/** A person as an organization's directory tells of him. */
export interface ScimUserTable {
  /** scu_… */
  id: string;
  tenant: string;
  person: string;
  user_name: string;
  external_id: string | null;
  given_name: Generated<string>;
  family_name: Generated<string>;
  display_name: Generated<string>;
  active: boolean;
  created_at: CreatedAt;
  changed_at: Generated<Date>;
}

/** Teams that a directory made. */
export interface ScimGroupTable {
  team: string;
  tenant: string;
  external_id: string | null;
  created_at: CreatedAt;
  changed_at: Generated<Date>;
}

export interface SsoTables {
  sso_connections: SsoConnectionTable;
  identities: IdentityTable;
  sso_requests: SsoRequestTable;
  saml_replay: SamlReplayTable;
  saml_sessions: SamlSessionTable;
  identity_confirmations: IdentityConfirmationTable;
  domains: DomainTable;
  scim_tokens: ScimTokenTable;
  scim_users: ScimUserTable;
  scim_groups: ScimGroupTable;
}
