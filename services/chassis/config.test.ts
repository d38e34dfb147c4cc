import { randomBytes } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { ConfigError, describeShape, field, loadConfig } from "./config.ts";

const shape = {
  NAME: field.text("A name."),
  PASSWORD: field.secret("A password."),
  PORT: field.port("A port.", "8080"),
  SIZE: field.bytes("A size.", "64MiB"),
  ON: field.flag("A switch.", "false"),
  HOSTS: field.list("Some hosts.", "a, b"),
};

test("defaults are read like given values", () => {
  expect(loadConfig(shape, { NAME: "n", PASSWORD: "p" })).toEqual({
    NAME: "n",
    PASSWORD: "p",
    PORT: 8080,
    SIZE: 64 * 2 ** 20,
    ON: false,
    HOSTS: ["a", "b"],
  });
});

const problemsOf = (env: NodeJS.ProcessEnv): readonly string[] => {
  try {
    loadConfig(shape, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

test("all problems are said at once, each with its variable", () => {
  expect(problemsOf({ PORT: "70000", SIZE: "much", ON: "yes" })).toEqual([
    "NAME is not set: A name.",
    "PASSWORD is not set: A password.",
    'PORT must be from 0 to 65535, not "70000"',
    'SIZE must be bytes such as 65536, 512KiB or 64MiB, not "much"',
    'ON must be true or false, not "yes"',
  ]);
});

test("an empty variable is one that is not set", () => {
  expect(problemsOf({ NAME: "", PASSWORD: "p" })).toEqual(["NAME is not set: A name."]);
});

test("a secret may come from a file, and a wrong one is never printed", () => {
  const file = join(mkdtempSync(join(tmpdir(), "config-")), "password");
  writeFileSync(file, "from file\n");
  expect(loadConfig(shape, { NAME: "n", PASSWORD_FILE: file }).PASSWORD).toBe("from file");
  expect(problemsOf({ NAME: "n", PASSWORD_FILE: "/nowhere" })).toEqual([
    "PASSWORD_FILE names /nowhere, which cannot be read",
  ]);
  const key = { KEY: field.key256("A key.") };
  expect(() => loadConfig(key, { KEY: "hunter2" })).toThrow(/^(?!.*hunter2)/s);
});

test("the shape explains itself", () => {
  expect(describeShape(shape)).toContain("PORT\t8080\tA port.");
  expect(describeShape(shape)).toContain("NAME\t(required)\tA name.");
});

test("samples that everybody knows are refused, whatever would be opened with them", () => {
  const shape = {
    KEY: field.key256("A key."),
    OLD: field.keys256("Keys.", ""),
    URL: field.secret("An address with a password."),
    WORD: field.secret("A password."),
  };
  const good = { KEY: randomBytes(32).toString("base64"), URL: "postgres://u:k3gx0q@db/x", WORD: "k3gx0q" };
  const keys = [Buffer.alloc(32), Buffer.alloc(32, 7), Buffer.from(Array.from({ length: 32 }, (_, i) => i + 1))];
  const refused = (env: Record<string, string>): string[] => {
    try {
      loadConfig(shape, { ...good, ...env });
      return [];
    } catch (error) {
      return [...(error as ConfigError).problems];
    }
  };
  expect(refused({})).toEqual([]);
  for (const key of keys) expect(refused({ KEY: key.toString("base64") })[0]).toMatch(/^KEY is a sample/);
  expect(refused({ OLD: `${good.KEY},${keys[0]?.toString("base64")}` })[0]).toMatch(/^OLD is a sample/);
  for (const word of ["password", "CHANGEME", "change-me", "secret123", "<password>", "your_password"]) {
    expect(refused({ WORD: word })[0]).toMatch(/^WORD is a sample/);
    expect(refused({ URL: `postgres://u:${encodeURIComponent(word)}@db/x` })[0]).toMatch(/^URL is a sample/);
  }
});

test("people's browsers find the dashboard over https, or on this machine, and at its root", () => {
  const load = (PUBLIC_URL: string) => () => loadConfig({ PUBLIC_URL: field.publicUrl("The page.") }, { PUBLIC_URL });
  for (const url of ["https://logs.example.com", "http://localhost:4300", "https://logs.example.com/"])
    expect(load(url)().PUBLIC_URL.pathname).toBe("/");
  for (const url of ["http://logs.example.com", "http://127.0.0.1:4300", "https://x.example.com/a", "x"])
    expect(load(url)).toThrow(ConfigError);
});
