/** For the real tests: a browser's cookies over fetch, the mail it gets, and codes as an authenticator app shows them. */
import { type MailSink, startMailSink } from "@astralog/local";
import type { AuditAction } from "@astralog/schemas";
import { type AuditEventTable, connectPostgres } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { type Selectable, sql } from "kysely";
import { Secret, TOTP } from "otpauth";
import { until } from "../api.driver.ts";
import type { Db } from "../postgres.ts";
import { ensurePerson } from "./people.ts";

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

/** Mails to somebody that have a link with a token in it, newest first. */
export const linksTo = (sink: MailSink, to: string): string[] =>
  sink.mails().flatMap((mail) => (mail.to.includes(to) ? (/#([A-Za-z0-9_-]{43})/.exec(mail.text)?.[1] ?? []) : []));

/** The token of the newest link that was mailed to somebody after `count` mails. */
export const linkFor = (sink: MailSink, to: string, count = 0): Promise<string> =>
  until(`a link for ${to}`, () => {
    const links = linksTo(sink, to);
    return links.length > count ? links[0] : undefined;
  });

/** Signs in by mail, in that browser. */
export const signInByMail = async (browser: Visitor, sink: MailSink, email: string): Promise<Answer> => {
  const before = linksTo(sink, email).length;
  const asked = await browser.post("/auth/link", { email });
  if (asked.status !== 202) return asked;
  return browser.post("/auth/link/confirm", { token: await linkFor(sink, email, before) });
};

/** What the app shows `steps` from now. */
export const codeOf = (secret: string, steps = 0): string =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + steps * 30_000 });

export interface World {
  readonly one: Platform;
  readonly api: RunningService;
  readonly db: Db;
  readonly origin: string;
  /** A test may end it and start another on its port. */
  sink: MailSink;
  /** All that came, with what they were told. */
  readonly visitors: readonly Visitor[];
  browser(): Visitor;
  /** A member of the organization. */
  person(email: string): Promise<{ id: string }>;
  /** In a browser of its own, by mail. */
  signedIn(email: string): Promise<Visitor>;
  /** Every row there is, as text. */
  dump(): Promise<string>;
  acts(action: AuditAction, actor: string): Promise<Selectable<AuditEventTable>[]>;
  stop(): Promise<void>;
}

export const startWorld = async (): Promise<World> => {
  const one = await platform(sharedStack());
  const sink = await startMailSink({ smtp: 0, page: 0 });
  const { PUBLIC_URL: origin = "", POSTGRES_URL: postgres = "" } = one.env("api");
  const api = await one.start("api", { MAIL_URL: sink.smtp });
  const db = connectPostgres(postgres);
  const visitors: Visitor[] = [];
  const world: World = {
    ...{ one, api, db, origin, sink, visitors },
    browser: () => {
      const here = visitor(api.url, origin);
      visitors.push(here);
      return here;
    },
    person: (email) =>
      db.transaction().execute(async (trx) => {
        const made = await ensurePerson(trx, email);
        await trx.insertInto("memberships").values({ tenant: one.tenant, person: made.id, role: "member" }).execute();
        return made;
      }),
    signedIn: async (email) => {
      const here = world.browser();
      const { status, body } = await signInByMail(here, world.sink, email);
      if (status !== 200) throw new Error(`${email} could not sign in: ${JSON.stringify(body)}`);
      return here;
    },
    dump: async () => {
      const { rows } = await sql<{ name: string }>`select table_name as name from information_schema.tables
        where table_schema = 'public'`.execute(db);
      const tables = await Promise.all(
        rows.map(({ name }) => sql`select to_jsonb(t)::text as row from ${sql.table(name)} t`.execute(db)),
      );
      return JSON.stringify(tables.map((table) => table.rows));
    },
    acts: (action, actor) =>
      db
        .selectFrom("audit_events")
        .selectAll()
        .where("action", "=", action)
        .where("actor_id", "=", actor)
        .orderBy("seq")
        .execute(),
    stop: async () => {
      await db.destroy();
      await one.stop();
      await world.sink.close();
    },
  };
  return world;
};
