import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { lockedBy, tryLock, unlock, withLock } from "./lock.mjs";

const dir = mkdtempSync(join(tmpdir(), "lock-"));
afterAll(() => rmSync(dir, { recursive: true }));

test("a lock has one owner until it is given up", () => {
  const path = join(dir, "one");
  expect(tryLock(path)).toBeUndefined();
  expect(lockedBy(path)).toBe(process.pid);
  expect(tryLock(path)).toBe(process.pid);
  unlock(path);
  expect(lockedBy(path)).toBeUndefined();
});

test("the lock of a process that is gone counts for nothing", () => {
  const path = join(dir, "dead");
  const { pid } = spawnSync("true");
  writeFileSync(path, String(pid));
  expect(tryLock(path)).toBeUndefined();
  expect(readFileSync(path, "utf8")).toBe(String(process.pid));
  unlock(path);
});

test("nobody gives up another's lock", () => {
  const path = join(dir, "others");
  writeFileSync(path, "1");
  unlock(path);
  expect(readFileSync(path, "utf8")).toBe("1");
});

test("the lock is given up when the work under it fails", async () => {
  const path = join(dir, "failing");
  await expect(withLock(path, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(lockedBy(path)).toBeUndefined();
});
