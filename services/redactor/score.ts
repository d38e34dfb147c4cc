/**
 * Scores the detectors against a file of labelled texts: JSON lines, gzipped, with {source, rule, category, text,
 * secrets[], expect}. A `redact` row passes when no secret survives, nor any 12 characters in a row of one that has 16 or
 * more; a `keep` row passes when nothing changed. Run by hand: node services/redactor/score.ts FILE [--failures]
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { redactValue } from "./redact-json.ts";

const print = (line: string): void => void process.stdout.write(`${line}\n`);

export interface LabelledText {
  id: string;
  source: string;
  rule: string;
  category: string;
  text: string;
  secrets: string[];
  expect: "redact" | "keep";
}

export const readLabelled = (file: string): LabelledText[] =>
  gunzipSync(readFileSync(file))
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as LabelledText);

const survives = (secret: string, output: string): boolean => {
  const password = /^[a-z][a-z0-9+.-]*:\/\/[^\s/]*?:([^\s/]+)@/i.exec(secret)?.[1];
  if (password !== undefined) return output.includes(password);
  if (output.includes(secret)) return true;
  if (secret.length < 16) return false;
  for (let i = 0; i + 12 <= secret.length; i++) if (output.includes(secret.slice(i, i + 12))) return true;
  return false;
};

export const passes = (row: LabelledText): boolean => {
  const output = redactValue(row.text, new Map());
  return row.expect === "keep" ? output === row.text : !row.secrets.some((secret) => survives(secret, output));
};

export interface Score {
  passed: number;
  of: number;
}

export const score = (rows: readonly LabelledText[]): Map<string, Score> => {
  const table = new Map<string, Score>();
  for (const row of rows) {
    const passed = passes(row);
    for (const group of [`${row.expect}`, `${row.expect} · ${row.source} · ${row.category}`]) {
      const entry = table.get(group) ?? { passed: 0, of: 0 };
      entry.of++;
      if (passed) entry.passed++;
      table.set(group, entry);
    }
  }
  return table;
};

if (import.meta.main) {
  const [file = "", ...flags] = process.argv.slice(2);
  const rows = readLabelled(file);
  for (const [group, { passed, of }] of [...score(rows)].toSorted(([a], [b]) => a.localeCompare(b)))
    print(
      `${group.padEnd(48)} ${String(passed).padStart(5)} / ${String(of).padStart(5)}  ${((100 * passed) / of).toFixed(1)} %`,
    );
  if (flags.includes("--failures"))
    for (const row of rows.filter((row) => !passes(row)))
      print(
        `\n${row.expect} ${row.rule}\n  ${row.text.slice(0, 300)}\n  ${redactValue(row.text, new Map()).slice(0, 300)}`,
      );
}
