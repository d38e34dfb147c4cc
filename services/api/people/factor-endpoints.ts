/**
 * Second factors: an authenticator app, passkeys, recovery codes. Each change is mailed to its person, tells how to end
 * what others may have begun, and is asked of somebody who has just shown that he is himself.
 */
import { Fault } from "@astralog/chassis";
import type { Response } from "express";
import { z } from "zod";
import type { Person as Asker } from "../http/caller.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import type { Mailer } from "../mail/mailer.ts";
import { type Db, type Trx, withPostgres } from "../postgres.ts";
import { recordPersonalAct } from "./acts.ts";
import { setCookie } from "./cookies.ts";
import { factorLetter } from "./letters.ts";
import type { Passkey, Passkeys } from "./passkeys.ts";
import { findPerson, type Person } from "./people.ts";
import { countRecoveryCodes, dropRecoveryCodes, makeRecoveryCodes } from "./recovery-codes.ts";
import type { Sessions } from "./sessions.ts";
import { appCode, browserAnswer, browserOptions, endOthers, name, passkeyView, withCodes } from "./shapes.ts";
import type { SignIn } from "./sign-in.ts";
import type { SignInLimits } from "./sign-in-limits.ts";
import { freshly } from "./step-up.ts";
import type { Totp } from "./totp.ts";

export interface FactorDeps {
  readonly db: Db;
  readonly sessions: Sessions;
  readonly signIn: SignIn;
  readonly passkeys: Passkeys;
  readonly totp: Totp;
  readonly mailer: Mailer;
  readonly limits: SignInLimits;
}

const viewOf = ({ id, name: called, synced, created_at, used_at }: Passkey) => ({
  ...{ id, name: called, synced, created_at, used_at },
});

/** What a person can show besides his mailbox. */
export const factorsOf = async (db: Db, { passkeys, totp }: Pick<FactorDeps, "passkeys" | "totp">, person: string) => ({
  totp: await totp.confirmedAt(db, person),
  passkeys: (await passkeys.list(db, person)).map(viewOf),
  recovery_codes: await countRecoveryCodes(db, person),
});

export const createFactorEndpoints = (deps: FactorDeps): Endpoint[] => {
  const { db, sessions, signIn, passkeys, totp, mailer, limits } = deps;
  const tag = "account";
  const access = "signed-in" as const;

  interface Change {
    readonly action: "factor.added" | "factor.removed" | "recovery_codes.made";
    readonly factor: string;
    readonly letter: string;
    /** Whether it leaves the asker with a factor that he has just shown. */
    readonly proves?: boolean;
    readonly endOthers?: boolean;
  }

  /** A change, its mail and its trail in one transaction; the session's token is new after it. */
  const change = async <T>(
    { session }: Asker,
    response: Response,
    about: Change,
    work: (trx: Trx, person: Person) => Promise<T>,
  ): Promise<T> => {
    const { value, token } = await withPostgres(() =>
      db.transaction().execute(async (trx) => {
        // The person's changes happen one after the other.
        const person = await trx
          .selectFrom("people")
          .selectAll()
          .where("id", "=", session.person)
          .forUpdate()
          .executeTakeFirstOrThrow();
        const done = await work(trx, person);
        if (about.endOthers === true) await sessions.endAll(trx, person.id, session.id);
        const fresh = about.proves === true ? await sessions.prove(trx, session.id) : undefined;
        await mailer.send(trx, factorLetter(person.email, about.letter));
        await recordPersonalAct(trx, signIn.by(response, person), person.id, {
          action: about.action,
          target: { kind: "person", id: person.id },
          details: { factor: about.factor, other_sessions_ended: about.endOthers === true },
        });
        return { value: done, token: fresh };
      }),
    );
    if (token !== undefined) setCookie(response, "session", token, sessions.lifeMs / 1000);
    mailer.wake();
    return value;
  };

  /** For the first factor: later ones find them there. */
  const codesFor = async (trx: Trx, person: string): Promise<string[]> =>
    (await countRecoveryCodes(trx, person)) > 0 ? [] : makeRecoveryCodes(trx, person);
  /** Without a factor there is nothing to recover, and nothing that was shown. */
  const afterRemoval = async (trx: Trx, person: string): Promise<void> => {
    if (await sessions.hasFactor(trx, person)) return;
    await dropRecoveryCodes(trx, person);
    await trx.updateTable("sessions").set({ mfa_at: null }).where("person", "=", person).execute();
  };
  const fresh = (asker: Asker): Promise<void> => withPostgres(() => freshly(db, asker.session));

  const beginApp = endpoint({
    ...{ method: "post", path: "/me/totp", access, tag, summary: "Begin to add an authenticator app" },
    success: { status: 201, body: z.object({ secret: z.string(), uri: z.string() }) },
    handle: async ({ caller }) => {
      await fresh(caller);
      return withPostgres(() =>
        db.transaction().execute(async (trx) => {
          const person = await findPerson(trx, caller.session.person);
          return totp.begin(trx, caller.session.person, person?.email ?? "");
        }),
      );
    },
  });

  const confirmApp = endpoint({
    ...{ method: "post", path: "/me/totp/confirm", access, tag, summary: "Add the app, with a first code of it" },
    body: z.strictObject({ code: appCode, ...endOthers }),
    success: { status: 200, body: withCodes },
    handle: async ({ body, caller, request, response }) => {
      await fresh(caller);
      await limits.answers(request, response, caller.session.person, true);
      const about = {
        ...({ action: "factor.added", factor: "totp", proves: true, endOthers: body.end_other_sessions } as const),
        letter: "An authenticator app was added: signing in asks for its codes from now on.",
      };
      return change(caller, response, about, async (trx, { id }) => {
        if (!(await totp.use(trx, id, body.code, { confirm: true })))
          throw new Fault("code_refused", "This code is wrong or over. Look whether the device's clock is right.");
        return { recovery_codes: await codesFor(trx, id) };
      });
    },
  });

  const removeApp = endpoint({
    ...{ method: "delete", path: "/me/totp", access, tag, summary: "Remove the authenticator app", stepUp: true },
    query: z.strictObject({ end_other_sessions: z.enum(["true", "false"]).default("false") }),
    success: { status: 204 },
    handle: ({ query, caller, response }) => {
      const about = {
        ...({ action: "factor.removed", factor: "totp", endOthers: query.end_other_sessions === "true" } as const),
        letter: "The authenticator app was removed.",
      };
      return change(caller, response, about, async (trx, { id }) => {
        if (!(await totp.remove(trx, id))) throw new Fault("not_found", "There is no authenticator app.");
        await afterRemoval(trx, id);
        return undefined;
      });
    },
  });

  const newCodes = endpoint({
    ...{ method: "post", path: "/me/recovery-codes", access, tag, summary: "New recovery codes for old", stepUp: true },
    success: { status: 201, body: withCodes },
    handle: ({ caller, response }) => {
      const about = {
        ...({ action: "recovery_codes.made", factor: "recovery codes" } as const),
        letter: "New recovery codes were made; those from before no longer work.",
      };
      return change(caller, response, about, async (trx, { id }) => ({
        recovery_codes: await makeRecoveryCodes(trx, id),
      }));
    },
  });

  const passkeyOptions = endpoint({
    ...{ method: "post", path: "/me/passkeys/options", access, tag, summary: "Begin to add a passkey" },
    success: { status: 200, body: browserOptions },
    handle: async ({ caller, request, response }) => {
      await fresh(caller);
      await limits.questions(request, response);
      return withPostgres(async () => {
        const person = await findPerson(db, caller.session.person);
        if (person === undefined) throw new Fault("not_found", "This account is gone.");
        return passkeys.registration(person);
      });
    },
  });

  const addPasskey = endpoint({
    ...{ method: "post", path: "/me/passkeys", access, tag, summary: "Add a passkey" },
    body: z.strictObject({ name: name.min(1), answer: browserAnswer, ...endOthers }),
    success: { status: 201, body: withCodes.extend({ passkey: passkeyView }) },
    handle: async ({ body, caller, response }) => {
      await fresh(caller);
      const made = await withPostgres(() => passkeys.register(caller.session.person, body.name, body.answer));
      const about = {
        ...({ action: "factor.added", factor: "passkey", proves: true, endOthers: body.end_other_sessions } as const),
        letter: `The passkey "${body.name}" was added: it signs in by itself.`,
      };
      return change(caller, response, about, async (trx, { id }) => {
        const passkey = viewOf(await passkeys.add(trx, made));
        return { passkey, recovery_codes: await codesFor(trx, id) };
      });
    },
  });

  const removePasskey = endpoint({
    ...{ method: "delete", path: "/me/passkeys/:id", access, tag, summary: "Remove a passkey", stepUp: true },
    query: z.strictObject({ end_other_sessions: z.enum(["true", "false"]).default("false") }),
    success: { status: 204 },
    handle: ({ params, query, caller, response }) => {
      const about = {
        ...({ action: "factor.removed", factor: "passkey", endOthers: query.end_other_sessions === "true" } as const),
        letter: "A passkey was removed.",
      };
      return change(caller, response, about, async (trx, { id }) => {
        const gone = await passkeys.remove(trx, id, params.id);
        if (gone === undefined) throw new Fault("not_found", "You have no such passkey.");
        await afterRemoval(trx, id);
        return undefined;
      });
    },
  });

  return [beginApp, confirmApp, removeApp, newCodes, passkeyOptions, addPasskey, removePasskey];
};
