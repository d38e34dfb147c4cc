/** `storage decrypt` on files of this machine, with nobody to ask. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { encryptObject, newClientKey } from "@astralog/schemas/encrypted-object";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import pc from "picocolors";
import { createCli } from "./cli.ts";
import { clientKeyIn } from "./client-keys.ts";
import { readConfig } from "./config.ts";
import { createProgram } from "./program.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "astralog-decrypt-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = async (args: string[], input: Buffer = Buffer.alloc(0), env: NodeJS.ProcessEnv = {}) => {
  const out: Buffer[] = [];
  let err = "";
  const colors = pc.createColors(false);
  const cli = createCli(
    readConfig(env),
    {
      input: Readable.from([input]),
      out: (text) => void out.push(Buffer.from(text)),
      outBytes: (piece) => void out.push(piece),
      err: (text) => void (err += text),
      ...{ outColors: colors, errColors: colors, progressColumns: 0, interactive: false },
    },
    folder,
    new AbortController().signal,
  );
  const failure = await createProgram(cli)
    .parseAsync(["bucket", "decrypt", ...args], { from: "user" })
    .then(
      () => undefined,
      (error: Error) => error.message,
    );
  cli.close();
  return { out: Buffer.concat(out).toString(), err, failure, code: cli.exitCode() };
};

const [old, key] = [newClientKey(), newClientKey()];
const put = (name: string, bytes: Buffer): string => {
  const path = join(folder, "encrypted", name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
};
const keyFile = (): string => {
  const path = join(folder, "keys");
  writeFileSync(path, `# of the bucket\n${key.toString("base64")}\n\n${old.toString("base64")}\n`);
  return path;
};

test("a folder is decrypted under the names that were encrypted, and what does not prove itself is refused and counted", async () => {
  put("manifests/3/a.json", encryptObject(old, "manifests/3/a.json", Buffer.from("{}")));
  put("moved.parquet", encryptObject(key, "events/one.parquet", Buffer.from("PAR1")));
  const cut = encryptObject(key, "cut", Buffer.from("all of it"));
  put("cut", cut.subarray(0, cut.length - 1));
  put("plain.json", Buffer.from("{}"));
  put("outside", encryptObject(key, "../outside", Buffer.from("no")));
  put("of-nobody", encryptObject(newClientKey(), "of-nobody", Buffer.from("no")));
  const to = join(folder, "plain");
  const { out, err, code } = await run([join(folder, "encrypted"), "--key-file", keyFile(), "--to", to]);
  expect([out, code]).toEqual(["", 1]);
  expect(readFileSync(join(to, "manifests/3/a.json"), "utf8")).toBe("{}");
  expect(readFileSync(join(to, "events/one.parquet"), "utf8")).toBe("PAR1");
  for (const word of [
    "cut: It was changed, cut",
    "plain.json: It is not encrypted",
    "../outside, is no path",
    "Its key, ",
  ])
    expect(err).toContain(word);
  expect(err).toContain("2 objects decrypted, 4 refused");
  // What is there is never replaced.
  expect((await run([join(folder, "encrypted"), "--key-file", keyFile(), "--to", to])).err).toContain(
    "is there already",
  );
});

test("a file and what is piped in come out as they were, and nothing of what was changed", async () => {
  const sealed = encryptObject(key, "a/b", Buffer.from("words"));
  const env = { ASTRALOG_CLIENT_KEYS: `${old.toString("base64")},${key.toString("base64")}` };
  expect(await run([], sealed, env)).toMatchObject({ out: "words", err: "a/b\n", code: 0 });
  expect(await run([put("x", sealed)], undefined, env)).toMatchObject({ out: "words", code: 0 });
  sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
  const refused = await run(["-"], sealed, env);
  expect([refused.out, refused.failure]).toEqual(["", expect.stringContaining("standard input: It was changed")]);
  expect((await run([], sealed)).failure).toContain("There is no key.");
  expect((await run([], sealed, { ASTRALOG_CLIENT_KEYS: "short" })).failure).toContain("key 1 is none");
  expect((await run([join(folder, "nowhere")], undefined, env)).failure).toContain("ENOENT");
});

test("where there is no key file one is made, for its owner alone, and read again", () => {
  const file = join(folder, "new.key");
  const made = clientKeyIn(file);
  expect(made).toMatchObject({ made: true, key: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/) });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(clientKeyIn(file)).toEqual({ key: made.key, made: false });
  expect(() => clientKeyIn(keyFile())).toThrow("must hold one key");
});
