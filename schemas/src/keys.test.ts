import { expect, test } from "@jest/globals";
import { hashKey, keyKind, makeKey, maskKey } from "./keys.ts";
import { keyKinds } from "./permissions.ts";

test("a made key is well formed and tells its kind", () => {
  for (const kind of keyKinds) {
    const key = makeKey(kind);
    expect(key).toMatch(/^al_(ing|qry|adm)_[0-9A-Za-z]{30}$/);
    expect(keyKind(key)).toBe(kind);
  }
});

test("every single changed character is noticed without asking anybody", () => {
  const key = makeKey("ingest");
  for (let i = 0; i < key.length; i++) {
    const changed = `${key.slice(0, i)}${key[i] === "x" ? "y" : "x"}${key.slice(i + 1)}`;
    expect(keyKind(changed)).toBeUndefined();
  }
  for (const other of ["", "al_ing_", `${key}0`, ` ${key}`, `${key}\n`]) expect(keyKind(other)).toBeUndefined();
});

test("ten thousand keys are ten thousand different ones", () => {
  expect(new Set(Array.from({ length: 10_000 }, () => makeKey("query"))).size).toBe(10_000);
});

test("a mask shows the prefix and four characters", () => {
  const key = makeKey("admin");
  expect(maskKey(key)).toBe(`al_adm_…${key.slice(-4)}`);
  expect(hashKey(key)).toMatch(/^[0-9a-f]{64}$/);
});
