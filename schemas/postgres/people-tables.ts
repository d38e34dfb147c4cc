/** The tables of 0004_people as kysely sees them. */
import type { ColumnType, Generated } from "kysely";

type CreatedAt = ColumnType<Date, never, never>;

export interface PersonTable {
  /** usr_… */
  id: string;
  /** Lower case, and one person's alone. */
  email: string;
  name: Generated<string>;
  created_at: CreatedAt;
  /** The sessions of whoever is disabled end with it. */
  disabled_at: ColumnType<Date | null, never, Date | null>;
}

/** How a person came in; `passkey` and those of a provider stand for themselves. */
export type SignInMethod = "email" | "passkey" | "first-owner" | "github" | "google" | "oidc" | "saml";

export interface SessionTable {
  /** ses_…; names the session, opens nothing. */
  id: string;
  /** SHA-256 of what the cookie holds, hex. */
  token_hash: string;
  person: string;
  created_at: CreatedAt;
  /** Kept to the minute. */
  seen_at: Generated<Date>;
  /** However busy it is. */
  expires_at: Date;
  ip: string;
  user_agent: string;
  method: SignInMethod;
  /** When a second factor was last shown. */
  mfa_at: Date | null;
  /** Set when the session is good in one organization only. */
  organization: string | null;
}

export interface SignInLinkTable {
  token_hash: string;
  purpose: "sign-in" | "email" | "first-owner";
  browser_hash: string | null;
  email: string;
  /** Null leads nowhere, except to a new person where `tenant` or an invitation says so. */
  person: string | null;
  tenant: string | null;
  created_at: CreatedAt;
  expires_at: Date;
}

export interface TotpFactorTable {
  person: string;
  /** Sealed by the envelope, for the person. */
  secret: string;
  created_at: CreatedAt;
  confirmed_at: Date | null;
  last_step: Generated<number>;
}

export interface RecoveryCodeTable {
  person: string;
  code_hash: string;
}

export interface PasskeyTable {
  /** The credential's id, base64url. */
  id: string;
  person: string;
  name: string;
  public_key: Buffer;
  sign_count: number;
  transports: Generated<string[]>;
  /** Whether it lives in more than one device. */
  synced: boolean;
  created_at: CreatedAt;
  used_at: Date | null;
}

export interface WebauthnChallengeTable {
  challenge: string;
  purpose: "register" | "sign-in" | "second-factor";
  person: string | null;
  expires_at: Date;
}

/** Keys that sealed columns are encrypted with, themselves encrypted under a key of the configuration. */
export interface DataKeyTable {
  id: string;
  owner: string;
  wrapped: string;
  wrapped_by: string;
  created_at: CreatedAt;
  retired_at: Date | null;
}

/** Mail that no server has taken yet; a row is deleted once one has. */
export interface MailOutboxTable {
  id: ColumnType<number, never, never>;
  mail: string;
  created_at: CreatedAt;
  expires_at: Date;
  next_at: Generated<Date>;
  attempts: Generated<number>;
}

/** How often something was tried: by a hash of what it is and whose. */
export interface TriesTable {
  key: string;
  count: number;
  resets_at: Date;
}

export interface PeopleTables {
  people: PersonTable;
  sessions: SessionTable;
  sign_in_links: SignInLinkTable;
  totp_factors: TotpFactorTable;
  recovery_codes: RecoveryCodeTable;
  passkeys: PasskeyTable;
  webauthn_challenges: WebauthnChallengeTable;
  data_keys: DataKeyTable;
  mail_outbox: MailOutboxTable;
  tries: TriesTable;
}
