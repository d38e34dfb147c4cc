/**
 * The public keys that GitHub signs its secret-scanning posts with: given by configuration, or fetched from one
 * configured address and kept for an hour. The address comes from the operator alone; nothing in a request has a say in
 * where this service connects to.
 */
import { createPublicKey, type KeyObject } from "node:crypto";
import { Fault, type Log, type Outgoing } from "@astralog/chassis";
import { z } from "zod";

const document = z.object({
  public_keys: z.array(z.object({ key_identifier: z.string().max(256), key: z.string().max(4_096) })).max(100),
});

/** Keys by their identifier; those that are not ECDSA on P-256 are left out. Throws on anything that is not the document. */
export const parsePartnerKeys = (text: string): Map<string, KeyObject> => {
  const keys = new Map<string, KeyObject>();
  for (const { key_identifier: id, key: pem } of document.parse(JSON.parse(text)).public_keys) {
    const key = publicKeyOf(pem);
    if (key?.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1") keys.set(id, key);
  }
  return keys;
};

const publicKeyOf = (pem: string): KeyObject | undefined => {
  try {
    return createPublicKey(pem);
  } catch {
    return undefined;
  }
};

export interface PartnerKeys {
  /** Undefined when there is no such key. Faults: `busy` (retriable) when none could be fetched yet. */
  find(id: string): Promise<KeyObject | undefined>;
}

const keptMs = 3_600_000;
/** A forged identifier must not make this service ask GitHub over and over. */
const againMs = 30_000;
const mostBytes = 65_536;

export interface PartnerKeysDeps {
  readonly url: string;
  readonly given: string;
  readonly outgoing: Outgoing;
  readonly log: Log;
}

export const createPartnerKeys = ({ url, given, outgoing, log }: PartnerKeysDeps): PartnerKeys => {
  if (given !== "") {
    const keys = parsePartnerKeys(given);
    return { find: (id) => Promise.resolve(keys.get(id)) };
  }
  if (!URL.canParse(url) || new URL(url).protocol !== "https:")
    throw new Fault("invalid_configuration", `SECRET_SCANNING_KEYS_URL must be an https address, not ${url}.`);
  let keys: Map<string, KeyObject> | undefined;
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;
  let under: Promise<void> | undefined;
  const fetchKeys = async (): Promise<void> => {
    try {
      const answer = await outgoing.fetch(url, { headers: { accept: "application/json" }, mostBytes });
      if (!answer.ok) throw new Error(`the keys' address answered ${answer.status}`);
      keys = parsePartnerKeys(await answer.text());
      fetchedAt = performance.now();
    } catch (error) {
      log.warn({ err: error }, "the secret-scanning partner's keys could not be fetched");
    }
  };
  return {
    find: async (id) => {
      const now = performance.now();
      const wanted = keys?.has(id) !== true || now - fetchedAt > keptMs;
      if (under === undefined && wanted && now - triedAt > againMs) {
        triedAt = now;
        under = fetchKeys().finally(() => {
          under = undefined;
        });
      }
      // A known key serves on while newer ones are fetched.
      if (keys?.has(id) !== true) await under;
      if (keys === undefined)
        throw new Fault("busy", "The keys to check the signature with cannot be had now; post it again later.", {
          retriable: true,
        });
      return keys.get(id);
    },
  };
};
