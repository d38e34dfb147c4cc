/**
 * SAML, as browsers walk it.
 *
 * A SAML response is posted by the provider's page, so it comes from another site and brings no cookie of ours. It is
 * taken nevertheless, because by itself it does nothing: it is checked, once, against the request it answers, and noted.
 * The browser is then sent to fetch what was noted by a plain GET, and that one is bound to its cookie like any other.
 */
import { randomBytes } from "node:crypto";
import type { Response } from "express";
import { z } from "zod";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { withPostgres } from "../postgres.ts";
import { samlParty } from "./addresses.ts";
import type { OpenConnection } from "./connections.ts";
import { enter } from "./enter.ts";
import { answerRequest, beginRequest, takeAnswered } from "./requests.ts";
import { createReturns, type FederatedDeps, html } from "./returns.ts";
import { decodeSaml } from "./saml-form.ts";
import { createSamlLogoutEndpoints } from "./saml-logout-endpoints.ts";
import { onlyOnce, samlAddresses, samlProvider } from "./saml-provider.ts";
import { checkSaml, createSaml, inspectSaml, samlEmail, samlName } from "./saml-response.ts";
import type { Vouched } from "./vouched.ts";

/** The library tells of the form only, and we take sign-outs by address, too. */
const withRedirect = (xml: string): string =>
  xml.replace(/<SingleLogoutService [^>]*>/, (one) => `${one.replace("HTTP-POST", "HTTP-Redirect")}${one}`);

export interface SamlWay {
  readonly endpoints: Endpoint[];
  /** Where the browser goes to. */
  beginSaml(connection: OpenConnection, response: Response, returnTo: string): Promise<string>;
}

export const createSamlEndpoints = (deps: FederatedDeps): SamlWay => {
  const { db, publicUrl, connections } = deps;
  const { asPage, openOne } = createReturns(deps);
  const tag = "sign-in";
  const access = "anyone" as const;

  const beginSaml = async (connection: OpenConnection, response: Response, returnTo: string): Promise<string> => {
    const requestId = `_${randomBytes(20).toString("hex")}`;
    const wanted = { way: "saml", connection: connection.id, person: null, return_to: returnTo } as const;
    await withPostgres(() => beginRequest(db, response, { ...wanted, state: requestId }));
    const provider = await samlAddresses(connections, connection);
    return createSaml(provider, samlParty(publicUrl, connection.id), { requestId }).getAuthorizeUrlAsync("", "", {});
  };

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
    const party = samlParty(publicUrl, connection.id);
    const assertion = await checkSaml(samlProvider(connection), party, xml, requestId);
    await onlyOnce(db, connection.id, assertion);
    const email = samlEmail(assertion);
    return {
      ...{ issuer: connection.issuer, subject: assertion.nameId, name: samlName(assertion) },
      providerSession: { format: assertion.nameIdFormat, index: assertion.sessionIndex },
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
      const connection = await openOne(params.connection, "saml");
      const party = samlParty(publicUrl, connection.id);
      const provider = await samlAddresses(connections, connection);
      const xml = createSaml(provider, party, { requestId: `_${connection.id}` }).generateServiceProviderMetadata(
        null,
        provider.signing.certificate,
      );
      response.type("application/samlmetadata+xml").send(withRedirect(xml));
      return undefined;
    },
  });

  return { beginSaml, endpoints: [acs, backFromSaml, metadata, ...createSamlLogoutEndpoints(deps)] };
};
