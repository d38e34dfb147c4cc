/**
 * The cookies. `__Host-` binds them to this host and to HTTPS: no other host can set one, no plain connection carries
 * one. Browsers count http://localhost as safe enough for that, so the embedded stack needs no certificate.
 */
import { parse, serialize } from "cookie";
import type { Request, Response } from "express";

const names = {
  /** A session's token. */
  session: "__Host-astralog",
  /** Who asked for a link: only that browser can use it. */
  asking: "__Host-astralog-asking",
  /** A browser that a person has signed in with before is not held up by who else tries his address. */
  known: "__Host-astralog-known",
} as const;
export type CookieName = keyof typeof names;

export const readCookie = (request: Request, name: CookieName): string | undefined =>
  parse(request.headers.cookie ?? "")[names[name]];

/** For a while, or until it is set again; an empty value takes it back. */
export const setCookie = (response: Response, name: CookieName, value: string, seconds: number): void =>
  void response.append(
    "Set-Cookie",
    serialize(names[name], value, {
      path: "/",
      secure: true,
      httpOnly: true,
      // Lax, not Strict: a link in a mail or a chat should find its reader signed in. What changes anything is checked.
      sameSite: "lax",
      maxAge: value === "" ? 0 : Math.floor(seconds),
    }),
  );
