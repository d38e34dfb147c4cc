import { hash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { judge, openLedger } from "./ledger.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "astralog-ledger-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const row = (seq: number, message = `m${seq}`, copies = 1) => ({
  source: "app",
  seq,
  sha256: hash("sha256", message),
  copies,
});

const written = (): string => {
  const path = join(folder, "ledger");
  const ledger = openLedger(path);
  for (let seq = 0; seq < 5; seq++) ledger.sent("app", seq, `m${seq}`);
  ledger.acked("app", [0, 1, 2]);
  expect(ledger.ackedCount).toBe(3);
  ledger.close();
  return path;
};

test("what was acknowledged and stored once is clean; what was not acknowledged may be there or not", () => {
  expect(judge(written(), [row(0), row(1), row(2), row(4)])).toMatchObject({
    sent: 5,
    acked: 3,
    stored: 4,
    lost: 0,
    copies: 0,
    phantom: 0,
    altered: 0,
    examples: [],
  });
});

test("every kind of wrong is counted", () => {
  expect(judge(written(), [row(0, "m0", 3), row(1, "other"), row(9)])).toMatchObject({
    lost: 1,
    copies: 2,
    altered: 1,
    phantom: 1,
    examples: ["copies app 0", "altered app 1", "phantom app 9", "lost app 2"],
  });
  expect(judge(written(), [row(0), row(0, "other"), row(1), row(2)])).toMatchObject({ copies: 1, altered: 1 });
});
