/**
 * Whether a request may write, and as what. Decided from its head and the control tables alone: the body is not
 * touched, and no database is asked.
 */
import { timingSafeEqual } from "node:crypto";
import { isAllowed } from "@astralog/chassis";
import { hashKey, type KeyRecord, keyKind, type SourceRecord } from "@astralog/schemas";
import { hasKeyInUrl, readCredentials } from "./credentials.ts";
import type { Head } from "./protocol.ts";
import { Refusal } from "./refusals.ts";

/** The control topics as tables; see their records. */
export interface Knowledge {
  key(hash: string): KeyRecord | undefined;
  source(tenant: string, source: string): SourceRecord | undefined;
}

export interface Grant {
  readonly tenant: string;
  readonly source: SourceRecord;
  readonly keyId: string;
}

const challenge = { "www-authenticate": 'Bearer realm="astralog"' };

/** Throws a Refusal whose code says why not. `now` is in milliseconds since the epoch. */
export const admit = (
  head: Head,
  url: string,
  address: string,
  known: Knowledge,
  now: number,
  keyParameter?: string,
): Grant => {
  if (hasKeyInUrl(url, keyParameter))
    throw new Refusal(
      "key_in_url",
      "There is a key in the URL, where proxies log it. Revoke it, and send the new one as `Authorization: Bearer …`.",
    );
  const text = readCredentials(head.headers, head.query, keyParameter);
  if (text === undefined)
    throw new Refusal("key_missing", "Send an ingest key as `Authorization: Bearer …`.", { headers: challenge });
  const kind = keyKind(text);
  if (kind === undefined)
    throw new Refusal("key_malformed", "The key is mistyped or cut off: its checksum is wrong.", {
      headers: challenge,
    });
  const hash = hashKey(text);
  const key = known.key(hash);
  if (key === undefined || !sameHash(key.hash, hash))
    throw new Refusal("key_unknown", "There is no such key.", { headers: challenge });
  if (key.revoked_at > 0n && Number(key.revoked_at) <= now)
    throw new Refusal("key_revoked", "The key has been revoked.", { headers: challenge });
  if (key.expires_at > 0n && Number(key.expires_at) <= now)
    throw new Refusal("key_expired", "The key has expired.", { headers: challenge });
  if (key.kind !== "ingest")
    throw new Refusal("key_wrong_kind", `This is a ${key.kind} key; events are sent with an ingest key.`);
  if (!isAllowed(address, key.ip_allowlist))
    throw new Refusal("address_not_allowed", "The key may not be used from this address.");
  const source = known.source(key.tenant, key.source);
  if (source === undefined) throw new Refusal("source_unknown", "The key's source is not known here yet. Try again.");
  if (source.disabled) throw new Refusal("source_disabled", "The key's source is disabled.");
  return { tenant: key.tenant, source, keyId: key.id };
};

const sameHash = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
