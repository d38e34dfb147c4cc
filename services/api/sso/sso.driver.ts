/**
 * For the real tests: identity providers on loopback (a real OpenID provider, one that lies, GitHub's OAuth addresses), a
 * DNS server, and a browser that walks between them and the api.
 */
import { createHmac, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import {
  createServer as createHttp,
  type IncomingMessage,
  type RequestListener,
  request as requestHttp,
} from "node:http";
import { createServer as createHttps, request as requestHttps } from "node:https";
import type { AddressInfo } from "node:net";
import type { Platform } from "@astralog/testbed";
import Provider from "oidc-provider";
import type { Visitor } from "../people/people.driver.ts";

type Tls = Platform["stack"]["tls"];
export interface Running {
  readonly url: string;
  close(): void;
}

const listening = async (handle: RequestListener, tls?: Tls): Promise<Running> => {
  const server =
    tls === undefined
      ? createHttp(handle)
      : createHttps({ cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) }, handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

/** Whom a provider knows: claims by account. */
export type Accounts = Map<string, Record<string, unknown>>;

export interface OpenIdProvider extends Running {
  readonly accounts: Accounts;
  /** Who signs in there next. */
  account: string;
}

/** The `oidc-provider` package; PKCE is required, and whoever comes is signed in as `account` without being asked. */
export const startOpenId = async (tls: Tls, redirectUri: string): Promise<OpenIdProvider> => {
  let handle: RequestListener = () => undefined;
  const server = await listening((request, response) => handle(request, response), tls);
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const running = { ...server, accounts: new Map() as Accounts, account: "" };
  const provider = new Provider(server.url, {
    clients: [{ client_id: "astralog", client_secret: "the client's secret", redirect_uris: [redirectUri] }],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: "one", alg: "RS256", use: "sig" } as never] },
    cookies: { keys: [randomBytes(16).toString("hex")] },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    routes: { userinfo: "/userinfo" },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...running.accounts.get(id) }) }),
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client?.clientId ?? "",
        accountId: ctx.oidc.session?.accountId ?? "",
      });
      grant.addOIDCScope("openid email profile");
      await grant.save();
      return grant;
    },
  });
  const serve = provider.callback();
  handle = (request, response) => {
    if (request.url?.startsWith("/interaction/") === true)
      void provider.interactionFinished(request, response, { login: { accountId: running.account } });
    else void serve(request, response);
  };
  return running;
};

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

export interface LyingProvider extends Running {
  /** Makes the ID token of the next exchange. */
  token: (truth: Record<string, unknown>, sign: LyingProvider) => string;
  jwt(header: object, claims: object, by?: KeyObject | string): string;
  metadata: Record<string, unknown>;
  readonly asked: string[];
}

/** An OpenID provider that says whatever the test wants. */
export const startLiar = async (tls: Tls): Promise<LyingProvider> => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const asked: string[] = [];
  const server = await listening((request, response) => {
    const { pathname: path } = new URL(request.url ?? "/", server.url);
    asked.push(path);
    const answer = (body: object) => response.setHeader("content-type", "application/json").end(JSON.stringify(body));
    if (path.endsWith("/openid-configuration")) {
      answer({
        issuer: server.url,
        authorization_endpoint: `${server.url}/auth`,
        token_endpoint: `${server.url}/token`,
        jwks_uri: `${server.url}/keys`,
        ...liar.metadata,
      });
    } else if (path === "/keys") answer({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "one", use: "sig" }] });
    else answer({ access_token: "a", token_type: "Bearer", id_token: liar.token(truth(), liar) });
  }, tls);
  const truth = () => ({
    ...{ iss: server.url, sub: "liar", aud: "astralog", email: "liar@corp.example", email_verified: true },
    ...{ iat: Math.floor(Date.now() / 1000), exp: Math.floor(Date.now() / 1000) + 300 },
  });
  const liar: LyingProvider = {
    ...server,
    asked,
    metadata: {},
    token: () => "",
    jwt: (header, claims, by = privateKey) => {
      const text = `${part(header)}.${part(claims)}`;
      if (by === "") return `${text}.`;
      const signature =
        typeof by === "string" ? createHmac("sha256", by).update(text).digest() : sign("sha256", Buffer.from(text), by);
      return `${text}.${signature.toString("base64url")}`;
    },
  };
  return liar;
};

export interface GitHubAccount {
  readonly id: number;
  readonly emails: readonly { readonly email: string; readonly primary: boolean; readonly verified: boolean }[];
}

export interface GitHubServer extends Running {
  account: GitHubAccount;
  /** The code verifiers that were shown for tokens. */
  readonly verifiers: string[];
}

/** GitHub's OAuth addresses and the two of its API, as documented. */
export const startGitHub = async (): Promise<GitHubServer> => {
  const server = await listening((request, response) => {
    const url = new URL(request.url ?? "/", server.url);
    const json = (body: unknown) => response.setHeader("content-type", "application/json").end(JSON.stringify(body));
    if (url.pathname === "/login/oauth/authorize") {
      const back = new URL(url.searchParams.get("redirect_uri") ?? "");
      back.search = new URLSearchParams({ code: "a code", state: url.searchParams.get("state") ?? "" }).toString();
      response.writeHead(302, { location: back.href }).end();
    } else if (url.pathname === "/login/oauth/access_token") {
      const pieces: Buffer[] = [];
      request.on("data", (piece: Buffer) => pieces.push(piece));
      request.on("end", () => {
        gitHub.verifiers.push(new URLSearchParams(Buffer.concat(pieces).toString()).get("code_verifier") ?? "");
        json({ access_token: "a token", token_type: "bearer", scope: "read:user,user:email" });
      });
    } else if (url.pathname === "/api/user") json({ id: gitHub.account.id, login: "octo", name: "Octo Cat" });
    else json(gitHub.account.emails);
  });
  const gitHub: GitHubServer = { ...server, account: { id: 0, emails: [] }, verifiers: [] };
  return gitHub;
};

/** Answers TXT questions out of `texts`; other names do not exist. */
export const startDns = async (): Promise<Running & { texts: Map<string, string> }> => {
  const texts = new Map<string, string>();
  const socket = createSocket("udp4");
  socket.on("message", (question, peer) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
      labels.push(question.subarray(at + 1, at + 1 + length).toString());
      at += 1 + length;
    }
    const text = texts.get(labels.join(".").toLowerCase());
    const asked = question.subarray(12, at + 5);
    const head = Buffer.alloc(12);
    head.writeUInt16BE(question.readUInt16BE(0), 0);
    head.writeUInt16BE(text === undefined ? 0x8183 : 0x8180, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(text === undefined ? 0 : 1, 6);
    if (text === undefined) return socket.send(Buffer.concat([head, asked]), peer.port, peer.address);
    const value = Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
    const record = Buffer.from([0xc0, 0x0c, 0, 16, 0, 1, 0, 0, 0, 0, 0, value.length]);
    socket.send(Buffer.concat([head, asked, record, value]), peer.port, peer.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return { url: `127.0.0.1:${socket.address().port}`, texts, close: () => socket.close() };
};

export interface Walker {
  /** One request, no redirect followed. */
  ask(
    url: string,
    form?: Record<string, string>,
  ): Promise<{ status: number; location: string | undefined; text: string }>;
  /** Follows redirects until `stop` or until a page of ours is reached; where that is, without our origin. */
  walk(url: string, stop?: (url: URL) => boolean): Promise<string>;
}

/** A browser: our cookies are the visitor's, and each other origin has its own. */
export const walker = (visitor: Visitor, api: string, origin: string, ca: string): Walker => {
  const jars = new Map<string, Map<string, string>>([[origin, visitor.cookies]]);
  const ask: Walker["ask"] = (address, form) =>
    new Promise((resolve, reject) => {
      const url = new URL(address, origin);
      const jar = jars.get(url.origin) ?? new Map<string, string>();
      jars.set(url.origin, jar);
      const ours = url.origin === origin;
      const body = form === undefined ? undefined : new URLSearchParams(form).toString();
      const sent = (url.protocol === "https:" ? requestHttps : requestHttp)(
        ours ? new URL(url.pathname + url.search, api) : url,
        {
          method: body === undefined ? "GET" : "POST",
          ca: readFileSync(ca),
          headers: {
            // What comes from another site's form brings no cookie that is Lax.
            ...(body === undefined ? { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; ") } : {}),
            ...(body === undefined
              ? {}
              : {
                  ...{ "content-type": "application/x-www-form-urlencoded", "content-length": Buffer.byteLength(body) },
                  ...{ origin: "https://idp.example", "sec-fetch-site": "cross-site" },
                }),
          },
        },
        (answer: IncomingMessage) => {
          const pieces: Buffer[] = [];
          answer.on("data", (piece: Buffer) => pieces.push(piece));
          answer.on("end", () => {
            for (const line of answer.headers["set-cookie"] ?? []) {
              const [name = "", value = ""] = (line.split(";", 1)[0] ?? "").split(/=(.*)/s);
              if (value === "" || /Max-Age=0/i.test(line)) jar.delete(name);
              else jar.set(name, value);
            }
            resolve({
              status: answer.statusCode ?? 0,
              location: answer.headers.location,
              text: Buffer.concat(pieces).toString(),
            });
          });
        },
      );
      sent.on("error", reject);
      sent.end(body);
    });
  return {
    ask,
    walk: async (begin, stop = () => false) => {
      let url = new URL(begin, origin);
      for (let i = 0; i < 12; i++) {
        if (stop(url)) return url.href;
        if (url.origin === origin && !url.pathname.startsWith("/api/")) return url.pathname + url.search;
        const { status, location, text } = await ask(url.href);
        if (location === undefined) throw new Error(`${url.href} answered ${status}: ${text.slice(0, 300)}`);
        url = new URL(location, url);
      }
      throw new Error("it goes round in circles");
    },
  };
};
