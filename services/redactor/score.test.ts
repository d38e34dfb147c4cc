/** Against labelled secrets and look-alikes of others, where a copy of them lies at hand; they are not the project's to ship. */
import { existsSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { readLabelled, score } from "./score.ts";

const file = process.env.REDACTION_SAMPLE ?? "../shared/data/redaction-dev.jsonl.gz";

test("nine in ten secrets go, and nineteen in twenty look-alikes stay", () => {
  if (!existsSync(file)) {
    console.warn(`skipped: there is no labelled sample at ${file}; REDACTION_SAMPLE names another`);
    return;
  }
  const table = score(readLabelled(file));
  const share = (group: string): number => (table.get(group)?.passed ?? 0) / (table.get(group)?.of ?? 1);
  expect(share("redact")).toBeGreaterThan(0.97);
  expect(share("keep")).toBeGreaterThan(0.95);
});
