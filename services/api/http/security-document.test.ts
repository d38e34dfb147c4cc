/** docs/security.md names, for each requirement, tests that there are. */
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";

const root = new URL("../../../", import.meta.url);
const rows = readFileSync(new URL("docs/security.md", root), "utf8")
  .split("\n")
  .filter((line) => /^\| S\d/.test(line));
const between = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

test("each requirement has its row, and each row a test", () => {
  const numbers = rows.map((line) => Number(/^\| S(\d+)/.exec(line)?.[1]));
  expect(numbers).toEqual([...between(1, 36), ...between(38, 43), 45]);
  for (const line of rows) {
    const files = [...line.matchAll(/`([^`]+\.test\.ts)`/g)].map(([, file = ""]) => file);
    expect([line, files.length]).not.toEqual([line, 0]);
    expect(files.filter((file) => !existsSync(new URL(file, root)))).toEqual([]);
  }
});
