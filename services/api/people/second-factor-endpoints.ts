/** Showing a second factor: after signing in, and again before something dangerous. */
import { Fault } from "@astralog/chassis";
import type { Request, Response } from "express";
import { z } from "zod";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import type { Mailer } from "../mail/mailer.ts";
import { type Trx, withPostgres } from "../postgres.ts";
import { recordPersonalAct } from "./acts.ts";
import { factorLetter } from "./letters.ts";
import type { Passkeys } from "./passkeys.ts";
import { countRecoveryCodes, useRecoveryCode } from "./recovery-codes.ts";
import type { LiveSession } from "./sessions.ts";
import { appCode, browserAnswer, browserOptions, recoveryCode, signedIn } from "./shapes.ts";
import type { SignIn } from "./sign-in.ts";
import type { SignInLimits } from "./sign-in-limits.ts";
import type { Totp } from "./totp.ts";

export interface SecondFactorDeps {
  readonly signIn: SignIn;
  readonly passkeys: Passkeys;
  readonly totp: Totp;
  readonly limits: SignInLimits;
  readonly mailer: Mailer;
}

export const createSecondFactorEndpoints = (deps: SecondFactorDeps): Endpoint[] => {
  const { signIn, passkeys, totp, limits, mailer } = deps;
  // Not "signed-in": a session whose second factor is missing is good for this alone.
  const common = { access: "anyone" as const, tag: "sign-in", success: { status: 200, body: signedIn } } as const;

  /** Counted for the person, told in his trails when it fails. */
  const shown = async (
    request: Request,
    response: Response,
    factor: string,
    prove: (trx: Trx, session: LiveSession) => Promise<void>,
    before: (session: LiveSession) => Promise<unknown> = async () => undefined,
  ) => {
    const session = await signIn.sessionOf(request);
    await limits.answers(request, response, session.person, signIn.isKnown(request, session.email));
    try {
      await before(session);
      return await signIn.prove(request, response, session, factor, (trx) => prove(trx, session));
    } catch (error) {
      const person = { id: session.person, name: session.name };
      if (error instanceof Fault && !error.retriable) await signIn.failed(response, person, `${factor}: ${error.code}`);
      throw error;
    }
  };
  const wrong = (message: string): Fault => new Fault("code_refused", message);

  const app = endpoint({
    ...{ ...common, method: "post", path: "/auth/mfa/totp", summary: "Show a code of the authenticator app" },
    body: z.strictObject({ code: appCode }),
    handle: ({ body, request, response }) =>
      shown(request, response, "totp", async (trx, { person }) => {
        if (!(await totp.use(trx, person, body.code)))
          throw wrong("This code is wrong, is over, or was used before. Wait for the next one.");
      }),
  });

  const recovery = endpoint({
    ...{ ...common, method: "post", path: "/auth/mfa/recovery", summary: "Use up a recovery code" },
    body: z.strictObject({ code: recoveryCode }),
    handle: async ({ body, request, response }) => {
      const answer = await shown(request, response, "recovery code", async (trx, { person, email, name }) => {
        if (!(await useRecoveryCode(trx, person, body.code)))
          throw wrong("This is none of your recovery codes, or it was used before.");
        const left = await countRecoveryCodes(trx, person);
        await mailer.send(trx, factorLetter(email, `A recovery code opened your account. ${left} are left.`));
        await recordPersonalAct(trx, signIn.by(response, { id: person, email, name }), person, {
          action: "recovery_codes.used",
          target: { kind: "person", id: person },
          details: { left },
        });
      });
      mailer.wake();
      return answer;
    },
  });

  const options = endpoint({
    ...{ ...common, method: "post", path: "/auth/mfa/passkey/options", summary: "Begin to show a passkey" },
    success: { status: 200, body: browserOptions },
    handle: async ({ request, response }) => {
      const session = await signIn.sessionOf(request);
      await limits.questions(request, response);
      return withPostgres(() => passkeys.challenge(session.person));
    },
  });

  const passkey = endpoint({
    ...{ ...common, method: "post", path: "/auth/mfa/passkey", summary: "Show a passkey" },
    body: z.strictObject({ answer: browserAnswer }),
    handle: ({ body, request, response }) =>
      shown(
        request,
        response,
        "passkey",
        async () => undefined,
        ({ person }) => withPostgres(() => passkeys.verify(body.answer, person)),
      ),
  });

  return [app, recovery, options, passkey];
};
