import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { page, reported, writeReport } from "./chaos-report.ts";

const outcome = (id: string, more: Partial<Parameters<typeof reported>[0]> = {}) =>
  reported(
    {
      id,
      title: "something ends",
      seconds: 12.4,
      sent: 1_200,
      acked: 1_100,
      stored: 1_150,
      lost: 0,
      copies: 0,
      phantom: 0,
      altered: 0,
      examples: [],
      recoveryMs: Number.NaN,
      drainMs: 1_234.5,
      ackP50: 4.4,
      ackP99: 40,
      notes: ["3 of it"],
      broken: [],
      ...more,
    },
    { commit: "abc1234", date: "2026-01-02", scale: 1, eventsPerSecond: 2_000 },
  );

test("a run of some tests replaces theirs and leaves the others", () => {
  const folder = mkdtempSync(join(tmpdir(), "astralog-report-"));
  try {
    const ids = ["R1", "R2"];
    writeReport(folder, [outcome("R2"), outcome("R1"), outcome("gone")], ids);
    writeReport(folder, [outcome("R2", { acked: 5_000 })], ids);
    const kept = JSON.parse(readFileSync(join(folder, "reliability.json"), "utf8"));
    expect(kept.map(({ id, acked }: { id: string; acked: number }) => [id, acked])).toEqual([
      ["R1", 1_100],
      ["R2", 5_000],
    ]);
    expect(readFileSync(join(folder, "reliability.md"), "utf8")).toContain("Of 6,100 acknowledged events 0 were lost");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what was lost or broken is on the page, and what was not measured is not made up", () => {
  const text = page([outcome("R1", { lost: 7, broken: ["7 lost: app 3"] })]);
  expect(text).toContain("7 were lost");
  expect(text).toContain("of which 0 held every promise");
  expect(text).toContain("**Broken:** 7 lost: app 3");
  expect(text).toContain("| R1 | – | 1.2 s | 4 ms | 40 ms | 1 at 2,000/s | 12 s | abc1234, 2026-01-02 |");
});
