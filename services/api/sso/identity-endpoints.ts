/** Whose identities lead into my account: see them, add one, take one away. */
import { Fault } from "@astralog/chassis";
import { z } from "zod";
import type { Person } from "../http/caller.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { recordPersonalAct } from "../people/acts.ts";
import type { SignIn } from "../people/sign-in.ts";
import { freshly } from "../people/step-up.ts";
import { type Db, withPostgres } from "../postgres.ts";
import { beginSocial } from "./federated-endpoints.ts";
import type { SocialProvider } from "./social.ts";
import { identityShown, whereTo } from "./sso-shapes.ts";

export interface IdentityDeps {
  readonly db: Db;
  readonly signIn: SignIn;
  readonly social: readonly SocialProvider[];
  readonly publicUrl: URL;
}

/** An organization's provider vouches for the session, so the session has no say in what is the person's alone. */
const own = ({ organization }: Person): void => {
  if (organization !== null)
    throw new Fault(
      "forbidden",
      "You came through your organization's provider. Sign in by mail or passkey to change this.",
    );
};

export const createIdentityEndpoints = ({ db, signIn, social, publicUrl }: IdentityDeps): Endpoint[] => {
  const tag = "account";
  const access = "signed-in" as const;
  const wayOf = (connection: string | null, issuer: string): string =>
    connection !== null ? "sso" : issuer.includes("google") ? "google" : "github";

  const list = endpoint({
    ...{ method: "get", path: "/me/identities", access, tag, summary: "Which accounts elsewhere lead into mine" },
    success: { status: 200, body: z.object({ identities: z.array(identityShown) }) },
    handle: ({ caller: { session } }) =>
      withPostgres(async () => {
        const rows = await db
          .selectFrom("identities")
          .selectAll()
          .where("person", "=", session.person)
          .orderBy("linked_at")
          .execute();
        return {
          identities: rows.map(({ id, issuer, connection, email, linked_at, used_at }) => ({
            ...{ id, way: wayOf(connection, issuer), email, linked_at, used_at },
          })),
        };
      }),
  });

  const add = endpoint({
    ...{
      method: "post",
      path: "/me/identities/:provider",
      access,
      tag,
      summary: "Let GitHub or Google lead into my account",
    },
    success: { status: 200, body: whereTo },
    handle: async ({ params, caller, response }) => {
      own(caller);
      const provider = social.find(({ id }) => id === params.provider);
      if (provider === undefined) throw new Fault("not_found", "There is no such way in.");
      await withPostgres(() => freshly(db, caller.session));
      const { person } = caller.session;
      return { redirect: await beginSocial({ db, publicUrl }, provider, response, { person, returnTo: "/account" }) };
    },
  });

  const remove = endpoint({
    ...{
      method: "delete",
      path: "/me/identities/:id",
      access,
      tag,
      summary: "Let an account elsewhere no longer lead into mine",
    },
    success: { status: 204 },
    handle: ({ params, caller, response }) =>
      withPostgres(async () => {
        own(caller);
        await freshly(db, caller.session);
        const { person } = caller.session;
        await db.transaction().execute(async (trx) => {
          const row = await trx
            .deleteFrom("identities")
            .where("person", "=", person)
            .where("id", "=", params.id)
            .returning("email")
            .executeTakeFirst();
          if (row === undefined) throw new Fault("not_found", "You have no such identity.");
          const by = signIn.by(response, { id: person, email: caller.email, name: caller.actor.name });
          const target = { kind: "identity", id: params.id };
          await recordPersonalAct(trx, by, person, {
            action: "identity.unlinked",
            target,
            details: { email: row.email },
          });
        });
        return undefined;
      }),
  });

  return [list, add, remove];
};
