/**
 * Exchanges with identity providers that are under way. Each belongs to one browser, by a cookie that no other browser
 * has; is for one way and connection; is answered once, rightly or wrongly; and is over after ten minutes.
 */
import { hash, randomBytes } from "node:crypto";
import { Fault } from "@astralog/chassis";
import { randomBase62 } from "@astralog/schemas";
import type { SsoRequestTable } from "@astralog/schemas/postgres";
import { parse, serialize } from "cookie";
import type { Request, Response } from "express";
import type { Selectable } from "kysely";
import type { Db } from "../postgres.ts";
import type { Vouched } from "./vouched.ts";

export type SsoRequest = Selectable<SsoRequestTable>;

export interface NewRequest extends Pick<SsoRequest, "way" | "connection" | "person" | "return_to"> {
  /** OAuth's state or the SAML request's id. */
  readonly state: string;
  readonly verifier?: string;
  readonly nonce?: string;
}

const minutes = 10;
export const randomToken = (): string => randomBytes(32).toString("base64url");
export const hashToken = (token: string): string => hash("sha256", token);

/** Of one exchange: two tabs that sign in at a time do not disturb each other. */
const cookieName = (id: string): string => `__Host-${id}`;
const setCookie = (response: Response, id: string, value: string, seconds: number): void =>
  void response.append(
    "Set-Cookie",
    // Lax: the provider sends the browser back from another site, and it is a plain GET that takes the exchange up.
    serialize(cookieName(id), value, { path: "/", secure: true, httpOnly: true, sameSite: "lax", maxAge: seconds }),
  );

const ended = (): Fault =>
  new Fault("sign_in_ended", "This sign-in was begun elsewhere, is over, or took too long. Begin again.");

/** Remembers the exchange and marks the browser. */
export const beginRequest = async (db: Db, response: Response, wanted: NewRequest): Promise<string> => {
  const id = `ssr_${randomBase62(12)}`;
  const browser = randomToken();
  const { state, verifier = "", nonce = "", ...rest } = wanted;
  await db
    .insertInto("sso_requests")
    .values({
      ...rest,
      ...{ id, verifier, nonce, state_hash: hashToken(state), browser_hash: hashToken(browser), answer: null },
      expires_at: new Date(Date.now() + minutes * 60_000),
    })
    .execute();
  setCookie(response, id, browser, minutes * 60);
  return id;
};

type Expected = Pick<SsoRequest, "way" | "connection">;

/**
 * Takes the exchange out of the world, whatever becomes of it. Faults: `sign_in_ended` when there is none, it is of
 * another way or connection, or another browser began it.
 */
export const takeRequest = async (
  db: Db,
  request: Request,
  response: Response,
  expected: Expected & { readonly state: string },
): Promise<SsoRequest> => {
  const row = await db
    .deleteFrom("sso_requests")
    .where("state_hash", "=", hashToken(expected.state))
    .returningAll()
    .executeTakeFirst();
  return checked(request, response, expected, row);
};

/** The same for one whose answer came by another site's form, and waits. */
export const takeAnswered = async (
  db: Db,
  request: Request,
  response: Response,
  expected: Expected & { readonly id: string },
): Promise<SsoRequest & { vouched: Vouched }> => {
  const row = await db
    .deleteFrom("sso_requests")
    .where("id", "=", expected.id)
    .where("answer", "is not", null)
    .returningAll()
    .executeTakeFirst();
  const found = checked(request, response, expected, row);
  return { ...found, vouched: found.answer as unknown as Vouched };
};

const checked = (request: Request, response: Response, expected: Expected, row: SsoRequest | undefined): SsoRequest => {
  if (row === undefined) throw ended();
  const browser = parse(request.headers.cookie ?? "")[cookieName(row.id)] ?? "";
  setCookie(response, row.id, "", 0);
  if (
    row.way !== expected.way ||
    row.connection !== expected.connection ||
    row.browser_hash !== hashToken(browser) ||
    row.expires_at < new Date()
  )
    throw ended();
  return row;
};

/**
 * Notes the answer to a SAML request, once; `check` says what it proves, and whatever it throws, the request is answered.
 * Faults: `sign_in_ended`, and those of `check`.
 */
export const answerRequest = async (
  db: Db,
  expected: Expected & { readonly state: string },
  check: () => Promise<Vouched>,
): Promise<string> => {
  const row = await db
    .updateTable("sso_requests")
    // Nobody can answer it again, and nobody can come for it until it is checked.
    .set({ state_hash: hashToken(randomToken()) })
    .where("state_hash", "=", hashToken(expected.state))
    .where("way", "=", expected.way)
    .where("connection", "=", expected.connection)
    .where("expires_at", ">", new Date())
    .returning("id")
    .executeTakeFirst();
  if (row === undefined) throw ended();
  const vouched = await check();
  await db
    .updateTable("sso_requests")
    .set({ answer: JSON.stringify(vouched) })
    .where("id", "=", row.id)
    .execute();
  return row.id;
};
