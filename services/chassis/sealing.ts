/**
 * AES-256-GCM over text that must be kept or sent where others can read. What a value belongs to is authenticated with it
 * (`bound`), so one that was moved elsewhere does not open.
 */
import { createCipheriv, createDecipheriv, hash, randomBytes } from "node:crypto";
import { Fault } from "./fault.ts";

const ivBytes = 12;
const tagBytes = 16;

/** Nonce, ciphertext, tag. */
export const sealBytes = (key: Buffer, plain: Buffer, bound: string): Buffer => {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv("aes-256-gcm", key, iv, { authTagLength: tagBytes });
  cipher.setAAD(Buffer.from(bound));
  return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
};

/** Throws when the key is another, or the bytes or what they are bound to were changed. */
export const openBytes = (key: Buffer, sealed: Buffer, bound: string): Buffer => {
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, ivBytes), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(bound));
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  return Buffer.concat([decipher.update(sealed.subarray(ivBytes, -tagBytes)), decipher.final()]);
};

export const encrypt = (key: Buffer, plain: Buffer, bound: string): string =>
  sealBytes(key, plain, bound).toString("base64url");

/** Throws as openBytes does. */
export const decrypt = (key: Buffer, text: string, bound: string): Buffer =>
  openBytes(key, Buffer.from(text, "base64url"), bound);

/** Names a key of the configuration without telling of it. */
export const keyName = (key: Buffer): string =>
  hash("sha256", Buffer.concat([Buffer.from("astralog-kek\n"), key])).slice(0, 16);

/** Seals under a key that several services have from their configuration. */
export interface Sealer {
  seal(bound: string, plain: string): string;
  /** Faults: `sealed_unreadable`. */
  open(bound: string, sealed: string): string;
  /** Whether the first key sealed it. */
  isPresent(sealed: string): boolean;
}

const form = /^s1\.([0-9a-f]{16})\.([A-Za-z0-9_-]{38,})$/;

/** `keys`: the one that seals first, then those that may still have to open. */
export const createSealer = (keys: readonly [Buffer, ...Buffer[]]): Sealer => {
  const [present] = keys;
  const byName = new Map(keys.map((key) => [keyName(key), key]));
  return {
    seal: (bound, plain) => `s1.${keyName(present)}.${encrypt(present, Buffer.from(plain), bound)}`,
    open: (bound, sealed) => {
      const [, name = "", text = ""] = form.exec(sealed) ?? [];
      const key = byName.get(name);
      try {
        if (key === undefined) throw new Error("none of the configured keys sealed it");
        return decrypt(key, text, bound).toString();
      } catch (cause) {
        const message = "A sealed value does not open: it was changed or moved, or its key is gone.";
        throw new Fault("sealed_unreadable", message, { cause });
      }
    },
    isPresent: (sealed) => form.exec(sealed)?.[1] === keyName(present),
  };
};
