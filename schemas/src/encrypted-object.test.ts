import { randomBytes } from "node:crypto";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  chunkBytes,
  clientKeyId,
  decryptObject,
  encryptObject,
  newClientKey,
  ObjectRefused,
  readClientKey,
  readObjectHeader,
  sealedChunkBytes,
} from "./encrypted-object.ts";

const key = newClientKey();
const keyOf = (id: string) => (id === clientKeyId(key) ? key : undefined);
const refusal = (bytes: Buffer, of = keyOf): string => {
  try {
    decryptObject(of, bytes);
    return "opened";
  } catch (error) {
    if (error instanceof ObjectRefused) return error.code;
    throw error;
  }
};
const bytes = fc.uint8Array({ maxLength: 300 }).map((some) => Buffer.from(some));
const name = fc.string({ maxLength: 40 });

test("what was encrypted comes back with its name, whatever it is", () => {
  fc.assert(
    fc.property(name, bytes, (given, plain) =>
      expect(decryptObject(keyOf, encryptObject(key, given, plain))).toEqual({
        ...{ keyId: clientKeyId(key), name: Buffer.from(given).toString(), plain },
      }),
    ),
  );
  for (const length of [0, 1, chunkBytes - 1, chunkBytes, chunkBytes + 1, 2 * chunkBytes, 2 * chunkBytes + 7]) {
    const plain = randomBytes(length);
    const sealed = encryptObject(key, "n", plain);
    expect(decryptObject(keyOf, sealed).plain.equals(plain)).toBe(true);
    const { bytes: head } = readObjectHeader(keyOf, sealed);
    expect(sealed.length - head).toBe(length + 16 * Math.max(1, Math.ceil(length / chunkBytes)));
  }
});

test("the same bytes never become the same twice, and share no eight bytes behind what is said openly", () => {
  fc.assert(
    fc.property(name, bytes, (given, plain) => {
      const [one, other] = [encryptObject(key, given, plain), encryptObject(key, given, plain)];
      const open = 18 + Buffer.from(given).length;
      expect(one.subarray(0, open)).toEqual(other.subarray(0, open));
      for (let at = open; at + 8 <= one.length; at += 4)
        expect(one.subarray(at, at + 8).equals(other.subarray(at, at + 8))).toBe(false);
    }),
  );
});

test("one bit that is another is refused, wherever it is", () => {
  fc.assert(
    fc.property(name, bytes, (given, plain) => {
      const sealed = encryptObject(key, given, plain);
      for (let bit = 0; bit < sealed.length * 8; bit++) {
        const flipped = Buffer.from(sealed);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        if (refusal(flipped) === "opened") throw new Error(`bit ${bit} was taken`);
      }
    }),
    { numRuns: 12 },
  );
});

test("what was cut, lengthened, put together or put into another order is refused", () => {
  fc.assert(
    fc.property(name, bytes, bytes, (given, plain, more) => {
      const sealed = encryptObject(key, given, plain);
      for (let length = 0; length < sealed.length; length++)
        expect(refusal(sealed.subarray(0, length))).not.toBe("opened");
      const added = more.length === 0 ? Buffer.from([0]) : more;
      expect(refusal(Buffer.concat([sealed, added]))).toBe("damaged");
      expect(refusal(Buffer.concat([sealed, encryptObject(key, given, more)]))).toBe("damaged");
    }),
    { numRuns: 40 },
  );
  const sealed = encryptObject(key, "n", randomBytes(3 * chunkBytes));
  const { bytes: head } = readObjectHeader(keyOf, sealed);
  const chunk = (i: number): Buffer => sealed.subarray(head + i * sealedChunkBytes, head + (i + 1) * sealedChunkBytes);
  const made = (...order: number[]): string => refusal(Buffer.concat([sealed.subarray(0, head), ...order.map(chunk)]));
  expect(made(0, 1, 2)).toBe("opened");
  for (const order of [[0, 1], [0], [], [0, 2], [1, 2], [1, 0, 2], [0, 1, 2, 2], [0, 1, 1, 2], [2], [0, 2, 1]])
    expect([order, made(...order)]).toEqual([order, "damaged"]);
  // Chunks of another object of the same name and key.
  const other = encryptObject(key, "n", randomBytes(3 * chunkBytes));
  expect(refusal(Buffer.concat([sealed.subarray(0, head), other.subarray(head)]))).toBe("damaged");
  // An empty last chunk behind full ones, as only somebody with the data key could make it, is no object of ours.
  expect(refusal(sealed.subarray(0, head))).toBe("damaged");
});

test("without its key it says which it needs, and what is plain is told from what is damaged", () => {
  const other = newClientKey();
  const sealed = encryptObject(other, "n", Buffer.from("text"));
  expect(() => decryptObject(keyOf, sealed)).toThrow(clientKeyId(other));
  expect(refusal(sealed)).toBe("unknown_key");
  expect(refusal(sealed, () => key)).toBe("damaged");
  for (const plain of ["", "PAR1", "{}", "ASTRENC\u0002"]) expect(refusal(Buffer.from(plain))).toBe("not_encrypted");
  expect(sealed.includes("text")).toBe(false);
});

test("a key is 32 bytes in base64, written in one way", () => {
  const text = key.toString("base64");
  expect(readClientKey(text)).toEqual(key);
  for (const wrong of ["", text.slice(1), `${text}=`, ` ${text}`, key.toString("hex"), `${"A".repeat(42)}B=`])
    expect([wrong, readClientKey(wrong)]).toEqual([wrong, undefined]);
  expect(clientKeyId(Buffer.alloc(32))).toMatch(/^[0-9a-f]{16}$/);
});
