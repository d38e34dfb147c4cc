import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { follow } from "./follow.ts";

const dir = mkdtempSync(join(tmpdir(), "follow-"));
afterAll(() => rmSync(dir, { recursive: true }));

test("it gives whole new lines, also those cut within a character, and none from before", () => {
  const path = join(dir, "a.log");
  writeFileSync(path, "old\n");
  const lines: string[] = [];
  const follower = follow(path, (line) => lines.push(line));
  const bytes = Buffer.from("first ä\nsecond");
  appendFileSync(path, bytes.subarray(0, 7));
  appendFileSync(path, bytes.subarray(7));
  appendFileSync(path, " whole\nunfinished");
  follower.close();
  expect(lines).toEqual(["first ä", "second whole"]);
});

test("a file that appears later, or begins anew, is read from its start", () => {
  const path = join(dir, "b.log");
  const lines: string[] = [];
  const follower = follow(path, (line) => lines.push(line));
  writeFileSync(path, "a long first line\n");
  follower.close();
  const again = follow(path, (line) => lines.push(line));
  writeFileSync(path, "short\n");
  again.close();
  expect(lines).toEqual(["a long first line", "short"]);
});
