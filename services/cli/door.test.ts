/** The command's door on each Node that is at hand: people have an older one on their path than the tests run on. */
import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";

const door = fileURLToPath(new URL("bin/astralog.mjs", import.meta.url));
const runs = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};
const nodes = [
  process.execPath,
  ...(process.env.PATH ?? "").split(delimiter).flatMap((folder) => {
    const path = join(folder, "node");
    return folder !== "" && runs(path) ? [path] : [];
  }),
];
const byVersion = new Map(nodes.map((path) => [execFileSync(path, ["--version"], { encoding: "utf8" }).trim(), path]));

test.each([...byVersion])("Node %s opens it", (_, path) => {
  expect(execFileSync(path, [door, "--help"], { encoding: "utf8" })).toContain("Usage: astralog");
});
