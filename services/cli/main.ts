/** The astralog command. */
import { CommanderError } from "commander";
import { createCli } from "./cli.ts";
import { readConfig } from "./config.ts";
import { Failure } from "./failure.ts";
import { createProgram } from "./program.ts";
import { processTerminal } from "./terminal.ts";

const config = readConfig();
const terminal = processTerminal(config);
const stop = new AbortController();
let signalled = 0;
for (const [signal, number] of [
  ["SIGINT", 2],
  ["SIGTERM", 15],
] as const) {
  // The first asks; the second, if somebody cannot wait, does what it always does.
  process.once(signal, () => {
    signalled = number;
    stop.abort();
  });
}
const cli = createCli(config, terminal, process.cwd(), stop.signal);
try {
  await createProgram(cli).parseAsync();
  process.exitCode = cli.exitCode();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof Failure) {
    if (signalled === 0) terminal.err(`${terminal.errColors.red("astralog:")} ${error.message}\n`);
    process.exitCode = error.exitCode;
  } else {
    throw error;
  }
} finally {
  cli.close();
  if (signalled !== 0) process.exitCode = 128 + signalled;
}
