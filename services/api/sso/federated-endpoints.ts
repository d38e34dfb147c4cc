/**
 * The ways in through others, as browsers walk them: away to the provider, and back. Whoever comes back must be the
 * browser that left, by the cookie of its exchange.
 *
 * A SAML response is posted by the provider's page, so it comes from another site and brings no cookie of ours. It is
 * taken nevertheless, because by itself it does nothing: it is checked, once, against the request it answers, and noted.
 * The browser is then sent to fetch what was noted by a plain GET, and that one is bound to its cookie like any other.
 */
import { randomBytes } from "node:crypto";
import { Fault, type Log } from "@astralog/chassis";
import type { Request, Response } from "express";
import { z } from "zod";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { readCookie } from "../people/cookies.ts";
import { plainEmail } from "../people/people.ts";
import { refuseCrossSite } from "../people/same-site.ts";
import { linkToken, signedIn } from "../people/shapes.ts";
import type { SignInLimits } from "../people/sign-in-limits.ts";
import { type Db, withPostgres } from "../postgres.ts";
import { type ConnectionDeps, type OpenConnection, openConnection } from "./connections.ts";
import { confirmIdentity, type EnterDeps, enter, type Vouched } from "./enter.ts";
import type { Oidc } from "./oidc.ts";
import { connectionFor } from "./policy.ts";
import { answerRequest, beginRequest, randomToken, takeAnswered, takeRequest } from "./requests.ts";
import { returnPath } from "./return-path.ts";
import {
  checkSaml,
  createSaml,
  decodeSaml,
  inspectSaml,
  type SamlParty,
  samlEmail,
  samlName,
} from "./saml-response.ts";
import type { SocialProvider } from "./social.ts";
import { beginQuery, callbackQuery, ssoQuestion, whereTo } from "./sso-shapes.ts";

export interface FederatedDeps extends EnterDeps {
  readonly connections: ConnectionDeps;
  readonly social: readonly SocialProvider[];
  readonly oidc: Oidc;
  readonly limits: SignInLimits;
  readonly log: Log;
}

const base = (publicUrl: URL): string => `${publicUrl.origin}/api/v1`;
export const socialCallback = (publicUrl: URL, id: string): string => `${base(publicUrl)}/auth/with/${id}/callback`;
export const oidcCallback = (publicUrl: URL, id: string): string => `${base(publicUrl)}/auth/oidc/${id}/callback`;
export const samlParty = (publicUrl: URL, id: string): SamlParty => ({
  entityId: `${base(publicUrl)}/auth/saml/${id}/metadata`,
  acs: `${base(publicUrl)}/auth/saml/${id}/acs`,
});

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
  const { db, publicUrl, social, oidc, signIn, limits, log } = deps;
  const tag = "sign-in";
  const access = "anyone" as const;
  const html = "text/html";
  const go = (response: Response, to: string): undefined => void response.redirect(303, to);

  /** A browser stands here, not a program: what went wrong is told by the sign-in page, and in the trail. */
  const asPage = async (response: Response, way: string, work: () => Promise<string>): Promise<undefined> => {
    try {
      return go(response, await work());
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (!error.retriable) await signIn.failed(response, undefined, `${way}: ${error.code}`);
      log.info({ err: error, way, request_id: response.locals.requestId as string }, "a federated sign-in was refused");
      return go(response, `/sign-in?problem=${encodeURIComponent(error.code)}`);
    }
  };

  const socialOf = (id: string): SocialProvider => {
    const found = social.find((one) => one.id === id);
    if (found === undefined) throw new Fault("not_found", "There is no such way in.");
    return found;
  };
  const openOne = (id: string, kind: OpenConnection["kind"] | undefined): Promise<OpenConnection> =>
    withPostgres(async () => {
      const found = await openConnection(deps.connections, id);
      if (kind !== undefined && found.kind !== kind) throw new Fault("not_found", "There is no such connection.");
      return found;
    });

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

  const beginSaml = async (connection: OpenConnection, response: Response, returnTo: string): Promise<string> => {
    const requestId = `_${randomBytes(20).toString("hex")}`;
    const wanted = { way: "saml", connection: connection.id, person: null, return_to: returnTo } as const;
    await withPostgres(() => beginRequest(db, response, { ...wanted, state: requestId }));
    const provider = { certificates: connection.pems, entryPoint: connection.entry_point ?? "" };
    return createSaml(provider, samlParty(publicUrl, connection.id), { requestId }).getAuthorizeUrlAsync("", "", {});
  };

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
        const connection = await openOne(params.connection, undefined);
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

  const acs = endpoint({
    ...{
      method: "post",
      path: "/auth/saml/:connection/acs",
      access,
      tag,
      summary: "Where a SAML provider posts its answer",
    },
    takes: "form",
    bodyLimit: "768kb",
    body: z.object({ SAMLResponse: z.string().max(600_000) }),
    success: { status: 303, content: html },
    handle: ({ params, body, response }) =>
      asPage(response, "saml", async () => {
        const connection = await openOne(params.connection, "saml");
        const xml = decodeSaml(body.SAMLResponse);
        const expected = { way: "saml", connection: connection.id, state: inspectSaml(xml).inResponseTo } as const;
        const id = await withPostgres(() =>
          answerRequest(db, expected, () => believe(connection, xml, expected.state)),
        );
        return `/api/v1/auth/saml/${connection.id}/finish?request=${id}`;
      }),
  });

  const believe = async (connection: OpenConnection, xml: string, requestId: string): Promise<Vouched> => {
    const provider = { issuer: connection.issuer, certificates: connection.pems };
    const assertion = await checkSaml(provider, samlParty(publicUrl, connection.id), xml, requestId);
    const { numInsertedOrUpdatedRows: fresh } = await db
      .insertInto("saml_replay")
      .values({ connection: connection.id, assertion: assertion.id, expires_at: assertion.expiresAt })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (fresh !== 1n) throw new Fault("saml_refused", "This assertion was shown before.");
    const email = samlEmail(assertion);
    return {
      ...{ issuer: connection.issuer, subject: assertion.nameId, name: samlName(assertion) },
      // There is no word for it in SAML: within its own domains an organization's provider is believed.
      ...(email === undefined ? { emailVerified: false } : { email, emailVerified: true }),
    };
  };

  const backFromSaml = endpoint({
    ...{ method: "get", path: "/auth/saml/:connection/finish", access, tag, summary: "Come back from a SAML provider" },
    query: z.strictObject({ request: z.string().max(64) }),
    success: { status: 303, content: html },
    handle: ({ params, query, request, response }) =>
      asPage(response, "saml", async () => {
        const expected = { way: "saml", connection: params.connection, id: query.request } as const;
        const {
          vouched,
          person,
          return_to: returnTo,
        } = await withPostgres(() => takeAnswered(db, request, response, expected));
        const connection = await openOne(params.connection, "saml");
        return enter(deps, request, response, { way: "saml", connection, vouched, person, returnTo });
      }),
  });

  const metadata = endpoint({
    ...{
      method: "get",
      path: "/auth/saml/:connection/metadata",
      access,
      tag,
      summary: "What a SAML provider must know of us",
    },
    success: { status: 200, content: "application/samlmetadata+xml" },
    handle: async ({ params, response }) => {
      const { id, pems } = await openOne(params.connection, "saml");
      const saml = createSaml({ certificates: pems }, samlParty(publicUrl, id), { requestId: "_" });
      response.type("application/samlmetadata+xml").send(saml.generateServiceProviderMetadata(null, null));
      return undefined;
    },
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

  return [withSocial, backFromSocial, ask, begin, backFromOidc, acs, backFromSaml, metadata, confirm];
};
