/** For the tests of access: the table of routes as the running api tells it, and askers of every kind. */
import { randomBytes } from "node:crypto";
import { type BuiltInRole, builtInRoles, randomBase62 } from "@astralog/schemas";
import type { RunningService } from "@astralog/testbed";
import { hashToken } from "../people/tokens.ts";
import type { Db } from "../postgres.ts";

export interface Route {
  readonly method: string;
  /** With {names}. */
  readonly path: string;
  readonly access: string;
  readonly stepUp: boolean;
}

export const routesOf = async (api: RunningService): Promise<Route[]> => {
  const document = (await (await fetch(`${api.url}/api/v1/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { "x-astralog-access": string; "x-astralog-step-up"?: true }>>;
  };
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, about]) => ({
      method: method.toUpperCase(),
      path,
      access: about["x-astralog-access"],
      stepUp: about["x-astralog-step-up"] === true,
    })),
  );
};

/** Somebody new in the organization, with that role. */
export const plantMember = async (
  db: Db,
  tenant: string,
  role: string,
  { sources = null, email }: { sources?: string[] | null; email?: string } = {},
): Promise<string> => {
  const person = `usr_${randomBase62(12)}`;
  await db
    .insertInto("people")
    .values({ id: person, email: email ?? `${person.toLowerCase()}@example.com` })
    .execute();
  await db.insertInto("memberships").values({ tenant, person, role, sources }).execute();
  return person;
};

export const plantRoles = async (db: Db, tenant: string): Promise<Record<BuiltInRole, string>> =>
  Object.fromEntries(
    await Promise.all(builtInRoles.map(async (role) => [role, await plantMember(db, tenant, role)] as const)),
  ) as Record<BuiltInRole, string>;

/** The cookie of a session that has just proven its second factor, unless told when it did. */
export const plantSession = async (
  db: Db,
  person: string,
  organization: string | null = null,
  mfaAt: Date | null = new Date(),
): Promise<string> => {
  const token = randomBytes(32).toString("base64url");
  await db
    .insertInto("sessions")
    .values({
      id: `ses_${randomBase62(12)}`,
      token_hash: hashToken(token),
      person,
      expires_at: new Date(Date.now() + 3_600_000),
      ip: "127.0.0.1",
      user_agent: "test",
      method: "email",
      mfa_at: mfaAt,
      organization,
    })
    .execute();
  return `__Host-astralog=${token}`;
};

export interface Reply {
  readonly status: number;
  readonly etag: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly body: any;
}

/** Asks with the given headers. Of an answer that does not end, only the head is read. */
export const asking =
  (api: RunningService, origin: string) =>
  async (headers: Record<string, string>, method: string, path: string, body?: unknown): Promise<Reply> => {
    const response = await fetch(`${api.url}/api/v1${path}`, {
      method,
      headers: {
        origin,
        ...headers,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const type = response.headers.get("content-type") ?? "";
    const about = { status: response.status, etag: response.headers.get("etag") };
    // JSON line by line is a stream, too.
    if (!/^application\/(problem\+)?json\b/.test(type)) {
      await response.body?.cancel();
      return { ...about, body: undefined };
    }
    return { ...about, body: await response.json() };
  };
