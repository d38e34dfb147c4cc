import { createAuditSigner } from "@astralog/schemas";
import { expect, test } from "@jest/globals";
import { expired, type Manifest, neededBy, newId, type Part, readManifest, signManifest } from "./manifest.ts";

const signer = createAuditSigner(Buffer.alloc(32, 7));
const piece = (name: string) => ({ name, bytes: 1, sha256: "00" });
const part = (identity: string, ...names: string[]): Part => ({
  identity,
  slices: [{ rows: 1, pieces: names.map(piece) }],
});
const manifest = (id: string, parts: readonly Part[], expires_at = "2026-01-15T00:00:00Z"): Manifest => ({
  ...{ v: 1, id, began_at: "2026-01-01T00:00:00Z", ended_at: "2026-01-01T00:01:00Z", expires_at, data_keys: {} },
  clickhouse: { version: 9, tables: [{ name: "events", columns: [], parts }] },
  postgres: {
    ...{ version: "0013", tables: [], sequences: [] },
    keys: [{ rows: 1, pieces: [piece(`data/${id}/keys`)] }],
  },
  kafka: { clean_topic: "events.clean", dead_topic: "events.dead", raw: [], clean: [], dead: [] },
});

test("a manifest counts as it was signed, by a key that is known, and not otherwise", () => {
  const text = signManifest(signer, manifest("a", [part("p", "data/a/1")]));
  const trusted = new Set([signer.publicKey]);
  expect(readManifest(text, trusted)).toMatchObject({ id: "a" });
  expect(() => readManifest(text.replace("data/a/1", "data/a/2"), trusted)).toThrow("changed");
  expect(() => readManifest(text, new Set([createAuditSigner(Buffer.alloc(32, 8)).publicKey]))).toThrow(
    "not signed by",
  );
  expect(() => readManifest(`${text.slice(0, -1)}`, trusted)).toThrow("not JSON");
});

test("what is past its time or beyond the number goes, the newest never", () => {
  const now = Date.parse("2026-01-15T00:00:00Z");
  const of = (id: string, expires_at: string) => ({ id, expires_at });
  const all = [of("1", "2026-01-14T00:00:00Z"), of("2", "2026-01-15T00:00:00Z"), of("3", "2026-01-16T00:00:00Z")];
  expect(expired([...all, of("4", "2026-01-17T00:00:00Z")], { now, most: 9 }).sort()).toEqual(["1", "2"]);
  expect(expired(all.slice(0, 2), { now, most: 9 })).toEqual(["1"]);
  expect(expired([...all, of("4", "2026-01-17T00:00:00Z")], { now: 0, most: 2 }).sort()).toEqual(["1", "2"]);
});

test("an object stays as long as some backup needs it, data keys as long as theirs is the newest", () => {
  const old = manifest("20260101T000000Z-a", [part("p", "data/a/1"), part("", "data/a/2")]);
  const young = manifest("20260102T000000Z-b", [part("p", "data/a/1"), part("", "data/b/1")]);
  expect([...neededBy([old])].sort()).toEqual(["data/20260101T000000Z-a/keys", "data/a/1", "data/a/2"]);
  expect([...neededBy([young])].sort()).toEqual(["data/20260102T000000Z-b/keys", "data/a/1", "data/b/1"]);
  expect([...neededBy([old, young])].sort()).toEqual([
    "data/20260102T000000Z-b/keys",
    "data/a/1",
    "data/a/2",
    "data/b/1",
  ]);
});

test("ids are in the order of their times", () => {
  const ids = [newId(new Date("2026-09-30T23:59:59Z"), "ff"), newId(new Date("2026-10-01T00:00:00Z"), "00")];
  expect(ids).toEqual(["20260930T235959Z-ff", "20261001T000000Z-00"]);
  expect(ids.toSorted()).toEqual(ids);
});
