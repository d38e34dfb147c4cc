/**
 * OpenID Connect with an organization's own provider. All that it names is fetched by the guarded way out. The answer is
 * bound to this exchange (state, nonce, PKCE) and to this provider: issuer, audience, expiry, and a signature by one of
 * its published keys with an asymmetric algorithm.
 */
import { Fault, type Log, type Outgoing } from "@astralog/chassis";
import * as client from "openid-client";
import { z } from "zod";
import type { OpenConnection } from "./connections.ts";
import type { Vouched } from "./vouched.ts";

export interface OidcExchange {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export interface Oidc {
  /** Where the browser goes. Faults: `provider_failed`, `address_refused`. */
  begin(connection: OpenConnection, exchange: OidcExchange): Promise<string>;
  /** `query`: what came back. Faults: `provider_failed`, `sign_in_refused`. */
  finish(connection: OpenConnection, exchange: OidcExchange, query: Readonly<Record<string, string>>): Promise<Vouched>;
  /** What the provider publishes, asked anew. Faults: as `begin`. */
  test(connection: OpenConnection): Promise<{ issuer: string; keys: number }>;
}

const algorithms = new Set(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]);
const keptMs = 600_000;
const mostKept = 1_000;

const claims = z.object({
  sub: z.string().min(1).max(255),
  email: z.string().max(254).optional(),
  email_verified: z.union([z.boolean(), z.enum(["true", "false"]).transform((text) => text === "true")]).optional(),
  name: z.string().optional().catch(undefined),
});
const header = z.object({ alg: z.string() });
const keySet = z.object({ keys: z.array(z.object({ kty: z.enum(["RSA", "EC", "OKP"]) })).min(1) });

const failed = (cause: unknown): Fault =>
  new Fault("provider_failed", "The identity provider does not answer as it should. Tell whoever runs it.", { cause });

export const createOidc = ({ outgoing, log }: { outgoing: Outgoing; log: Log }): Oidc => {
  const kept = new Map<string, { until: number; configuration: client.Configuration }>();

  const guardedFetch: client.CustomFetch = (url, { method, headers, body, signal }) => {
    if (!(body === null || body === undefined || typeof body === "string" || body instanceof URLSearchParams))
      throw new TypeError("no such body is ever sent to a provider");
    return outgoing.fetch(url, { method, headers, body, signal });
  };

  const discover = async (connection: OpenConnection): Promise<client.Configuration> => {
    const { issuer, client_id: id, secret } = connection;
    const configuration = await client.discovery(new URL(issuer), id ?? "", undefined, undefined, {
      [client.customFetch]: guardedFetch,
      timeout: 15,
    });
    const { token_endpoint_auth_methods_supported: methods } = configuration.serverMetadata();
    // Basic is the default where a provider does not say.
    const authentication =
      methods?.includes("client_secret_post") === true
        ? client.ClientSecretPost(secret)
        : client.ClientSecretBasic(secret);
    const ready = new client.Configuration(configuration.serverMetadata(), id ?? "", undefined, authentication);
    ready[client.customFetch] = guardedFetch;
    ready.timeout = 15;
    // Also over TLS: what an ID token says is believed by its signature.
    client.enableNonRepudiationChecks(ready);
    return ready;
  };

  const configurationOf = async (connection: OpenConnection): Promise<client.Configuration> => {
    const key = `${connection.id} ${connection.changed_at.getTime()}`;
    const known = kept.get(key);
    if (known !== undefined && known.until > Date.now()) return known.configuration;
    const configuration = await discover(connection);
    if (kept.size >= mostKept) kept.clear();
    kept.set(key, { until: Date.now() + keptMs, configuration });
    return configuration;
  };

  /** What went wrong is told to the log; to the browser only that it did. */
  const guarded = async <T>(connection: OpenConnection, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      if (error instanceof Fault) throw error;
      if (cause instanceof Fault && cause.code === "address_refused") throw cause;
      log.info({ err: error, connection: connection.id }, "an identity provider's answer was not accepted");
      throw failed(error);
    }
  };

  return {
    begin: (connection, { redirectUri, state, nonce, verifier }) =>
      guarded(connection, async () => {
        const url = client.buildAuthorizationUrl(await configurationOf(connection), {
          ...{ redirect_uri: redirectUri, scope: "openid email profile", state, nonce },
          ...{ code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256" },
        });
        outgoing.check(url.href);
        return url.href;
      }),
    finish: (connection, { redirectUri, state, nonce, verifier }, query) =>
      guarded(connection, async () => {
        const configuration = await configurationOf(connection);
        const url = new URL(redirectUri);
        url.search = new URLSearchParams(query).toString();
        const tokens = await client.authorizationCodeGrant(configuration, url, {
          ...{ expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true },
        });
        const { alg } = header.parse(
          JSON.parse(Buffer.from(tokens.id_token?.split(".", 1)[0] ?? "", "base64url").toString()),
        );
        if (!algorithms.has(alg)) throw new Error(`the ID token is signed with ${alg}`);
        const said = claims.parse(tokens.claims());
        const more =
          said.email === undefined && configuration.serverMetadata().userinfo_endpoint !== undefined
            ? claims.parse(await client.fetchUserInfo(configuration, tokens.access_token, said.sub))
            : said;
        return {
          ...{ issuer: configuration.serverMetadata().issuer, subject: said.sub, name: more.name ?? "" },
          ...(more.email === undefined ? {} : { email: more.email }),
          emailVerified: more.email_verified ?? connection.trusts_email,
        };
      }),
    test: (connection) =>
      guarded(connection, async () => {
        const metadata = (await discover(connection)).serverMetadata();
        if (metadata.code_challenge_methods_supported?.includes("S256") === false)
          throw new Error("the provider does not support PKCE with S256");
        for (const address of [metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri])
          outgoing.check(address ?? "");
        const answer = await outgoing.fetch(metadata.jwks_uri ?? "", { headers: { accept: "application/json" } });
        const { keys } = keySet.parse(await answer.json());
        return { issuer: metadata.issuer, keys: keys.length };
      }),
  };
};
