/** The API's verdict on accepted and stored, as text. */
import { table } from "./table.ts";
import type { Colors } from "./terminal.ts";
import { count, plural, printable } from "./text.ts";

export interface Verdict {
  ok: boolean;
  accepted: number;
  stored: number;
  dropped: Record<string, number>;
  removed?: { expired: number; deleted: number };
  elsewhere?: { name: string; stored: number; waiting: number; wrong: number } | null;
  gaps: unknown[];
  duplicates: unknown[];
  mismatches: unknown[];
  sources: SourceCount[];
  lag: unknown;
}

interface SourceCount {
  source: string;
  name?: string;
  minute?: string;
  accepted: number;
  stored: number;
  dropped: Record<string, number> | number;
}

const sum = (counts: Record<string, number> | number | undefined): number =>
  typeof counts === "number" ? counts : Object.values(counts ?? {}).reduce((a, b) => a + b, 0);

/** Records that are acknowledged and not stored yet; 0 when none or unknown. */
export const lagOf = (verdict: Verdict): number => {
  const { lag } = verdict;
  if (typeof lag === "number") return lag;
  if (lag === null || typeof lag !== "object") return 0;
  return Object.values(lag).reduce<number>((total, value) => total + (typeof value === "number" ? value : 0), 0);
};

/** Whether waiting may change the verdict: something is on its way, or it is not clean and may just not be there yet. */
export const isSettling = (verdict: Verdict): boolean => !verdict.ok || lagOf(verdict) > 0;

const shown = 10;

const findings = (title: string, items: readonly unknown[], colors: Colors): string => {
  if (items.length === 0) return "";
  const lines = items
    .slice(0, shown)
    .map((item) => `  ${printable(typeof item === "string" ? item : JSON.stringify(item))}`);
  if (items.length > shown) lines.push(`  … and ${count(items.length - shown)} more (--json has all)`);
  return `${colors.red(title)}\n${lines.join("\n")}\n`;
};

/** Minutes folded to one row a source: a person wants to see which source, --json has the minutes. */
const bySource = (rows: readonly SourceCount[]): string[][] => {
  const folded = new Map<string, { accepted: number; stored: number; dropped: number }>();
  for (const row of rows) {
    const name = row.name ?? row.source;
    const total = folded.get(name) ?? { accepted: 0, stored: 0, dropped: 0 };
    total.accepted += row.accepted;
    total.stored += row.stored;
    total.dropped += sum(row.dropped);
    folded.set(name, total);
  }
  return [...folded].map(([name, t]) => [
    printable(name),
    count(t.accepted),
    count(t.stored),
    count(t.dropped),
    count(t.accepted - t.stored - t.dropped),
  ]);
};

/** Of what is kept on a server of the organization's own alone. */
const elsewhereText = (elsewhere: Verdict["elsewhere"]): string =>
  elsewhere == null
    ? ""
    : `elsewhere means your own ClickHouse ${printable(elsewhere.name)}: ${count(elsewhere.stored)} are stored there by its ledger, ${count(elsewhere.waiting)} on the way, ${plural(elsewhere.wrong, "record")} wrong\n`;

export const verdictText = (verdict: Verdict, colors: Colors): string => {
  const dropped = Object.entries(verdict.dropped ?? {});
  const why = dropped.map(([reason, n]) => `${printable(reason)} ${count(n)}`).join(", ");
  const head = verdict.ok ? colors.green("clean") : colors.red("NOT CLEAN");
  const text = [
    `${head}: ${plural(verdict.accepted, "event")} accepted = ${count(verdict.stored)} stored + ${count(sum(verdict.dropped))} dropped${why === "" ? "" : ` (${why})`}\n`,
    verdict.removed === undefined || verdict.removed.expired + verdict.removed.deleted === 0
      ? ""
      : `of the stored, ${count(verdict.removed.expired)} have expired and ${count(verdict.removed.deleted)} were deleted since\n`,
    elsewhereText(verdict.elsewhere),
    `gaps ${count(verdict.gaps.length)}, duplicates ${count(verdict.duplicates.length)}, mismatches ${count(verdict.mismatches.length)}, on the way ${plural(lagOf(verdict), "record")}\n`,
    findings("acknowledged and not found:", verdict.gaps, colors),
    findings("stored more than once:", verdict.duplicates, colors),
    findings("the counts differ:", verdict.mismatches, colors),
  ];
  const rows = bySource(verdict.sources ?? []);
  if (rows.length > 0)
    text.push("\n", table(["SOURCE", "ACCEPTED", "STORED", "DROPPED", "MISSING"], rows, [1, 2, 3, 4]));
  return text.join("");
};
