/**
 * The ways in through others, as browsers walk them: away to the provider, and back. Whoever comes back must be the
 * browser that left, by the cookie of its exchange.
 */
import { Fault } from "@astralog/chassis";
import type { Request, Response } from "express";
import { z } from "zod";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { readCookie } from "../people/cookies.ts";
import { plainEmail } from "../people/people.ts";
import { refuseCrossSite } from "../people/same-site.ts";
import { linkToken, signedIn } from "../people/shapes.ts";
import { type Db, withPostgres } from "../postgres.ts";
import { oidcCallback, socialCallback } from "./addresses.ts";
import { confirmIdentity } from "./confirm-identity.ts";
import type { OpenConnection } from "./connections.ts";
import { enter } from "./enter.ts";
import { connectionFor } from "./policy.ts";
import { beginRequest, randomToken, takeRequest } from "./requests.ts";
import { returnPath } from "./return-path.ts";
import { createReturns, type FederatedDeps, html } from "./returns.ts";
import { createSamlEndpoints } from "./saml-endpoints.ts";
import type { SocialProvider } from "./social.ts";
import { beginQuery, callbackQuery, ssoQuestion, whereTo } from "./sso-shapes.ts";

/** Begins an exchange with GitHub or Google. The answer is where the browser must go. */
export const beginSocial = (
  { db, publicUrl }: { readonly db: Db; readonly publicUrl: URL },
  provider: SocialProvider,
  response: Response,
  { person, returnTo }: { readonly person: string | null; readonly returnTo: string },
): Promise<string> =>
  provider.begin(socialCallback(publicUrl, provider.id), randomToken(), {
    keep: async (exchange) => {
      const wanted = { way: provider.id, connection: null, person, return_to: returnTo, ...exchange };
      await withPostgres(() => beginRequest(db, response, wanted));
    },
  });

export const createFederatedEndpoints = (deps: FederatedDeps): Endpoint[] => {
  const { db, publicUrl, social, oidc, signIn, limits } = deps;
  const tag = "sign-in";
  const access = "anyone" as const;
  const { asPage, openOne } = createReturns(deps);
  const { beginSaml, endpoints: samlEndpoints } = createSamlEndpoints(deps);
  const socialOf = (id: string): SocialProvider => {
    const found = social.find((one) => one.id === id);
    if (found === undefined) throw new Fault("not_found", "There is no such way in.");
    return found;
  };
  const withSocial = endpoint({
    ...{ method: "get", path: "/auth/with/:provider", access, tag, summary: "Go and sign in with GitHub or Google" },
    query: beginQuery,
    success: { status: 303, content: html },
    handle: ({ params, query, response }) =>
      asPage(response, params.provider, () =>
        beginSocial(deps, socialOf(params.provider), response, { person: null, returnTo: returnPath(query.return_to) }),
      ),
  });

  const backFromSocial = endpoint({
    ...{
      method: "get",
      path: "/auth/with/:provider/callback",
      access,
      tag,
      summary: "Come back from GitHub or Google",
    },
    query: callbackQuery,
    success: { status: 303, content: html },
    handle: ({ params, query, request, response }) =>
      asPage(response, params.provider, async () => {
        const provider = socialOf(params.provider);
        const take = (state: string) =>
          withPostgres(() => takeRequest(db, request, response, { way: provider.id, connection: null, state }));
        if (query.error !== undefined || query.code === undefined) {
          await take(query.state ?? "");
          throw new Fault("provider_refused", `${provider.name} did not let you in.`);
        }
        let begun: Awaited<ReturnType<typeof take>> | undefined;
        const vouched = await provider.finish(socialCallback(publicUrl, provider.id), query, {
          take: async (state) => (begun = await take(state)),
        });
        if (begun === undefined) throw new Fault("sign_in_ended", "Begin again.");
        const { person, return_to: returnTo } = begun;
        return enter(deps, request, response, { way: provider.id, vouched, person, returnTo });
      }),
  });

  const ask = endpoint({
    ...{ method: "post", path: "/auth/sso", access, tag, summary: "Which identity provider an address signs in with" },
    body: ssoQuestion,
    success: { status: 200, body: whereTo },
    handle: async ({ body, request, response }) => {
      refuseCrossSite(request, publicUrl.origin);
      await limits.knocks(request, response);
      const found = await withPostgres(() => connectionFor(db, plainEmail(body.email)));
      if (found === undefined)
        throw new Fault("not_found", "No organization's identity provider signs in this address.");
      return { redirect: `/api/v1/auth/sso/${found.id}` };
    },
  });

  const beginOidc = async (connection: OpenConnection, response: Response, returnTo: string): Promise<string> => {
    const [state, nonce, verifier] = [randomToken(), randomToken(), randomToken()];
    const url = await oidc.begin(connection, {
      ...{ redirectUri: oidcCallback(publicUrl, connection.id), state, nonce, verifier },
    });
    const wanted = { way: "oidc", connection: connection.id, person: null, return_to: returnTo } as const;
    await withPostgres(() => beginRequest(db, response, { ...wanted, state, nonce, verifier }));
    return url;
  };

  const begin = endpoint({
    ...{
      method: "get",
      path: "/auth/sso/:connection",
      access,
      tag,
      summary: "Go to an organization's identity provider",
    },
    query: beginQuery,
    success: { status: 303, content: html },
    handle: ({ params, query, response }) =>
      asPage(response, "sso", async () => {
        const connection = await openOne(params.connection);
        const to = returnPath(query.return_to);
        return connection.kind === "oidc" ? beginOidc(connection, response, to) : beginSaml(connection, response, to);
      }),
  });

  const backFromOidc = endpoint({
    ...{
      method: "get",
      path: "/auth/oidc/:connection/callback",
      access,
      tag,
      summary: "Come back from an OIDC provider",
    },
    query: callbackQuery,
    success: { status: 303, content: html },
    handle: ({ params, query, request, response }) =>
      asPage(response, "oidc", async () => {
        const state = query.state ?? "";
        const expected = { way: "oidc", connection: params.connection, state } as const;
        const begun = await withPostgres(() => takeRequest(db, request, response, expected));
        const { nonce, verifier, person, return_to: returnTo } = begun;
        if (query.error !== undefined) throw new Fault("provider_refused", "The provider did not let you in.");
        const connection = await openOne(params.connection, "oidc");
        const exchange = { redirectUri: oidcCallback(publicUrl, connection.id), state, nonce, verifier };
        const given = Object.entries(query).filter((one): one is [string, string] => one[1] !== undefined);
        const vouched = await oidc.finish(connection, exchange, Object.fromEntries(given));
        return enter(deps, request, response, { way: "oidc", connection, vouched, person, returnTo });
      }),
  });

  const confirm = endpoint({
    ...{
      method: "post",
      path: "/auth/identity/confirm",
      access,
      tag,
      summary: "Confirm a new way in, with the link it sent",
    },
    body: z.strictObject({ token: linkToken }),
    success: { status: 200, body: signedIn.extend({ return_to: z.string() }) },
    handle: async ({ body, request, response }: { body: { token: string }; request: Request; response: Response }) => {
      await limits.knocks(request, response);
      try {
        return await confirmIdentity(deps, request, response, body.token, readCookie(request, "asking"));
      } catch (error) {
        if (error instanceof Fault && !error.retriable)
          await signIn.failed(response, undefined, `new identity: ${error.code}`);
        throw error;
      }
    },
  });

  return [withSocial, backFromSocial, ask, begin, backFromOidc, ...samlEndpoints, confirm];
};
