/** For the real tests: an api with all the providers around it, and an owner who has shown his second factor. */
import { type MailSink, startMailSink } from "@astralog/local";
import { connectPostgres } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { jest } from "@jest/globals";
import { generate } from "selfsigned";
import { until } from "../api.driver.ts";
import { codeOf, type Visitor, visitor } from "../people/people.driver.ts";
import type { Db } from "../postgres.ts";
import {
  type GitHubServer,
  type LyingProvider,
  type OpenIdProvider,
  startDns,
  startGitHub,
  startLiar,
  startOpenId,
  type Walker,
  walker,
} from "./sso.driver.ts";

export interface Browser extends Walker {
  readonly visitor: Visitor;
}

export interface SsoPlatform {
  readonly one: Platform;
  readonly api: RunningService;
  readonly sink: MailSink;
  readonly db: Db;
  readonly origin: string;
  readonly owner: Visitor;
  readonly github: GitHubServer;
  readonly google: OpenIdProvider;
  readonly liar: LyingProvider;
  readonly dns: Awaited<ReturnType<typeof startDns>>;
  /** What a SAML provider signs with. */
  readonly saml: { readonly cert: string; readonly key: string };
  browser(from?: Visitor): Browser;
  stop(): Promise<void>;
}

export const startSsoPlatform = async (): Promise<SsoPlatform> => {
  // The provider's package tells at length that this is no place to run it for good.
  for (const how of ["info", "warn"] as const) jest.spyOn(console, how).mockImplementation(() => undefined);
  const one = await platform(sharedStack());
  const { tls } = one.stack;
  const publicUrl = new URL(one.env("api").PUBLIC_URL ?? "");
  const { origin } = publicUrl;
  const sink = await startMailSink({ smtp: 0, page: 0 });
  const github = await startGitHub();
  const google = await startOpenId(tls, `${origin}/api/v1/auth/with/google/callback`);
  const liar = await startLiar(tls);
  const dns = await startDns();
  const api = await one.start("api", {
    ...{
      MAIL_URL: sink.smtp,
      DNS_SERVERS: dns.url,
      NODE_EXTRA_CA_CERTS: tls.ca,
      OUTGOING_ALLOWED: "127.0.0.0/8,::1/128",
    },
    ...{
      GITHUB_CLIENT_ID: "gh",
      GITHUB_CLIENT_SECRET: "s",
      GITHUB_URL: github.url,
      GITHUB_API_URL: `${github.url}/api`,
    },
    ...{ GOOGLE_CLIENT_ID: "astralog", GOOGLE_CLIENT_SECRET: "the client's secret" },
    ...{ GOOGLE_AUTHORIZATION_URL: `${google.url}/auth`, GOOGLE_TOKEN_URL: `${google.url}/token` },
    GOOGLE_USERINFO_URL: `${google.url}/userinfo`,
  });
  await until("the admin key", async () => {
    const answer = await fetch(`${api.url}/api/v1/keys`, { headers: { authorization: `Bearer ${one.adminKey}` } });
    return answer.ok ? true : undefined;
  });
  const db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  const owner = visitor(api.url, origin);
  const [, token] = one.firstOwnerLink.split("#");
  await owner.post("/auth/first-owner", { token, email: "ada@corp.example" });
  const { secret } = (await owner.post("/me/totp")).body;
  await owner.post("/me/totp/confirm", { code: codeOf(secret) });
  const made = await generate([{ name: "commonName", value: "idp.example" }], {
    keyType: "rsa",
    keySize: 2048,
    algorithm: "sha256",
  });
  const saml = { cert: made.cert, key: made.private };
  return {
    ...{ one, api, sink, db, origin, owner, github, google, liar, dns, saml },
    browser: (from = visitor(api.url, origin)) => ({ visitor: from, ...walker(from, api.url, origin, tls.ca) }),
    stop: async () => {
      await db.destroy();
      await one.stop();
      await sink.close();
      for (const server of [github, google, liar, dns]) server.close();
    },
  };
};

export const whoIs = async ({ visitor: who }: Browser) => (await who.get("/me")).body;
