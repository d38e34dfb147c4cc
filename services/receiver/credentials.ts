/**
 * The key of a request, in every form that clients can send one. Only the form is read here; whether the key is any
 * good is admission's question. A key is never taken from the URL unless a protocol says that its clients cannot do
 * otherwise.
 */
import type { IncomingHttpHeaders } from "node:http";

const fromBase64 = (text: string): string => Buffer.from(text, "base64").toString("latin1");

/** `id:key`, or a user and a password of which one is the key. */
const fromPair = (pair: string): string | undefined => {
  const colon = pair.indexOf(":");
  const [user, password] = colon < 0 ? [pair, ""] : [pair.slice(0, colon), pair.slice(colon + 1)];
  return [password, user].find((text) => text.startsWith("al_")) ?? (password === "" ? user : password);
};

const fromAuthorization = (value: string): string | undefined => {
  const space = value.indexOf(" ");
  const scheme = value.slice(0, space < 0 ? value.length : space).toLowerCase();
  const rest = space < 0 ? "" : value.slice(space + 1).trim();
  if (rest === "") return undefined;
  switch (scheme) {
    case "bearer":
    case "splunk":
      return rest;
    case "apikey":
      return rest.startsWith("al_") ? rest : fromPair(fromBase64(rest));
    case "basic":
      return fromPair(fromBase64(rest));
    default:
      return undefined;
  }
};

const keyHeaders = ["dd-api-key", "x-seq-apikey", "x-amz-firehose-access-key"] as const;

/** The text that claims to be a key, or undefined when there is none. */
export const readCredentials = (
  headers: IncomingHttpHeaders,
  query: URLSearchParams,
  keyParameter?: string,
): string | undefined => {
  const { authorization } = headers;
  if (authorization !== undefined) return fromAuthorization(authorization);
  for (const name of keyHeaders) {
    const value = headers[name];
    if (typeof value === "string" && value !== "") return value.trim();
  }
  return keyParameter === undefined ? undefined : (query.get(keyParameter) ?? undefined);
};

const looksLikeKey = /al_(ing|qry|adm)_[0-9A-Za-z]{24}/;

/** Whether a URL carries a key: proxies and browsers write URLs to logs. */
export const hasKeyInUrl = (url: string, keyParameter?: string): boolean => {
  if (!looksLikeKey.test(url)) return false;
  return keyParameter === undefined || looksLikeKey.test(url.replace(new RegExp(`[?&]${keyParameter}=[^&]*`), ""));
};
