/**
 * GitHub and Google, for the whole installation, by passport's strategies. They are run here one exchange at a time and
 * keep nothing of their own: state and PKCE are this service's exchanges. Of GitHub, only an address that it says is
 * verified and primary counts; of Google, only one with email_verified.
 */
import { Fault, type Log, type Outgoing } from "@astralog/chassis";
import { Strategy as GitHub, type StrategyOptions as GitHubOptions } from "passport-github2";
import { Strategy as Google, type StrategyOptions as GoogleOptions } from "passport-google-oauth20";
import { z } from "zod";
import type { CallbackQuery } from "./sso-shapes.ts";
import type { Vouched } from "./vouched.ts";

export type SocialId = "github" | "google";

export interface SocialApp {
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface SocialOptions {
  readonly github: (SocialApp & { readonly url: string; readonly apiUrl: string }) | undefined;
  readonly google:
    | (SocialApp & { readonly authorizationUrl: string; readonly tokenUrl: string; readonly userinfoUrl: string })
    | undefined;
  readonly outgoing: Outgoing;
  readonly log: Log;
}

/** Where an exchange is kept between the two visits of a browser. */
export interface ExchangeStore {
  keep(exchange: { state: string; verifier: string }): Promise<void>;
  take(state: string): Promise<{ verifier: string }>;
}

export interface SocialProvider {
  readonly id: SocialId;
  readonly name: string;
  begin(redirectUri: string, state: string, store: Pick<ExchangeStore, "keep">): Promise<string>;
  /** Faults: `provider_failed`, and those of `take`. */
  finish(redirectUri: string, query: CallbackQuery, store: Pick<ExchangeStore, "take">): Promise<Vouched>;
}

const waitMs = 20_000;

type Stored = (error: Error | null, state?: string) => void;
type Loaded = (error: Error | null, ok?: string | false, state?: unknown) => void;
type Done = (error: Error | null, user?: Vouched) => void;
interface Runnable {
  authenticate(request: unknown, options?: unknown): void;
}

/** passport's contract with a strategy: it calls one of these. */
const run = (strategy: Runnable, query: object, options: object): Promise<{ redirect: string } | { user: Vouched }> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the provider took too long")), waitMs);
    const ended =
      <T>(end: (value: T) => void) =>
      (value: T): void => {
        clearTimeout(timer);
        end(value);
      };
    const one = Object.assign(Object.create(strategy) as Runnable, {
      redirect: ended((redirect: string) => resolve({ redirect })),
      success: ended((user: Vouched) => resolve({ user })),
      fail: ended((info: unknown) => reject(new Error("the provider refused", { cause: info }))),
      error: ended(reject),
    });
    one.authenticate({ query, headers: {} }, options);
  });

/** passport-oauth2 tells what a store can do by how many arguments its functions take. */
const storeFor = (state: string, store: Partial<ExchangeStore>) => ({
  store: (_request: unknown, verifier: string, _state: unknown, _meta: unknown, done: Stored) => {
    (store.keep?.({ state, verifier }) ?? Promise.reject(new Error("no exchange begins here"))).then(
      () => done(null, state),
      done,
    );
  },
  verify: (_request: unknown, given: string, _meta: unknown, done: Loaded) => {
    (store.take?.(given) ?? Promise.reject(new Error("no exchange ends here"))).then(
      ({ verifier }) => done(null, verifier),
      done,
    );
  },
});

/** What passport's strategies hand down to those that build on them. */
interface OverOAuth2 {
  readonly _oauth2: { useAuthorizationHeaderforGET(use: boolean): void };
}

const userinfo = z.object({
  sub: z.string().min(1).max(255),
  email: z.string().optional(),
  email_verified: z.boolean().optional(),
  name: z.string().optional(),
});
const emails = z.array(z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() })).max(1_000);

export const createSocial = (options: SocialOptions): SocialProvider[] => {
  const { github, google, outgoing, log } = options;

  const verifiedEmail = async (apiUrl: string, token: string): Promise<string | undefined> => {
    const answer = await outgoing.fetch(`${apiUrl}/user/emails`, {
      headers: { authorization: `Bearer ${token}`, accept: "application/vnd.github+json" },
    });
    if (!answer.ok) throw new Error(`GitHub's /user/emails answered ${answer.status}`);
    return emails.parse(await answer.json()).find(({ primary, verified }) => primary && verified)?.email;
  };

  const gitHub = (app: NonNullable<SocialOptions["github"]>) => (callbackURL: string, store: object) =>
    new GitHub(
      {
        ...{ clientID: app.clientId, clientSecret: app.clientSecret, callbackURL, store, pkce: true },
        authorizationURL: `${app.url}/login/oauth/authorize`,
        tokenURL: `${app.url}/login/oauth/access_token`,
        userProfileURL: `${app.apiUrl}/user`,
        userAgent: "astralog",
      } as GitHubOptions,
      (token: string, _refresh: string, profile: { id: string; displayName?: string | null }, done: Done) => {
        verifiedEmail(app.apiUrl, token).then(
          (email) =>
            done(null, {
              ...{ issuer: new URL(app.url).origin, subject: String(profile.id), name: profile.displayName ?? "" },
              ...(email === undefined ? {} : { email }),
              emailVerified: email !== undefined,
            }),
          done,
        );
      },
    );

  const googleWay = (app: NonNullable<SocialOptions["google"]>) => (callbackURL: string, store: object) => {
    const strategy = new Google(
      {
        ...{ clientID: app.clientId, clientSecret: app.clientSecret, callbackURL, store, pkce: true },
        ...{ authorizationURL: app.authorizationUrl, tokenURL: app.tokenUrl, userProfileURL: app.userinfoUrl },
      } as GoogleOptions,
      (_token, _refresh, profile, done) => {
        const { sub, email, email_verified: verified, name } = userinfo.parse(profile._json);
        const said = { issuer: new URL(app.authorizationUrl).origin, subject: sub, name: name ?? "" };
        done(null, { ...said, ...(email === undefined ? {} : { email }), emailVerified: verified === true });
      },
    );
    // Without being told, it would put the access token into an address, where logs keep it.
    (strategy as unknown as OverOAuth2)._oauth2.useAuthorizationHeaderforGET(true);
    return strategy;
  };

  const provider = (
    id: SocialId,
    name: string,
    scope: string[],
    strategy: (callbackURL: string, store: object) => Runnable,
  ): SocialProvider => ({
    ...{ id, name },
    begin: async (redirectUri, state, store) => {
      const done = await run(strategy(redirectUri, storeFor(state, store)), {}, { scope });
      if (!("redirect" in done)) throw new Error("a sign-in that only begins cannot succeed");
      return done.redirect;
    },
    finish: async (redirectUri, query, store) => {
      try {
        const done = await run(strategy(redirectUri, storeFor("", store)), query, {});
        if (!("user" in done) || done.user.subject === "") throw new Error("the provider named nobody");
        return done.user;
      } catch (error) {
        if (error instanceof Fault && error.code !== "address_failed") throw error;
        log.info({ err: error, provider: id }, "an identity provider's answer was not accepted");
        throw new Fault("provider_failed", `${name} does not answer as it should; try again.`, { cause: error });
      }
    },
  });

  return [
    // The scope is asked for here and not told to the strategy, which would fetch addresses and drop `verified`.
    ...(github === undefined ? [] : [provider("github", "GitHub", ["read:user", "user:email"], gitHub(github))]),
    ...(google === undefined ? [] : [provider("google", "Google", ["openid", "email", "profile"], googleWay(google))]),
  ];
};
