/** The fault tests in full, by hand: `npm run chaos`; `-- --help` lists them. */
import { execFileSync } from "node:child_process";
import { ownStack } from "@astralog/testbed";
import { createArena } from "./arena.ts";
import { readChaosOptions, usage } from "./chaos-options.ts";
import { reported, writeReport } from "./chaos-report.ts";
import { readCommandLine } from "./command-line.ts";
import { faults } from "./faults/index.ts";
import { millis, table } from "./figures.ts";
import type { Outcome } from "./run-fault.ts";

const { chosen, scale, eventsPerSecond, report, json } = readCommandLine(usage, readChaosOptions);
const git = (...args: string[]): string => execFileSync("git", args, { encoding: "utf8" }).trim();
const run = {
  // Read before the tests run, which may be long; the report itself is no change.
  commit:
    report === ""
      ? ""
      : git("rev-parse", "--short", "HEAD") +
        (git("status", "--porcelain", "--", ".", ":!docs/reliability.*") === "" ? "" : "+"),
  date: new Date().toISOString().slice(0, 10),
  scale,
  eventsPerSecond,
};
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const outcomes: Outcome[] = [];
const stack = await ownStack();
const arena = createArena(stack);
// What runs then fails, and the ends of the test and of this file remove the rest.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void stack.stop());
try {
  for (const fault of chosen) {
    say(`${fault.id}  ${fault.title}`);
    const outcome = await arena.run(fault, { scale, eventsPerSecond });
    outcomes.push(outcome);
    // At once: what was found is not lost when a later test ends the run.
    if (report !== "")
      writeReport(
        report,
        [reported(outcome, run)],
        faults.map(({ id }) => id),
      );
    for (const note of outcome.notes) say(`    ${note}`);
    for (const what of outcome.broken) say(`    BROKEN: ${what}`);
  }
} finally {
  await arena.close();
  await stack.stop();
}

const seconds = (ms: number): string => (Number.isNaN(ms) ? "-" : `${(ms / 1000).toFixed(1)} s`);
const rows = outcomes.map((o) => [
  o.id,
  ...[o.acked, o.lost, o.copies, o.phantom].map((n) => n.toLocaleString("en-US")),
  seconds(o.recoveryMs),
  seconds(o.drainMs),
  millis(o.ackP50),
  millis(o.ackP99),
  `${Math.round(o.seconds)} s`,
  o.broken.length === 0 ? "held" : "BROKEN",
]);
const heads = ["test", "acked", "lost", "copies", "phantom", "recovery", "drain", "ack p50", "ack p99", "took", ""];
process.stdout.write(json ? `${JSON.stringify(outcomes, undefined, 2)}\n` : `\n${table(heads, rows)}\n`);
if (outcomes.some((outcome) => outcome.broken.length > 0)) process.exitCode = 1;
