/** A bucket whose objects are encrypted, over a folder of this machine. */
import { randomBytes } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chunkBytes, newClientKey } from "@astralog/schemas/encrypted-object";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { Bucket } from "./bucket.ts";
import { encryptBucket } from "./encrypted.ts";
import { createFolder } from "./folder.ts";
import { probeBucket } from "./probe.ts";

let folder: string;
let bucket: Bucket;
const key = newClientKey();
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "astralog-encrypted-"));
  bucket = encryptBucket(createFolder(folder), [key]);
});
afterAll(() => rmSync(folder, { recursive: true }));

test("whoever stands before it finds what he put, once, and the folder has nothing of it", async () => {
  expect(await probeBucket(bucket)).toEqual({ ok: true, lacking: null, problem: "" });
  expect(await bucket.putNew("a/b", Buffer.from("the first one"))).toBe(true);
  const first = readFileSync(join(folder, "a/b"));
  expect(first.includes("the first one")).toBe(false);
  // As a process that starts again would.
  expect(await bucket.putNew("a/b", Buffer.from("the first one"))).toBe(false);
  expect(readFileSync(join(folder, "a/b")).equals(first)).toBe(true);
  expect((await bucket.get("a/b"))?.toString()).toBe("the first one");
  expect(await bucket.get("a/c")).toBeUndefined();
  const renewed = encryptBucket(createFolder(folder), [newClientKey(), key]);
  expect((await renewed.get("a/b"))?.toString()).toBe("the first one");
  await renewed.putNew("a/new", Buffer.from("under the new key"));
  await expect(bucket.get("a/new")).rejects.toMatchObject({ code: "storage_unreadable" });
});

test("any range of bytes is the same as without encryption, and one that was cut is refused", async () => {
  const plain = randomBytes(2 * chunkBytes + 1_000);
  await bucket.putNew("large", plain);
  const place = fc.oneof(
    fc.nat(plain.length - 1),
    fc.constantFrom(0, chunkBytes - 1, chunkBytes, 2 * chunkBytes - 1, 2 * chunkBytes, plain.length - 1),
  );
  await fc.assert(
    fc.asyncProperty(place, place, async (one, other) => {
      const [first, last] = [Math.min(one, other), Math.max(one, other)];
      const read = await bucket.getRange("large", first, last);
      expect(read?.equals(plain.subarray(first, last + 1))).toBe(true);
    }),
    { numRuns: 60 },
  );
  expect((await bucket.getRange("large", 2 * chunkBytes, 4 * chunkBytes))?.length).toBe(1_000);
  const sealed = readFileSync(join(folder, "large"));
  for (const length of [sealed.length - 1, sealed.length - 1_016, 1_000, 3]) {
    writeFileSync(join(folder, "large"), sealed.subarray(0, length));
    await expect(bucket.getRange("large", 0, plain.length - 1)).rejects.toMatchObject({ code: "storage_unreadable" });
  }
});

test("an object that was put under another's name, or is not encrypted, is not taken for ours", async () => {
  await bucket.putNew("mine", Buffer.from("mine"));
  cpSync(join(folder, "mine"), join(folder, "theirs"));
  writeFileSync(join(folder, "plain"), "plain");
  for (const [name, why] of [
    ["theirs", "another object"],
    ["plain", "not encrypted"],
  ] as const)
    for (const read of [() => bucket.get(name), () => bucket.getRange(name, 0, 1)])
      await expect(read()).rejects.toThrow(`The object ${name} does not open: It is ${why}`);
});
