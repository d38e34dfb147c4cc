/**
 * Objects that are encrypted before they leave us, for buckets whose keeper is to read nothing. docs/encrypted-objects.md
 * says the same for readers in other languages, byte by byte.
 *
 * Each time that something is encrypted it gets a data key of its own, at random, so the chunks can be counted from 0: no nonce
 * ever meets a key twice, though a process that starts again writes the same object again. Chunks, and not one seal over
 * all, for a reader of a part need not fetch the rest, and what a reader has in memory is bounded.
 */
import { createCipheriv, createDecipheriv, hash, randomBytes } from "node:crypto";

const magic = Buffer.from("ASTRENC\u0001", "latin1");
const idBytes = 8;
export const clientKeyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const wrappedBytes = clientKeyBytes + tagBytes;
const mostNameBytes = 1_024;
const fixedBytes = magic.length + idBytes + 2;
/** No header is longer. */
export const mostHeaderBytes = fixedBytes + mostNameBytes + nonceBytes + wrappedBytes;
/** Of what is encrypted, in each chunk but the last. */
export const chunkBytes = 2 ** 20;
export const sealedChunkBytes = chunkBytes + tagBytes;

export type Refusal = "not_encrypted" | "unknown_key" | "damaged";

/** Why an object does not open; its message is a sentence for people. */
export class ObjectRefused extends Error {
  readonly code: Refusal;
  constructor(code: Refusal, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Names a key without telling of it; it follows from the key, so that whoever has the key can find what it opens. */
export const clientKeyId = (key: Buffer): string =>
  hash("sha256", Buffer.concat([Buffer.from("astralog-client-key\n"), key])).slice(0, 2 * idBytes);

export const newClientKey = (): Buffer => randomBytes(clientKeyBytes);

/** Undefined when the text is not 32 bytes in base64. */
export const readClientKey = (text: string): Buffer | undefined => {
  const key = /^[A-Za-z0-9+/]{43}=$/.test(text) ? Buffer.from(text, "base64") : undefined;
  return key?.length === clientKeyBytes && key.toString("base64") === text ? key : undefined;
};

const seal = (key: Buffer, nonce: Buffer, plain: Buffer, bound?: Buffer): Buffer[] => {
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
  if (bound !== undefined) cipher.setAAD(bound);
  return [cipher.update(plain), cipher.final(), cipher.getAuthTag()];
};

/** Throws when anything is not as it was sealed. */
const open = (key: Buffer, nonce: Buffer, sealed: Buffer, bound?: Buffer): Buffer => {
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
  if (bound !== undefined) decipher.setAAD(bound);
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  const plain = decipher.update(sealed.subarray(0, -tagBytes));
  decipher.final();
  return plain;
};

/** The chunk's number and whether it is the last, so that none can be left out, moved or added. */
const nonceOf = (chunk: number, last: boolean): Buffer => {
  const nonce = Buffer.alloc(nonceBytes);
  nonce.writeUIntBE(chunk, 5, 6);
  nonce[nonceBytes - 1] = last ? 1 : 0;
  return nonce;
};

/** `name` is the object's own: one that is put under another's name is found out. */
export const encryptObject = (key: Buffer, name: string, plain: Buffer): Buffer => {
  const named = Buffer.from(name);
  if (named.length > mostNameBytes) throw new Error(`a name has ${mostNameBytes} bytes at most`);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(named.length);
  const head = Buffer.concat([magic, Buffer.from(clientKeyId(key), "hex"), length, named]);
  const wrapNonce = randomBytes(nonceBytes);
  const dataKey = randomBytes(clientKeyBytes);
  const parts = [head, wrapNonce, ...seal(key, wrapNonce, dataKey, head)];
  const count = Math.max(1, Math.ceil(plain.length / chunkBytes));
  for (let chunk = 0; chunk < count; chunk++) {
    const piece = plain.subarray(chunk * chunkBytes, (chunk + 1) * chunkBytes);
    parts.push(...seal(dataKey, nonceOf(chunk, chunk === count - 1), piece));
  }
  return Buffer.concat(parts);
};

export type KeyOf = (id: string) => Buffer | undefined;

export interface ObjectHeader {
  readonly keyId: string;
  readonly name: string;
  /** How long the header is: the first chunk follows. */
  readonly bytes: number;
  /** Throws ObjectRefused. */
  chunk(number: number, last: boolean, sealed: Buffer): Buffer;
}

const damaged = (cause?: unknown): ObjectRefused =>
  new ObjectRefused("damaged", "It was changed, cut, or put together of others: its bytes do not prove themselves.", {
    cause,
  });

export const isEncryptedObject = (bytes: Buffer): boolean => bytes.subarray(0, magic.length).equals(magic);

/** Of an object, or of its first bytes. Throws ObjectRefused. */
export const readObjectHeader = (keyOf: KeyOf, bytes: Buffer): ObjectHeader => {
  if (!isEncryptedObject(bytes))
    throw new ObjectRefused("not_encrypted", "It is not encrypted, or in a form that this version does not know.");
  if (bytes.length < fixedBytes) throw damaged();
  const keyId = bytes.subarray(magic.length, magic.length + idBytes).toString("hex");
  const headBytes = fixedBytes + bytes.readUInt16BE(magic.length + idBytes);
  const end = headBytes + nonceBytes + wrappedBytes;
  if (bytes.length < end) throw damaged();
  const key = keyOf(keyId);
  if (key === undefined) throw new ObjectRefused("unknown_key", `Its key, ${keyId}, is not among those at hand.`);
  const head = bytes.subarray(0, headBytes);
  const nonce = bytes.subarray(headBytes, headBytes + nonceBytes);
  let dataKey: Buffer;
  try {
    dataKey = open(key, nonce, bytes.subarray(headBytes + nonceBytes, end), head);
  } catch (error) {
    throw damaged(error);
  }
  return {
    ...{ keyId, name: head.subarray(fixedBytes).toString(), bytes: end },
    chunk: (number, last, sealed) => {
      if (sealed.length < tagBytes || sealed.length > sealedChunkBytes) throw damaged();
      try {
        return open(dataKey, nonceOf(number, last), sealed);
      } catch (error) {
        throw damaged(error);
      }
    },
  };
};

/** Nothing of it is given before all of it has proved itself. Throws ObjectRefused. */
export const decryptObject = (
  keyOf: KeyOf,
  bytes: Buffer,
): { readonly keyId: string; readonly name: string; readonly plain: Buffer } => {
  const { keyId, name, bytes: first, chunk } = readObjectHeader(keyOf, bytes);
  const sealed = bytes.length - first;
  const count = Math.max(1, Math.ceil(sealed / sealedChunkBytes));
  const parts: Buffer[] = [];
  for (let number = 0; number < count; number++) {
    const last = number === count - 1;
    const at = first + number * sealedChunkBytes;
    const plain = chunk(number, last, bytes.subarray(at, at + sealedChunkBytes));
    // Only an empty object ends with an empty chunk: there is one way to write each.
    if (plain.length === 0 && number > 0) throw damaged();
    parts.push(plain);
  }
  return { keyId, name, plain: Buffer.concat(parts) };
};
