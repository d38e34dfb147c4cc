/** /.well-known/security.txt (RFC 9116): whom to tell of a hole in this installation, and how long that is sure to hold. */
import type { RequestHandler } from "express";

export interface SecurityContact {
  /** mailto: and https: addresses, the best first; without one there is no such document. */
  readonly contacts: readonly string[];
  readonly expires: Date;
  /** The whole of it as its operator wrote and signed it, in place of what is made of the rest; or empty. */
  readonly document: string;
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

const expiryIn = (document: string): string | undefined => {
  const found = [...document.matchAll(/^Expires:[ \t]*(\S+)[ \t]*$/gim)];
  return found.length === 1 ? found[0]?.[1] : undefined;
};

/** What a document that is served as it is lacks, or undefined. A signature is the reader's to check. */
export const wrongDocument = (text: string, now = Date.now()): string | undefined => {
  if (text === "") return undefined;
  if (!/^Contact:[ \t]*\S/im.test(text)) return "must have a line such as Contact: mailto:security@example.com";
  const expires = expiryIn(text);
  if (expires === undefined) return "must have one line such as Expires: 2030-01-31T00:00:00Z";
  const wrong = wrongExpiry(expires, now);
  return wrong === undefined ? undefined : `Expires ${wrong}`;
};

export const isContact = (text: string): boolean => /^(mailto:[^\s@]+@[^\s@]+|https:\/\/[^\s]+)$/.test(text);

/** Says nothing once it has expired: an address that nobody stands for any more is worse than none. */
export const createSecurityTxt = ({ contacts, publicUrl, document, ...given }: SecurityContact): RequestHandler => {
  const path = "/.well-known/security.txt";
  const expires = document === "" ? given.expires : new Date(expiryIn(document) ?? 0);
  const lines = [
    ...contacts.map((one) => `Contact: ${one}`),
    `Expires: ${expires.toISOString().replace(/\.\d+Z$/, "Z")}`,
    `Canonical: ${new URL(path, publicUrl).href}`,
    "Preferred-Languages: en",
  ];
  const body = document === "" ? `${lines.join("\n")}\n` : document;
  return (request, response, next) => {
    if (request.path !== path || !["GET", "HEAD"].includes(request.method)) return next();
    if ((contacts.length === 0 && document === "") || expires.getTime() <= Date.now()) return next();
    response.setHeader("Cache-Control", "public, max-age=3600");
    response.type("text/plain; charset=utf-8").send(body);
  };
};
