/** The ways in: a link by mail, a passkey, the first owner's link; and out. */
import { Fault } from "@astralog/chassis";
import type { Request, Response } from "express";
import { z } from "zod";
import type { AuditCounts } from "../audit/audit-counts.ts";
import type { Audit } from "../audit/audit-request.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import type { Mailer } from "../mail/mailer.ts";
import { type Db, type Trx, withPostgres } from "../postgres.ts";
import { chainsOf, recordPersonalAct } from "./acts.ts";
import { readCookie, setCookie } from "./cookies.ts";
import { becomeFirstOwner } from "./first-owner.ts";
import { oldAddressLetter, signInLetter } from "./letters.ts";
import { linkMinutes, makeLink, takeLink } from "./links.ts";
import type { Passkeys } from "./passkeys.ts";
import { ensurePerson, findPerson, findPersonByEmail, moveToEmail, type Person, plainEmail } from "./people.ts";
import { refuseCrossSite } from "./same-site.ts";
import type { Sessions } from "./sessions.ts";
import { browserAnswer, browserOptions, email, linkToken, name, signedIn } from "./shapes.ts";
import type { SignIn } from "./sign-in.ts";
import type { SignInLimits } from "./sign-in-limits.ts";
import { newToken, tokenForm } from "./tokens.ts";

/** Where a button of the sign-in page leads. */
export interface Provider {
  readonly id: string;
  readonly name: string;
  readonly url: string;
}

export interface SignInEndpointsDeps {
  readonly db: Db;
  readonly audit: Audit;
  readonly counts: AuditCounts;
  readonly mailer: Mailer;
  readonly sessions: Sessions;
  readonly signIn: SignIn;
  readonly passkeys: Passkeys;
  readonly limits: SignInLimits;
  readonly publicUrl: URL;
  readonly providers: () => readonly Provider[];
  /** Whether somebody who has no account yet is waited for at that address. */
  readonly isInvited: (db: Db, email: string) => Promise<boolean>;
  /** Where a browser goes that signs out of this session, if anywhere; asked before it ends. */
  readonly leave: (session: string) => Promise<string | undefined>;
}

/** Longer than a link, so that the page can say that it is too old. */
const askingSeconds = linkMinutes * 60 * 3;
const providerView = z.object({ id: z.string(), name: z.string(), url: z.string() });

/** The asking browser's mark, made when it has none. Links that it asked for before stay good. */
export const askingBrowser = (request: Request, response: Response): string => {
  const given = readCookie(request, "asking") ?? "";
  const browser = tokenForm.test(given) ? given : newToken();
  setCookie(response, "asking", browser, askingSeconds);
  return browser;
};

export const createSignInEndpoints = (deps: SignInEndpointsDeps): Endpoint[] => {
  const { db, audit, counts, mailer, sessions, signIn, passkeys, limits, publicUrl, leave } = deps;
  const tag = "sign-in";
  const access = "anyone" as const;
  const { origin } = publicUrl;

  const methods = endpoint({
    ...{ method: "get", path: "/auth/methods", access, tag, summary: "Which ways in there are" },
    success: { status: 200, body: z.object({ public_url: z.string(), providers: z.array(providerView) }) },
    handle: () => ({ public_url: origin, providers: deps.providers() }),
  });

  const state = endpoint({
    ...{ method: "get", path: "/auth/session", access, tag, summary: "Whether this browser is signed in" },
    success: {
      status: 200,
      body: z.object({ state: z.enum(["none", "second-factor", "open"]), factors: z.array(z.string()) }),
    },
    handle: ({ request }) =>
      withPostgres(async () => {
        const session = await sessions.find(readCookie(request, "session") ?? "");
        if (session === undefined) return { state: "none", factors: [] };
        if (session.complete) return { state: "open", factors: [] };
        const keys = await passkeys.list(db, session.person);
        const app = await db
          .selectFrom("totp_factors")
          .select("person")
          .where("person", "=", session.person)
          .where("confirmed_at", "is not", null)
          .executeTakeFirst();
        return {
          state: "second-factor",
          factors: [...(keys.length > 0 ? ["passkey"] : []), ...(app === undefined ? [] : ["totp"]), "recovery-code"],
        };
      }),
  });

  const ask = endpoint({
    ...{ method: "post", path: "/auth/link", access, tag, summary: "Ask for a sign-in link by mail" },
    body: z.strictObject({ email }),
    success: { status: 202, body: z.object({ minutes: z.int() }) },
    handle: async ({ body, request, response }) => {
      refuseCrossSite(request, origin);
      const to = plainEmail(body.email);
      await limits.links(request, response, to, signIn.isKnown(request, to));
      const browser = askingBrowser(request, response);
      // The same statements for everybody: neither the answer nor its time tells whether somebody is known here.
      const person = await withPostgres(async () => {
        const found = await findPersonByEmail(db, to);
        const invited = await deps.isInvited(db, to);
        const known = found === undefined ? invited : found.disabled_at === null;
        await db.transaction().execute(async (trx) => {
          const link = { purpose: "sign-in", email: to, person: found?.id ?? null, browser } as const;
          const token = await makeLink(trx, link);
          const letter = signInLetter(to, `${origin}/sign-in/link#${token}`, linkMinutes);
          await mailer.send(trx, letter, { minutes: linkMinutes, deliver: known });
        });
        return found;
      });
      mailer.wake();
      // Counted, not awaited: it would take longer for those who are known.
      void noteAsked(response, person);
      return { minutes: linkMinutes };
    },
  });

  const noteAsked = async (response: Response, person: Person | undefined): Promise<void> => {
    const by = person === undefined ? audit.by(response) : signIn.by(response, person);
    const target = { kind: "person", id: person?.id ?? "" };
    const chains = await chainsOf(db, person?.id).catch(() => []);
    for (const tenant of chains) counts.note(by, { tenant, action: "sign_in.link_asked", target }, "");
  };

  /** Somebody who was invited, at the first sign-in. */
  const newcomer = async (trx: Trx, address: string, response: Response): Promise<Person> => {
    const person = await ensurePerson(trx, address);
    await recordPersonalAct(trx, signIn.by(response, person), person.id, {
      action: "person.created",
      target: { kind: "person", id: person.id },
    });
    return person;
  };

  const arriveByLink = async (token: string, request: Request, response: Response) => {
    await limits.knocks(request, response);
    return signIn.arrive(request, response, async (trx) => {
      const link = await takeLink(trx, token, readCookie(request, "asking"));
      if (link.purpose !== "sign-in") throw new Fault("link_ended", "This link is for something else.");
      if (link.person === null && !(await deps.isInvited(trx, link.email)))
        throw new Fault("link_ended", "This link leads nowhere any more. Ask for a new one.");
      const person = (await findPersonByEmail(trx, link.email)) ?? (await newcomer(trx, link.email, response));
      if (link.person !== null && link.person !== person.id)
        throw new Fault("link_ended", "The account has another address since. Ask for a new link.");
      return { person, method: "email" };
    });
  };

  /** What went wrong is in the trail, too, before it is answered. */
  const told = async <T>(response: Response, what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Fault && !error.retriable)
        await signIn.failed(response, undefined, `${what}: ${error.code}`);
      throw error;
    }
  };

  const confirm = endpoint({
    ...{
      method: "post",
      path: "/auth/link/confirm",
      access,
      tag,
      summary: "Sign in with a link, in the browser that asked",
    },
    body: z.strictObject({ token: linkToken }),
    success: { status: 200, body: signedIn },
    handle: ({ body, request, response }) => told(response, "link", () => arriveByLink(body.token, request, response)),
  });

  const confirmEmail = endpoint({
    ...{
      method: "post",
      path: "/auth/email/confirm",
      access,
      tag,
      summary: "Take a new address, with the link it got",
    },
    body: z.strictObject({ token: linkToken }),
    success: { status: 200, body: z.object({ email: z.string() }) },
    handle: ({ body, request, response }) =>
      told(response, "new address", async () => {
        await limits.knocks(request, response);
        const session = await signIn.sessionOf(request);
        const moved = await withPostgres(() =>
          db.transaction().execute(async (trx) => {
            const link = await takeLink(trx, body.token, readCookie(request, "asking"));
            if (link.purpose !== "email" || link.person !== session.person)
              throw new Fault("link_ended", "This link is another account's, or for something else.");
            const before = await findPerson(trx, session.person);
            const after = await moveToEmail(trx, session.person, link.email);
            await mailer.send(trx, oldAddressLetter(before?.email ?? "", after.email));
            await recordPersonalAct(trx, signIn.by(response, after), after.id, {
              action: "person.email_changed",
              target: { kind: "person", id: after.id },
              details: { before: before?.email ?? "", after: after.email },
            });
            return after;
          }),
        );
        mailer.wake();
        return { email: moved.email };
      }),
  });

  const firstOwner = endpoint({
    ...{
      method: "post",
      path: "/auth/first-owner",
      access,
      tag,
      summary: "Become the first owner, with the console's link",
    },
    body: z.strictObject({ token: linkToken, email, name: name.default("") }),
    success: { status: 200, body: signedIn },
    handle: ({ body, request, response }) =>
      told(response, "first owner's link", async () => {
        await limits.knocks(request, response);
        const session = await withPostgres(() => sessions.find(readCookie(request, "session") ?? ""));
        const signedIn = session?.complete === true ? session.person : undefined;
        return signIn.arrive(request, response, async (trx) => {
          const link = await takeLink(trx, body.token, undefined);
          if (link.purpose !== "first-owner" || link.tenant === null)
            throw new Fault("link_ended", "This link is for something else.");
          const claim = { email: body.email, name: body.name, signedIn };
          const person = await becomeFirstOwner(trx, link.tenant, claim, (made) => signIn.by(response, made));
          return { person, method: "first-owner" };
        });
      }),
  });

  const passkeyOptions = endpoint({
    ...{ method: "post", path: "/auth/passkey/options", access, tag, summary: "Begin to sign in with a passkey" },
    success: { status: 200, body: browserOptions },
    handle: async ({ request, response }) => {
      refuseCrossSite(request, origin);
      await limits.questions(request, response);
      return withPostgres(() => passkeys.challenge());
    },
  });

  const passkey = endpoint({
    ...{ method: "post", path: "/auth/passkey", access, tag, summary: "Sign in with a passkey" },
    body: z.strictObject({ answer: browserAnswer }),
    success: { status: 200, body: signedIn },
    handle: ({ body, request, response }) =>
      told(response, "passkey", async () => {
        refuseCrossSite(request, origin);
        await limits.knocks(request, response);
        const used = await withPostgres(() => passkeys.verify(body.answer));
        return signIn.arrive(request, response, async (trx) => {
          const person = await findPerson(trx, used.person);
          if (person === undefined) throw new Fault("passkey_refused", "This passkey's account is gone.");
          return { person, method: "passkey", mfaAt: new Date() };
        });
      }),
  });

  const signOut = endpoint({
    ...{ method: "post", path: "/auth/sign-out", access, tag, summary: "End this session" },
    // Where the browser goes next when the identity provider has a session of its own to end.
    success: { status: 200, body: z.object({ redirect: z.string().nullable() }) },
    handle: async ({ request, response }) => {
      refuseCrossSite(request, origin);
      const redirect = await withPostgres(async () => {
        const token = readCookie(request, "session") ?? "";
        const session = await sessions.find(token);
        if (session === undefined) return undefined;
        const next = await leave(session.id);
        const target = { kind: "session", id: session.id };
        await db.transaction().execute(async (trx) => {
          await sessions.drop(trx, token);
          const by = signIn.by(response, { ...session, id: session.person });
          await recordPersonalAct(trx, by, session.person, { action: "session.signed_out", target });
        });
        return next;
      });
      setCookie(response, "session", "", 0);
      return { redirect: redirect ?? null };
    },
  });

  return [methods, state, ask, confirm, confirmEmail, firstOwner, passkeyOptions, passkey, signOut];
};
