/**
 * The published report of the fault tests: what they found is kept as JSON, by test, and the page is made from that. A run
 * of some tests replaces only theirs, so the long ones need not run together; each row says at which commit it ran.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Outcome } from "./run-fault.ts";

/** A figure that was not taken is null, as JSON has it. */
type Figures = "recoveryMs" | "drainMs" | "ackP50" | "ackP99";

export interface Run {
  /** Its short id, with "+" behind it when the tree held changes. */
  readonly commit: string;
  readonly date: string;
  readonly scale: number;
  readonly eventsPerSecond: number;
}

export type Reported = Omit<Outcome, Figures | "examples"> & Record<Figures, number | null> & Run;

const known = (value: number): number | null => (Number.isFinite(value) ? Math.round(value) : null);

export const reported = ({ examples: _, ...outcome }: Outcome, run: Run): Reported => ({
  ...outcome,
  ...run,
  seconds: Math.round(outcome.seconds),
  recoveryMs: known(outcome.recoveryMs),
  drainMs: known(outcome.drainMs),
  ackP50: known(outcome.ackP50),
  ackP99: known(outcome.ackP99),
});

/** The new ones in place of the old ones of the same tests, all in the order of `ids`; tests that are no more fall away. */
export const merged = (old: readonly Reported[], fresh: readonly Reported[], ids: readonly string[]): Reported[] => {
  const byId = new Map([...old, ...fresh].map((each) => [each.id, each]));
  return ids.flatMap((id) => byId.get(id) ?? []);
};

const whole = (n: number): string => n.toLocaleString("en-US");
const seconds = (ms: number | null): string => (ms === null ? "–" : `${(ms / 1000).toFixed(1)} s`);
const millis = (ms: number | null): string => (ms === null ? "–" : `${ms} ms`);
const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
const sum = (all: readonly Reported[], of: (each: Reported) => number): string =>
  whole(all.reduce((total, each) => total + of(each), 0));

/** The page. Nothing in it was written by hand. */
export const page = (all: readonly Reported[]): string => {
  const heads = ["test", "what was done to it", "acknowledged", "lost", "stored twice", "never sent", "altered"];
  const times = ["test", "well again within", "drained within", "answer p50", "answer p99", "size", "took", "commit"];
  const failed = all.filter(({ broken }) => broken.length > 0);
  return [
    "<!-- Made by `npm run chaos -- --report docs`; changes by hand will be overwritten. -->\n\n",
    "# What Astralog withstood\n\n",
    "Every test runs a whole Astralog on one machine under steady traffic and hurts it. The client writes down each event\n",
    "with a checksum before it sends it, and what was acknowledged; afterwards the storage is asked what it holds, and\n",
    "`astralog verify` must find no gap, no copy and no mismatch. [bench](../bench/README.md) says how.\n\n",
    `Of ${sum(all, ({ acked }) => acked)} acknowledged events ${sum(all, ({ lost }) => lost)} were lost and `,
    `${sum(all, ({ copies }) => copies)} stored twice, in ${all.length} tests, of which ${all.length - failed.length} held every promise.\n\n`,
    row(heads),
    row(["---", "---", ...heads.slice(2).map(() => "--:")]),
    ...all.map((o) =>
      row([o.id, o.title, whole(o.acked), whole(o.lost), whole(o.copies), whole(o.phantom), whole(o.altered)]),
    ),
    "\n_Well again_: from the start of what was ended until it is ready or, for the broker, until it acknowledges; the longest\n",
    "of all times. _Drained_: from the last event sent until all was stored. _Size_: 1 is the full form, at that rate.\n\n",
    row(times),
    row(["---", ...times.slice(1).map(() => "--:")]),
    ...all.map((o) =>
      row([
        o.id,
        seconds(o.recoveryMs),
        seconds(o.drainMs),
        millis(o.ackP50),
        millis(o.ackP99),
        `${o.scale} at ${whole(o.eventsPerSecond)}/s`,
        `${o.seconds} s`,
        `${o.commit}, ${o.date}`,
      ]),
    ),
    "\n## Notes\n",
    ...all.flatMap(({ id, notes, broken }) => [
      `\n**${id}**\n\n`,
      ...notes.map((note) => `- ${note}\n`),
      ...broken.map((what) => `- **Broken:** ${what}\n`),
    ]),
  ].join("");
};

/** Takes the outcomes into `reliability.json` of the folder and writes `reliability.md` beside it. */
export const writeReport = (folder: string, fresh: readonly Reported[], ids: readonly string[]): void => {
  const data = join(folder, "reliability.json");
  const old = existsSync(data) ? (JSON.parse(readFileSync(data, "utf8")) as Reported[]) : [];
  const all = merged(old, fresh, ids);
  writeFileSync(data, `${JSON.stringify(all, undefined, 2)}\n`);
  writeFileSync(join(folder, "reliability.md"), page(all));
};
