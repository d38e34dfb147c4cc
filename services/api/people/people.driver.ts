/** For the real tests: a browser's cookies over fetch, the mail it gets, and codes as an authenticator app shows them. */
import type { MailSink } from "@astralog/local";
import { Secret, TOTP } from "otpauth";
import { until } from "../api.driver.ts";

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly body: any;
  readonly headers: Headers;
}

export interface Visitor {
  readonly cookies: Map<string, string>;
  /** What the server said about cookies, as it said it. */
  readonly told: string[];
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

/** `url` is where the api answers, `origin` what its pages are called. */
export const visitor = (url: string, origin: string): Visitor => {
  const cookies = new Map<string, string>();
  const told: string[] = [];
  const send: Visitor["send"] = async (method, path, body, headers = {}) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; "),
        ...(method === "GET" ? {} : { origin }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    for (const line of response.headers.getSetCookie()) {
      told.push(line);
      const [name = "", value = ""] = (line.split(";", 1)[0] ?? "").split(/=(.*)/s);
      if (value === "") cookies.delete(name);
      else cookies.set(name, value);
    }
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text), headers: response.headers };
  };
  return {
    cookies,
    told,
    send,
    get: (path, headers) => send("GET", path, undefined, headers),
    post: (path, body, headers) => send("POST", path, body, headers),
  };
};

/** The token of the newest link that was mailed to somebody after `count` mails. */
export const linkFor = (sink: MailSink, to: string, count = 0): Promise<string> =>
  until(`a link for ${to}`, () => {
    const mails = sink.mails().filter((mail) => mail.to.includes(to) && mail.text.includes("#"));
    return mails.length > count ? /#([A-Za-z0-9_-]{43})/.exec(mails[0]?.text ?? "")?.[1] : undefined;
  });

/** Signs in by mail, in that browser. */
export const signInByMail = async (browser: Visitor, sink: MailSink, email: string): Promise<Answer> => {
  const before = sink.mails().filter((mail) => mail.to.includes(email) && mail.text.includes("#")).length;
  const asked = await browser.post("/auth/link", { email });
  if (asked.status !== 202) return asked;
  return browser.post("/auth/link/confirm", { token: await linkFor(sink, email, before) });
};

/** What the app shows `steps` from now. */
export const codeOf = (secret: string, steps = 0): string =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + steps * 30_000 });
