/** /.well-known/security.txt (RFC 9116): whom to tell of a hole in this installation, and how long that is sure to hold. */
import type { RequestHandler } from "express";

export interface SecurityContact {
  /** mailto: and https: addresses, the best first; without one there is no such document. */
  readonly contacts: readonly string[];
  readonly expires: Date;
  /** Where the document is found. */
  readonly publicUrl: URL;
}

const yearMs = 365 * 24 * 3_600_000;

/** What is wrong with when it expires, or undefined: the standard asks for less than a year, so that it is looked at. */
export const wrongExpiry = (text: string, now = Date.now()): string | undefined => {
  if (text === "") return undefined;
  const at = Date.parse(text);
  if (!/^\d{4}-\d\d-\d\d(T[\d:.]+Z)?$/.test(text) || Number.isNaN(at)) return "must be a date such as 2030-01-31";
  return at - now >= yearMs ? "must be less than a year away" : undefined;
};

export const isContact = (text: string): boolean => /^(mailto:[^\s@]+@[^\s@]+|https:\/\/[^\s]+)$/.test(text);

/** Says nothing once it has expired: an address that nobody stands for any more is worse than none. */
export const createSecurityTxt = ({ contacts, expires, publicUrl }: SecurityContact): RequestHandler => {
  const path = "/.well-known/security.txt";
  const lines = [
    ...contacts.map((one) => `Contact: ${one}`),
    `Expires: ${expires.toISOString().replace(/\.\d+Z$/, "Z")}`,
    `Canonical: ${new URL(path, publicUrl).href}`,
    "Preferred-Languages: en",
  ];
  const body = `${lines.join("\n")}\n`;
  return (request, response, next) => {
    if (request.path !== path || !["GET", "HEAD"].includes(request.method)) return next();
    if (contacts.length === 0 || expires.getTime() <= Date.now()) return next();
    response.setHeader("Cache-Control", "public, max-age=3600");
    response.type("text/plain; charset=utf-8").send(body);
  };
};
