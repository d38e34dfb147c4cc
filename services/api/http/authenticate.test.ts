import { hashKey, type KeyRecord, makeKey } from "@astralog/schemas";
import { expect, test } from "@jest/globals";
import type { Request, Response } from "express";
import { createAuthenticate } from "./authenticate.ts";
import type { Caller } from "./caller.ts";

const recordOf = (key: string, changes: Partial<KeyRecord> = {}): KeyRecord => ({
  hash: hashKey(key),
  id: "key_1",
  kind: "query",
  tenant: "tn_a",
  source: "",
  expires_at: 0n,
  revoked_at: 0n,
  ip_allowlist: [],
  permissions: [],
  sources: [],
  ...changes,
});

test("only a known, living key from an allowed address is a caller", async () => {
  const key = makeKey("query");
  const ask = (authorization: string | undefined, record: KeyRecord | undefined, complete = true) =>
    createAuthenticate({ keys: { complete, get: (hash) => (hash === record?.hash ? record : undefined) } })(
      { headers: { authorization }, ip: "127.0.0.1" } as Request,
      {} as Response,
      "events.read",
    );
  const bearer = `Bearer ${key}`;
  const caller = await ask(bearer, recordOf(key));
  expect(caller).toMatchObject({ tenant: "tn_a", actor: { kind: "key", id: "key_1" }, sources: "all" });
  expect([...(caller as Caller).permissions]).toEqual(["events.read"]);
  const flipped = bearer.slice(0, -1) + (bearer.endsWith("a") ? "b" : "a");
  for (const [given, record] of [
    [undefined, recordOf(key)],
    ["Basic abc", recordOf(key)],
    [flipped, recordOf(flipped.slice(7))],
    [bearer, undefined],
    [bearer, recordOf(key, { revoked_at: 1n })],
    [bearer, recordOf(key, { expires_at: 1n })],
    [bearer, recordOf(key, { ip_allowlist: ["10.0.0.0/8"] })],
  ] as const) {
    await expect(ask(given, record)).rejects.toThrow(expect.objectContaining({ code: "unauthorized" }));
  }
  await expect(ask(bearer, recordOf(key), false)).rejects.toThrow(expect.objectContaining({ code: "starting" }));
});

test("a key is looked for by its hash: nothing that holds keys is shown its text, and none is held to compare it with", async () => {
  const key = makeKey("query");
  const asked: string[] = [];
  const record = recordOf(key);
  const keys = {
    complete: true,
    get: (hash: string) => {
      asked.push(hash);
      return hash === record.hash ? record : undefined;
    },
  };
  const ask = (text: string) =>
    createAuthenticate({ keys })(
      { headers: { authorization: `Bearer ${text}` }, ip: "127.0.0.1" } as Request,
      {} as Response,
      "events.read",
    );
  await ask(key);
  const other = makeKey("query");
  await expect(ask(other)).rejects.toThrow(expect.objectContaining({ code: "unauthorized" }));
  expect(asked).toEqual([hashKey(key), hashKey(other)]);
  // What is not of a key's form or has a wrong checksum asks nothing.
  await expect(ask(`${key.slice(0, -1)}${key.endsWith("a") ? "b" : "a"}`)).rejects.toThrow(/checksum/);
  expect(asked).toHaveLength(2);
  expect(JSON.stringify(record, (_, value) => (typeof value === "bigint" ? String(value) : value))).not.toContain(
    key.slice(7),
  );
});
