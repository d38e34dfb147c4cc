import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { findProblems, javaMajor } from "./prerequisites.mjs";

const dir = mkdtempSync(join(tmpdir(), "prerequisites-"));
afterAll(() => rmSync(dir, { recursive: true }));

const program = (name: string, script = ""): void => {
  writeFileSync(join(dir, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(dir, name), 0o755);
};

test.each([
  ['openjdk version "17.0.15" 2025-04-15', 17],
  ['openjdk version "21" 2023-09-19', 21],
  ['java version "1.8.0_402"', 8],
  ["bash: java: command not found", 0],
])("%s is Java %d", (text, major) => {
  expect(javaMajor(text)).toBe(major);
});

test("what is missing is named with the command that brings it", () => {
  program("apt-get");
  program("git");
  expect(findProblems(["git", "mvn"], dir)).toEqual(["mvn is missing: sudo apt-get install -y maven"]);
});

test("a Java that is too old is a problem, and one that is new enough is none", () => {
  program("java", "echo 'openjdk version \"11.0.2\"' >&2");
  expect(findProblems(["java"], dir)).toEqual([
    "java is version 11, and 17 or newer is needed: sudo apt-get install -y openjdk-17-jre-headless",
  ]);
  program("java", "echo 'openjdk version \"17.0.1\"' >&2");
  expect(findProblems(["java"], dir)).toEqual([]);
});
