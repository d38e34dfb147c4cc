/**
 * API keys: `al_<kind>_<24 base62><6 base62 CRC-32>`. 24 base62 characters carry 142 bits. The checksum lets every
 * service, and a secret scanner, tell a mistyped or invented key from a real one without asking anybody. Only the
 * SHA-256 of a key is ever stored or sent.
 */
import { hash, randomInt } from "node:crypto";
import { crc32 } from "node:zlib";
import { type KeyKind, keyKinds } from "./permissions.ts";

const marks = { ingest: "ing", query: "qry", admin: "adm" } as const satisfies Record<KeyKind, string>;
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const shape = /^al_(ing|qry|adm)_([0-9A-Za-z]{24})([0-9A-Za-z]{6})$/;

/** Random base62 text of `length` characters from the system's CSPRNG. */
export const randomBase62 = (length: number): string => {
  let text = "";
  for (let i = 0; i < length; i++) text += alphabet[randomInt(62)];
  return text;
};

const checksum = (body: string): string => {
  let rest = crc32(body);
  let text = "";
  for (let i = 0; i < 6; i++) {
    text = alphabet[rest % 62] + text;
    rest = Math.floor(rest / 62);
  }
  return text;
};

const make = (mark: string): string => {
  const body = `al_${mark}_${randomBase62(24)}`;
  return body + checksum(body);
};

export const makeKey = (kind: KeyKind): string => make(marks[kind]);

/** Of a key's form, but no key: it opens its organization's SCIM address, and no service but the api knows it. */
export const makeScimToken = (): string => make("scm");

export const isScimToken = (text: string): boolean =>
  /^al_scm_[0-9A-Za-z]{30}$/.test(text) && checksum(text.slice(0, -6)) === text.slice(-6);

/** The kind a well-formed key claims, or undefined: wrong shape or wrong checksum. */
export const keyKind = (key: string): KeyKind | undefined => {
  const match = shape.exec(key);
  if (match === null || checksum(key.slice(0, -6)) !== match[3]) return undefined;
  return keyKinds.find((kind) => marks[kind] === match[1]);
};

/** SHA-256 of the key, 64 hex digits: how it is stored and looked up. */
export const hashKey = (key: string): string => hash("sha256", key, "hex");

/** What may be shown of a key: its prefix and last four characters. */
export const maskKey = (key: string): string => `${key.slice(0, 7)}…${key.slice(-4)}`;
