/**
 * The signed head of a chain: which event is the last one. It is kept outside the database that holds the chain, so a
 * chain that lost its end, or was written anew from some event on, no longer ends where the head says.
 *
 * signature = Ed25519, base64, over the text `astralog.audit-head.v1` LF and the canonical JSON (RFC 8785) of the head
 * without `signature`. The key's id is the first 16 hex digits of the SHA-256 of the 32 bytes of the public key.
 */
import { createPrivateKey, createPublicKey, hash as digest, type KeyObject, sign, verify } from "node:crypto";
import { canonicalJson, type Json } from "./audit.ts";
import type { ChainPoint } from "./audit-chain.ts";

export interface AuditHead extends ChainPoint {
  /** Of the last event, RFC 3339. */
  readonly at: string;
  readonly key_id: string;
  readonly signature: string;
}

export interface AuditSigner {
  readonly keyId: string;
  /** 32 bytes as base64. */
  readonly publicKey: string;
  sign(head: Pick<AuditHead, "tenant" | "seq" | "hash" | "at">): AuditHead;
  /**
   * Signs a document of another kind: over `astralog.<kind>.v1` LF and its canonical JSON with `key_id` and `public_key`,
   * which are added to it like `signature`.
   */
  seal(kind: string, document: Sealable): Sealable;
}

export type Sealable = { readonly [name: string]: Json };

const sealed = (kind: string, document: Sealable): Buffer =>
  Buffer.from(`astralog.${kind}.v1\n${canonicalJson(document)}`);

// What stands before the 32 bytes of an Ed25519 key in PKCS #8 and SPKI.
const privatePrefix = Buffer.from("302e020100300506032b657004220420", "hex");
const publicPrefix = Buffer.from("302a300506032b6570032100", "hex");

const message = (head: Omit<AuditHead, "signature">): Buffer => {
  const { tenant, seq, hash, at, key_id } = head;
  return Buffer.from(`astralog.audit-head.v1\n${canonicalJson({ tenant, seq, hash, at, key_id })}`);
};

const idOf = (publicKey: Buffer): string => digest("sha256", publicKey, "hex").slice(0, 16);

export const auditKeyId = (publicKey: string): string => idOf(Buffer.from(publicKey, "base64"));

/** From a seed of 32 bytes. */
export const createAuditSigner = (seed: Buffer): AuditSigner => {
  const key = createPrivateKey({ key: Buffer.concat([privatePrefix, seed]), format: "der", type: "pkcs8" });
  const bytes = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(publicPrefix.length);
  const keyId = idOf(bytes);
  return {
    keyId,
    publicKey: bytes.toString("base64"),
    sign: ({ tenant, seq, hash, at }) => {
      const head = { tenant, seq, hash, at, key_id: keyId };
      return { ...head, signature: sign(null, message(head), key).toString("base64") };
    },
    seal: (kind, document) => {
      const signed = { ...document, key_id: keyId, public_key: bytes.toString("base64") };
      return { ...signed, signature: sign(null, sealed(kind, signed), key).toString("base64") };
    },
  };
};

const publicKeyOf = (base64: string): KeyObject | undefined => {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length !== 32) return undefined;
  return createPublicKey({ key: Buffer.concat([publicPrefix, bytes]), format: "der", type: "spki" });
};

/** Whether the head was signed with the key of this public key. False for a text that is no key. */
export const isSignedHead = (head: AuditHead, publicKey: string): boolean => {
  try {
    const key = publicKeyOf(publicKey);
    return (
      key !== undefined &&
      head.key_id === auditKeyId(publicKey) &&
      verify(null, message(head), key, Buffer.from(head.signature, "base64"))
    );
  } catch {
    return false;
  }
};

/** Whether the document was sealed as that kind with the key of this public key. False for what is nothing of the kind. */
export const isSealed = (kind: string, document: Sealable, publicKey: string): boolean => {
  try {
    const { signature, ...signed } = document;
    const key = publicKeyOf(publicKey);
    return (
      key !== undefined &&
      typeof signature === "string" &&
      signed.key_id === auditKeyId(publicKey) &&
      signed.public_key === publicKey &&
      verify(null, sealed(kind, signed), key, Buffer.from(signature, "base64"))
    );
  } catch {
    return false;
  }
};
