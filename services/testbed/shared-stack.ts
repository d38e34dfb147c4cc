/**
 * The stack that all tests of one jest run share. jest's global set-up starts it in the parent process and leaves its
 * addresses in a file that carries the parent's pid; a worker finds it by that.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Addresses, type Stack, state } from "@astralog/local";
import { makeTables } from "./make-tables.ts";
import { ownStack } from "./own-stack.ts";

const fileOf = (pid: number): string => join(state, "testbed", `shared-${pid}.json`);

/** Where the shared servers answer. They are everybody's: a test that hurts servers takes an ownStack. */
export const sharedStack = (): Addresses => {
  // In a worker the parent is jest; with --runInBand it is jest itself that asks.
  const file = [process.pid, process.ppid].map(fileOf).find(existsSync);
  if (file === undefined)
    throw new Error('There is no shared stack: name the test *.real.test.ts and run it in the jest project "real".');
  return JSON.parse(readFileSync(file, "utf8")) as Addresses;
};

let running: Stack | undefined;

export const startShared = async (): Promise<void> => {
  running = await ownStack();
  await makeTables(running);
  const { kafka, registry, clickhouse, postgres, tls } = running;
  writeFileSync(
    fileOf(process.pid),
    JSON.stringify({ kafka, registry, clickhouse, postgres, tls } satisfies Addresses),
    { mode: 0o600 },
  );
};

export const stopShared = async (): Promise<void> => {
  rmSync(fileOf(process.pid), { force: true });
  await running?.stop();
  running = undefined;
};
