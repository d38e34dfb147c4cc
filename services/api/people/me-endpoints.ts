/** One's own account: who I am, my name and address, my sessions. */
import { Fault } from "@astralog/chassis";
import { z } from "zod";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { withPostgres } from "../postgres.ts";
import { recordPersonalAct } from "./acts.ts";
import { setCookie } from "./cookies.ts";
import { type FactorDeps, factorsOf } from "./factor-endpoints.ts";
import { newAddressLetter } from "./letters.ts";
import { linkMinutes, makeLink } from "./links.ts";
import { findPerson, plainEmail, renamePerson } from "./people.ts";
import type { SessionRow } from "./sessions.ts";
import { email, factorsView, name, person as personShape, sessionView } from "./shapes.ts";
import { askingBrowser } from "./sign-in-endpoints.ts";
import { freshly } from "./step-up.ts";

export interface OrganizationView {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly permissions: readonly string[];
  readonly require_mfa: boolean;
}

export interface MeDeps extends FactorDeps {
  readonly publicUrl: URL;
  readonly organizationsOf: (person: string) => Promise<readonly OrganizationView[]>;
}

const organization = z.object({
  id: z.string(),
  name: z.string(),
  role: z.string(),
  permissions: z.array(z.string()),
  require_mfa: z.boolean(),
});
const me = personShape.extend({
  created_at: z.iso.datetime(),
  session: z.string(),
  factors: factorsView,
  organizations: z.array(organization),
});
const ended = z.object({ ended: z.int() });

const view = (row: SessionRow, current: string) => {
  const { person: _, organization: __, ...rest } = row;
  return { ...rest, current: row.id === current };
};

export const createMeEndpoints = (deps: MeDeps): Endpoint[] => {
  const { db, sessions, signIn, passkeys, totp, mailer, limits, publicUrl } = deps;
  const tag = "account";
  const access = "signed-in" as const;
  const self = async (id: string) => {
    const person = await findPerson(db, id);
    if (person === undefined) throw new Fault("not_found", "This account is gone.");
    return person;
  };

  const who = endpoint({
    ...{ method: "get", path: "/me", access, tag, summary: "Who I am, and where I belong" },
    success: { status: 200, body: me },
    handle: ({ caller: { session, organization: bound } }) =>
      withPostgres(async () => {
        const person = await self(session.person);
        const all = await deps.organizationsOf(person.id);
        // An organization's provider learns nothing of the others, and answers for the second factor itself.
        const mine = all.filter(({ id }) => bound === null || id === bound);
        return {
          ...{ id: person.id, email: person.email, name: person.name, created_at: person.created_at },
          session: session.id,
          factors: await factorsOf(db, { passkeys, totp }, person.id),
          organizations: mine.map((one) => ({ ...one, require_mfa: one.require_mfa && bound === null })),
        };
      }),
  });

  const rename = endpoint({
    ...{ method: "patch", path: "/me", access, tag, summary: "Change my name" },
    body: z.strictObject({ name }),
    success: { status: 200, body: personShape },
    handle: ({ body, caller: { session }, response }) =>
      withPostgres(() =>
        db.transaction().execute(async (trx) => {
          const person = await renamePerson(trx, session.person, body.name);
          const target = { kind: "person", id: person.id };
          const act = { action: "person.changed", target, details: { name: person.name } } as const;
          await recordPersonalAct(trx, signIn.by(response, person), person.id, act);
          return { id: person.id, email: person.email, name: person.name };
        }),
      ),
  });

  const move = endpoint({
    ...{ method: "post", path: "/me/email", access, tag, summary: "Change my address, by a link to the new one" },
    body: z.strictObject({ email }),
    success: { status: 202, body: z.object({ minutes: z.int() }) },
    handle: async ({ body, request, response, caller: { session } }) => {
      const to = plainEmail(body.email);
      await withPostgres(() => freshly(db, session));
      await limits.links(request, response, session.person, true);
      const browser = askingBrowser(request, response);
      await withPostgres(() =>
        db.transaction().execute(async (trx) => {
          const token = await makeLink(trx, { purpose: "email", email: to, person: session.person, browser });
          const letter = newAddressLetter(to, `${publicUrl.origin}/account/email#${token}`, linkMinutes);
          await mailer.send(trx, letter, { minutes: linkMinutes });
        }),
      );
      mailer.wake();
      return { minutes: linkMinutes };
    },
  });

  const list = endpoint({
    ...{ method: "get", path: "/me/sessions", access, tag, summary: "Where I am signed in" },
    success: { status: 200, body: z.object({ sessions: z.array(sessionView) }) },
    handle: ({ caller: { session } }) =>
      withPostgres(async () => ({
        sessions: (await sessions.list(session.person)).map((row) => view(row, session.id)),
      })),
  });

  const endOne = endpoint({
    ...{ method: "delete", path: "/me/sessions/:id", access, tag, summary: "End one of my sessions" },
    success: { status: 204 },
    handle: ({ params, caller: { actor, session }, response }) =>
      withPostgres(() =>
        db.transaction().execute(async (trx) => {
          if (!(await sessions.end(trx, session.person, params.id)))
            throw new Fault("not_found", "You have no such session; it may have ended by itself.");
          const by = signIn.by(response, { id: session.person, email: "", name: actor.name });
          const target = { kind: "session", id: params.id };
          await recordPersonalAct(trx, by, session.person, { action: "session.ended", target });
          return undefined;
        }),
      ),
  });

  const endMany = (path: string, summary: string, all: boolean) =>
    endpoint({
      ...{ method: "post", path, access, tag, summary },
      success: { status: 200, body: ended },
      handle: async ({ caller: { actor, session }, response }) => {
        const count = await withPostgres(() =>
          db.transaction().execute(async (trx) => {
            const done = await sessions.endAll(trx, session.person, all ? undefined : session.id);
            const by = signIn.by(response, { id: session.person, email: "", name: actor.name });
            const target = { kind: "person", id: session.person };
            const details = { ended: done, all };
            await recordPersonalAct(trx, by, session.person, { action: "session.ended", target, details });
            return done;
          }),
        );
        if (all) setCookie(response, "session", "", 0);
        return { ended: count };
      },
    });

  return [
    who,
    rename,
    move,
    list,
    endOne,
    endMany("/me/sessions/end-others", "End all my other sessions", false),
    endMany("/me/sessions/end-all", "Sign out everywhere", true),
  ];
};
