/** When an address belongs to an account already: its holder is asked by mail, and proves it in the browser that came. */
import { Fault, writeLetter } from "@astralog/chassis";
import type { Request, Response } from "express";
import { recordPersonalAct } from "../people/acts.ts";
import { findPerson } from "../people/people.ts";
import { askingBrowser } from "../people/sign-in-endpoints.ts";
import { hashToken, newToken } from "../people/tokens.ts";
import { withPostgres } from "../postgres.ts";
import { arriveAs, decide, type EnterDeps, issuerOf, type Return, refused } from "./vouched.ts";

const confirmMinutes = 10;

/** Where the browser goes next. */
export const askHolder = async (
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
          ...(one.vouched.providerSession === undefined
            ? {}
            : { provider_session: JSON.stringify(one.vouched.providerSession) }),
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
      vouched: {
        ...{ issuer, subject: row.subject, email: row.email, emailVerified: true, name: "" },
        ...(row.provider_session === null ? {} : { providerSession: row.provider_session }),
      },
    };
    const decision = await decide(deps, trx, one);
    if (decision.do !== "confirm" || decision.person !== person.id)
      throw new Fault("link_ended", "The account has changed since. Begin again.");
    returnTo = row.return_to;
    return arriveAs(deps, trx, response, one, person, true);
  });
  return arrived.then((answer) => ({ ...answer, return_to: returnTo }));
};
