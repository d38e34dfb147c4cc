/**
 * What a provider vouches for, whose identity that is, and what it means to come in with it. Which of several things is to
 * be done is decided by the one rule in identity-link.ts.
 */
import { Fault } from "@astralog/chassis";
import { randomBase62 } from "@astralog/schemas";
import type { FederatedWay } from "@astralog/schemas/postgres";
import type { Response } from "express";
import { recordAct } from "../audit/audit-trail.ts";
import type { Mailer } from "../mail/mailer.ts";
import { lockOrganization } from "../organizations/organizations.ts";
import { findPersonByEmail, type Person, plainEmail } from "../people/people.ts";
import type { Arrival, SignIn } from "../people/sign-in.ts";
import type { SignInLimits } from "../people/sign-in-limits.ts";
import { mustHaveSeat } from "../plans/seats.ts";
import type { Db, Trx } from "../postgres.ts";
import type { Connection } from "./connections.ts";
import { verifiedDomains } from "./domains.ts";
import { decideLink, type LinkDecision, type LinkRefusal } from "./identity-link.ts";

/** What a provider says of whom it has just seen. */
export interface Vouched {
  readonly issuer: string;
  readonly subject: string;
  readonly email?: string;
  readonly emailVerified: boolean;
  readonly name: string;
  /** Of a SAML provider: by these and the subject it tells which session it means. */
  readonly providerSession?: { readonly format: string; readonly index: string };
}

/** How, and for what, somebody came back from a provider. */
export interface Return {
  readonly way: FederatedWay;
  /** Of an organization's own provider. */
  readonly connection?: Connection;
  readonly vouched: Vouched;
  /** The person in whose session it was begun, to link an identity to himself. */
  readonly person: string | null;
  readonly returnTo: string;
}

export interface EnterDeps {
  readonly db: Db;
  readonly signIn: SignIn;
  readonly mailer: Mailer;
  readonly publicUrl: URL;
  readonly limits: Pick<SignInLimits, "links">;
  /** Whether somebody who has no account yet is waited for at that address. */
  readonly isInvited: (db: Db | Trx, email: string) => Promise<boolean>;
}

const reasons: Record<LinkRefusal, string> = {
  email_unverified: "The provider has not verified the e-mail address. Verify it there, then try again.",
  domain_not_verified: "This provider may not speak for that e-mail address: its domain is not the organization's.",
  identity_of_another: "That identity belongs to another account.",
  email_of_another: "That e-mail address belongs to another account.",
  not_invited: "Nobody has invited this e-mail address yet.",
};

export const emailOf = ({ email }: Vouched): string | undefined => {
  const plain = plainEmail(email ?? "");
  return /^[^@\s\p{C}]{1,64}@[^@\s\p{C}]{1,189}$/u.test(plain) ? plain : undefined;
};
export const nameOf = ({ name }: Vouched): string =>
  name
    .replace(/[\p{C}\u2028\u2029]/gu, "")
    .trim()
    .slice(0, 100);

/** No other connection speaks in the name of this one, whatever issuer it claims to be. */
export const issuerOf = ({ connection, vouched }: Pick<Return, "connection" | "vouched">): string =>
  connection === undefined ? vouched.issuer : `${connection.id} ${vouched.issuer}`;

const identityOf = (trx: Db | Trx, one: Return) =>
  trx
    .selectFrom("identities")
    .selectAll()
    .where("issuer", "=", issuerOf(one))
    .where("subject", "=", one.vouched.subject)
    .executeTakeFirst();

export const decide = async (deps: EnterDeps, trx: Db | Trx, one: Return): Promise<LinkDecision> => {
  const { connection, vouched, person } = one;
  const email = emailOf(vouched);
  const [known, holder] = [
    await identityOf(trx, one),
    email === undefined ? undefined : await findPersonByEmail(trx, email),
  ];
  return decideLink({
    asserted: { email, emailVerified: vouched.emailVerified },
    domains: connection === undefined ? undefined : await verifiedDomains(trx, connection.tenant),
    known: known?.person,
    holder: holder?.id,
    signedIn: person ?? undefined,
    mayJoin: connection?.admits ?? (email !== undefined && (await deps.isInvited(trx, email))),
  });
};

export const addIdentity = async (trx: Trx, person: string, one: Return): Promise<string> => {
  const id = `idn_${randomBase62(12)}`;
  await trx
    .insertInto("identities")
    .values({
      ...{ id, person, issuer: issuerOf(one), subject: one.vouched.subject },
      connection: one.connection?.id ?? null,
      email: emailOf(one.vouched) ?? "",
    })
    .execute();
  return id;
};

/**
 * Makes whom an organization's provider vouches for a member, in the least role it gives.
 * Faults: `account_disabled` when the organization's directory has deactivated him; `not_a_member`; `over_plan`.
 */
const admitMember = async (trx: Trx, connection: Connection, person: Person): Promise<boolean> => {
  const { tenant, admits, role, id } = connection;
  const listed = await trx
    .selectFrom("scim_users")
    .select("active")
    .where("tenant", "=", tenant)
    .where("person", "=", person.id)
    .executeTakeFirst();
  if (listed?.active === false)
    throw new Fault("account_disabled", "Your organization's directory has deactivated this account.");
  const member = await trx
    .selectFrom("memberships")
    .select("role")
    .where("tenant", "=", tenant)
    .where("person", "=", person.id)
    .executeTakeFirst();
  if (member !== undefined) return false;
  if (!admits) throw new Fault("not_a_member", "You are no member of the organization; ask there for an invitation.");
  await lockOrganization(trx, tenant);
  await mustHaveSeat(trx, tenant, person.email);
  await trx
    .insertInto("memberships")
    .values({ tenant, person: person.id, role, sources: null, created_by: id })
    .onConflict((conflict) => conflict.columns(["tenant", "person"]).doNothing())
    .execute();
  return true;
};

export const refused = (reason: LinkRefusal): Fault => new Fault("sign_in_refused", reasons[reason], { cause: reason });

/** The session of an organization's provider is good in that organization only. */
export const arriveAs = async (
  { signIn }: EnterDeps,
  trx: Trx,
  response: Response,
  one: Return,
  person: Person,
  fresh: boolean,
): Promise<Arrival> => {
  const { connection, way, vouched } = one;
  if (fresh) await addIdentity(trx, person.id, one);
  else {
    await trx
      .updateTable("identities")
      .set({ used_at: new Date() })
      .where("issuer", "=", issuerOf(one))
      .where("subject", "=", vouched.subject)
      .execute();
  }
  if (connection === undefined) return { person, method: way };
  if (await admitMember(trx, connection, person)) {
    const details = { email: person.email, role: connection.role, connection: connection.id };
    const target = { kind: "person", id: person.id };
    const { tenant } = connection;
    await recordAct(trx, signIn.by(response, person), { tenant, action: "sso.member_admitted", target, details });
  }
  // Within its own organization the provider answers for how its people prove themselves.
  const arrival = { person, method: way, organization: connection.tenant, mfaAt: new Date() };
  const { providerSession: theirs } = vouched;
  if (theirs === undefined) return arrival;
  const started = async (session: string): Promise<void> => {
    const names = { name_id: vouched.subject, name_id_format: theirs.format, session_index: theirs.index };
    await trx
      .insertInto("saml_sessions")
      .values({ session, connection: connection.id, ...names })
      .execute();
  };
  return { ...arrival, started };
};
