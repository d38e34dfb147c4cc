/**
 * From what a provider vouches for to a session, a linked identity, or a letter to the holder of the address. Which of
 * them is decided by the one rule in identity-link.ts, and decided again in the transaction that acts on it.
 */
import { Fault } from "@astralog/chassis";
import { randomBase62 } from "@astralog/schemas";
import type { FederatedWay } from "@astralog/schemas/postgres";
import type { Request, Response } from "express";
import { recordAct } from "../audit/audit-trail.ts";
import { writeLetter } from "../mail/letter.ts";
import type { Mailer } from "../mail/mailer.ts";
import { recordPersonalAct } from "../people/acts.ts";
import { ensurePerson, findPerson, findPersonByEmail, type Person, plainEmail } from "../people/people.ts";
import type { Arrival, SignIn } from "../people/sign-in.ts";
import { askingBrowser } from "../people/sign-in-endpoints.ts";
import type { SignInLimits } from "../people/sign-in-limits.ts";
import { hashToken, newToken } from "../people/tokens.ts";
import { type Db, type Trx, withPostgres } from "../postgres.ts";
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

export const confirmMinutes = 10;

const reasons: Record<LinkRefusal, string> = {
  email_unverified: "The provider has not verified the e-mail address. Verify it there, then try again.",
  domain_not_verified: "This provider may not speak for that e-mail address: its domain is not the organization's.",
  identity_of_another: "That identity belongs to another account.",
  email_of_another: "That e-mail address belongs to another account.",
  not_invited: "Nobody has invited this e-mail address yet.",
};

const emailOf = ({ email }: Vouched): string | undefined => {
  const plain = plainEmail(email ?? "");
  return /^[^@\s\p{C}]{1,64}@[^@\s\p{C}]{1,189}$/u.test(plain) ? plain : undefined;
};
const nameOf = ({ name }: Vouched): string =>
  name
    .replace(/[\p{C}\u2028\u2029]/gu, "")
    .trim()
    .slice(0, 100);

/** No other connection speaks in the name of this one, whatever issuer it claims to be. */
const issuerOf = ({ connection, vouched }: Pick<Return, "connection" | "vouched">): string =>
  connection === undefined ? vouched.issuer : `${connection.id} ${vouched.issuer}`;

const identityOf = (trx: Db | Trx, one: Return) =>
  trx
    .selectFrom("identities")
    .selectAll()
    .where("issuer", "=", issuerOf(one))
    .where("subject", "=", one.vouched.subject)
    .executeTakeFirst();

const decide = async (deps: EnterDeps, trx: Db | Trx, one: Return): Promise<LinkDecision> => {
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
 * Faults: `account_disabled` when the organization's directory has deactivated him; `not_a_member`.
 */
export const admitMember = async (trx: Trx, connection: Connection, person: Person): Promise<boolean> => {
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
  await trx
    .insertInto("memberships")
    .values({ tenant, person: person.id, role, sources: null, created_by: id })
    .onConflict((conflict) => conflict.columns(["tenant", "person"]).doNothing())
    .execute();
  return true;
};

/** Where the browser goes next. Faults: `sign_in_refused` and those of SignIn. */
export const enter = async (deps: EnterDeps, request: Request, response: Response, one: Return): Promise<string> => {
  const { db, signIn } = deps;
  const decision = await withPostgres(() => decide(deps, db, one));
  if (decision.do === "refuse") throw refused(decision.reason);
  if (decision.do === "confirm") return askHolder(deps, request, response, one, decision);
  // Nobody's session is exchanged for linking something to it.
  if (one.person !== null) return linkToSelf(deps, request, response, one, decision);
  await signIn.arrive(request, response, async (trx) => {
    const again = await decide(deps, trx, one);
    if (again.do !== "enter" && again.do !== "create") throw refused("identity_of_another");
    const person =
      again.do === "create"
        ? await ensurePerson(trx, again.email, nameOf(one.vouched))
        : await findPerson(trx, again.person);
    if (person === undefined) throw refused("identity_of_another");
    return arriveAs(deps, trx, response, one, person, again.do === "create");
  });
  return one.returnTo;
};

const refused = (reason: LinkRefusal): Fault => new Fault("sign_in_refused", reasons[reason], { cause: reason });

/** The session of an organization's provider is good in that organization only. */
const arriveAs = async (
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
  return { person, method: way, organization: connection.tenant, mfaAt: new Date() };
};

const linkToSelf = async (
  { db, signIn }: EnterDeps,
  request: Request,
  response: Response,
  one: Return,
  decision: LinkDecision,
): Promise<string> => {
  const session = await signIn.sessionOf(request);
  if (session.person !== one.person) throw refused("identity_of_another");
  // It is his already: nothing to do.
  if (decision.do !== "link") return one.returnTo;
  const person = { id: session.person, email: session.email, name: session.name };
  await withPostgres(() =>
    db.transaction().execute(async (trx) => {
      const id = await addIdentity(trx, session.person, one);
      const details = { way: one.way, email: emailOf(one.vouched) ?? "" };
      const act = { action: "identity.linked", target: { kind: "identity", id }, details } as const;
      await recordPersonalAct(trx, signIn.by(response, person), session.person, act);
    }),
  );
  return one.returnTo;
};

const askHolder = async (
  { db, mailer, signIn, publicUrl, limits }: EnterDeps,
  request: Request,
  response: Response,
  one: Return,
  { person, email }: { readonly person: string; readonly email: string },
): Promise<string> => {
  await limits.links(request, response, email, signIn.isKnown(request, email));
  const token = newToken();
  const browser = askingBrowser(request, response);
  await withPostgres(() =>
    db.transaction().execute(async (trx) => {
      await trx
        .insertInto("identity_confirmations")
        .values({
          ...{ token_hash: hashToken(token), browser_hash: hashToken(browser), way: one.way, email, person },
          ...{ issuer: issuerOf(one), subject: one.vouched.subject, return_to: one.returnTo },
          connection: one.connection?.id ?? null,
          expires_at: new Date(Date.now() + confirmMinutes * 60_000),
        })
        .execute();
      const letter = writeLetter({
        to: email,
        subject: "Confirm a new way into your Astralog account",
        paragraphs: [
          `Somebody signed in ${nameOfWay(one)} with this address. Confirm that it was you and this way leads into your account from now on.`,
          `The link works once, for ${confirmMinutes} minutes, in the browser that was used.`,
        ],
        action: { label: "Confirm", url: `${publicUrl.origin}/sign-in/identity#${token}` },
        foot: "If this was not you, ignore this mail: nothing happens without the link, and nobody else can use it.",
      });
      await mailer.send(trx, letter, { minutes: confirmMinutes });
      const holder = await findPerson(trx, person);
      if (holder === undefined) throw refused("email_of_another");
      await recordPersonalAct(trx, signIn.by(response, holder), person, {
        ...{ action: "identity.confirmation_asked", target: { kind: "person", id: person } },
        details: { way: one.way, email },
      });
    }),
  );
  mailer.wake();
  return "/sign-in?confirm=identity";
};

const nameOfWay = ({ way, connection }: Return): string =>
  connection === undefined ? `by ${way === "github" ? "GitHub" : "Google"}` : `through ${connection.name}`;

/** The holder of the address proves it: the identity becomes his. Faults: `link_ended`, `link_elsewhere`, and SignIn's. */
export const confirmIdentity = (
  deps: EnterDeps,
  request: Request,
  response: Response,
  token: string,
  browser: string | undefined,
) => {
  let returnTo = "/";
  const arrived = deps.signIn.arrive(request, response, async (trx) => {
    const row = await trx
      .deleteFrom("identity_confirmations")
      .where("token_hash", "=", hashToken(token))
      .where("expires_at", ">", new Date())
      .returningAll()
      .executeTakeFirst();
    if (row === undefined)
      throw new Fault("link_ended", "This link was used before, is older than it may be, or never was one.");
    if (row.browser_hash !== hashToken(browser ?? ""))
      throw new Fault("link_elsewhere", "This link works in the browser that asked for it. Open it there.");
    const person = await findPerson(trx, row.person);
    const connection =
      row.connection === null
        ? undefined
        : await trx
            .selectFrom("sso_connections")
            .selectAll()
            .where("id", "=", row.connection)
            .where("enabled", "=", true)
            .executeTakeFirst();
    // The address, the connection or the domain may have changed hands since the letter was sent.
    if (person?.email !== row.email || (row.connection !== null && connection === undefined))
      throw new Fault("link_ended", "The account has changed since. Begin again.");
    const issuer = connection === undefined ? row.issuer : row.issuer.slice(connection.id.length + 1);
    const one: Return = {
      ...{ way: row.way, person: null, returnTo: row.return_to },
      ...(connection === undefined ? {} : { connection }),
      vouched: { issuer, subject: row.subject, email: row.email, emailVerified: true, name: "" },
    };
    const decision = await decide(deps, trx, one);
    if (decision.do !== "confirm" || decision.person !== person.id)
      throw new Fault("link_ended", "The account has changed since. Begin again.");
    returnTo = row.return_to;
    return arriveAs(deps, trx, response, one, person, true);
  });
  return arrived.then((answer) => ({ ...answer, return_to: returnTo }));
};
