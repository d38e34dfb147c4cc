/**
 * Signs requests to buckets: AWS' Signature Version 4, and Google's, which differs in names alone. Google takes AWS' too,
 * but not for a condition on a put, whose header must not stand beside AWS' own.
 */
import { createHmac, hash } from "node:crypto";
import type { StorageKeys } from "@astralog/schemas/storage";

interface Dialect {
  readonly algorithm: string;
  readonly secret: string;
  readonly service: string;
  readonly end: string;
  readonly header: string;
}

export const dialects = {
  aws: { algorithm: "AWS4-HMAC-SHA256", secret: "AWS4", service: "s3", end: "aws4_request", header: "x-amz-" },
  google: {
    algorithm: "GOOG4-HMAC-SHA256",
    secret: "GOOG4",
    service: "storage",
    end: "goog4_request",
    header: "x-goog-",
  },
} as const satisfies Record<string, Dialect>;

const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

export interface Unsigned {
  readonly method: string;
  /** Its path and parameters are taken as they are written. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A path of which each part is written as signatures want it. */
export const encodedPath = (path: string): string => path.split("/").map(encoded).join("/");

export const encodedQuery = (parameters: Readonly<Record<string, string>>): string =>
  Object.entries(parameters)
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join("&");

/** The headers to send. */
export const sign = (
  { method, url, headers, body }: Unsigned,
  keys: StorageKeys,
  { region, dialect, now }: { region: string; dialect: Dialect; now: Date },
): Record<string, string> => {
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const scope = `${time.slice(0, 8)}/${region}/${dialect.service}/${dialect.end}`;
  const bodyHash = hash("sha256", body);
  const all: Record<string, string> = {
    ...headers,
    host: url.host,
    [`${dialect.header}date`]: time,
    [`${dialect.header}content-sha256`]: bodyHash,
    ...(keys.session_token === undefined ? {} : { [`${dialect.header}security-token`]: keys.session_token }),
  };
  const names = Object.keys(all).sort();
  const request = [
    ...[method, url.pathname, url.search.slice(1)],
    ...names.map((name) => `${name}:${all[name]?.trim()}`),
    ...["", names.join(";"), bodyHash],
  ].join("\n");
  const text = [dialect.algorithm, time, scope, hash("sha256", request)].join("\n");
  const key = scope.split("/").reduce<string | Buffer>(hmac, dialect.secret + keys.secret_access_key);
  const signature = hmac(key, text).toString("hex");
  const { host: _, ...sent } = all;
  return {
    ...sent,
    authorization: `${dialect.algorithm} Credential=${keys.access_key_id}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
  };
};
