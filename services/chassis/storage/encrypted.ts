/**
 * A bucket whose objects are encrypted here (schemas/src/encrypted-object.ts): whoever stands before it sees what he put, the
 * server sees names, sizes and times. What is not encrypted under one of the connection's keys, or stands under another name than
 * its own, is not taken for ours.
 */
import {
  chunkBytes,
  clientKeyId,
  decryptObject,
  encryptObject,
  mostHeaderBytes,
  ObjectRefused,
  readObjectHeader,
  sealedChunkBytes,
} from "@astralog/schemas/encrypted-object";
import { Fault } from "../fault.ts";
import type { Bucket } from "./bucket.ts";

/** `keys`: the one that new objects are encrypted under, then those before it. */
export const encryptBucket = (bucket: Bucket, keys: readonly [Buffer, ...Buffer[]]): Bucket => {
  const byId = new Map(keys.map((key) => [clientKeyId(key), key]));
  const keyOf = (id: string): Buffer | undefined => byId.get(id);

  /** Faults: `storage_unreadable`. */
  const checked = <T extends { readonly name: string }>(name: string, read: () => T): T => {
    const refused = (why: string, cause?: unknown): Fault =>
      new Fault("storage_unreadable", `The object ${name} does not open: ${why}`, { cause });
    try {
      const found = read();
      if (found.name === name) return found;
    } catch (error) {
      if (error instanceof ObjectRefused) throw refused(error.message, error);
      throw error;
    }
    throw refused("It is another object, which was put under this name.");
  };

  return {
    putNew: (name, body) => bucket.putNew(name, encryptObject(keys[0], name, body)),
    get: async (name) => {
      const bytes = await bucket.get(name);
      return bytes === undefined ? undefined : checked(name, () => decryptObject(keyOf, bytes)).plain;
    },
    getRange: async (name, first, last) => {
      const begin = await bucket.getRange(name, 0, mostHeaderBytes - 1);
      if (begin === undefined) return undefined;
      const header = checked(name, () => readObjectHeader(keyOf, begin));
      const [from, to] = [Math.floor(first / chunkBytes), Math.floor(last / chunkBytes)];
      const start = header.bytes + from * sealedChunkBytes;
      // One byte more says whether the last of these is the object's last.
      const sealed = await bucket.getRange(name, start, header.bytes + (to + 1) * sealedChunkBytes);
      if (sealed === undefined) return undefined;
      return checked(name, () => {
        const parts: Buffer[] = [];
        for (let chunk = from; chunk <= to; chunk++) {
          const at = (chunk - from) * sealedChunkBytes;
          const isLast = sealed.length <= at + sealedChunkBytes;
          parts.push(header.chunk(chunk, isLast, sealed.subarray(at, at + sealedChunkBytes)));
          if (isLast) break;
        }
        const begun = from * chunkBytes;
        return { name: header.name, part: Buffer.concat(parts).subarray(first - begun, last - begun + 1) };
      }).part;
    },
    list: bucket.list,
    remove: bucket.remove,
  };
};
