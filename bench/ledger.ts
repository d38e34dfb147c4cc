/**
 * The judge of every fault test. The client writes down (source, seq, sha256 of the message) before it sends, and marks
 * what was acknowledged. Afterwards storage is asked what it holds:
 *
 *   lost      acknowledged and not stored
 *   copies    rows beyond the first of a seq
 *   phantom   stored and never sent
 *   altered   stored with another message than was sent
 *
 * What was sent and never acknowledged may be stored or not; both are right.
 */
import { hash } from "node:crypto";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

export interface StoredRow {
  readonly source: string;
  readonly seq: number;
  /** Hex SHA-256 of the message as stored. */
  readonly sha256: string;
  readonly copies: number;
}

export interface Judgement {
  readonly sent: number;
  readonly acked: number;
  readonly stored: number;
  readonly lost: number;
  readonly copies: number;
  readonly phantom: number;
  readonly altered: number;
  /** A few of each, for whoever looks for the cause: `lost app 17`. */
  readonly examples: readonly string[];
}

export interface Ledger {
  /** On disk before it returns. */
  sent(source: string, seq: number, message: string): void;
  acked(source: string, seqs: readonly number[]): void;
  readonly ackedCount: number;
  close(): void;
}

export const openLedger = (path: string): Ledger => {
  const file = openSync(path, "a", 0o600);
  let ackedCount = 0;
  return {
    sent: (source, seq, message) => void writeSync(file, `s ${source} ${seq} ${hash("sha256", message)}\n`),
    acked: (source, seqs) => {
      writeSync(file, seqs.map((seq) => `a ${source} ${seq}\n`).join(""));
      ackedCount += seqs.length;
    },
    get ackedCount() {
      return ackedCount;
    },
    close: () => closeSync(file),
  };
};

const mostExamples = 12;

/** Compares the ledger at `path` with what storage holds. */
export const judge = (path: string, rows: Iterable<StoredRow>): Judgement => {
  const sums = new Map<string, string>();
  const acked = new Set<string>();
  for (const line of readFileSync(path, "utf8").split("\n")) {
    const [kind, source, seq, sum = ""] = line.split(" ");
    if (kind === "s") sums.set(`${source} ${seq}`, sum);
    else if (kind === "a") acked.add(`${source} ${seq}`);
  }
  const found = { stored: 0, lost: 0, copies: 0, phantom: 0, altered: 0 };
  const examples: string[] = [];
  const note = (kind: "lost" | "copies" | "phantom" | "altered", id: string, by = 1): void => {
    found[kind] += by;
    if (examples.length < mostExamples) examples.push(`${kind} ${id}`);
  };
  const seen = new Set<string>();
  for (const row of rows) {
    const id = `${row.source} ${row.seq}`;
    found.stored += row.copies;
    if (row.copies > 1) note("copies", id, row.copies - 1);
    // The same seq under another message is a row of its own.
    if (seen.has(id)) note("copies", id);
    seen.add(id);
    const sum = sums.get(id);
    if (sum === undefined) note("phantom", id);
    else if (sum !== row.sha256) note("altered", id);
  }
  for (const id of acked) if (!seen.has(id)) note("lost", id);
  return { sent: sums.size, acked: acked.size, ...found, examples };
};
