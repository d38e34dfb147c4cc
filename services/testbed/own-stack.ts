/** A stack for one test alone, which it may kill, freeze and starve. */
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Stack, startStack, state } from "@astralog/local";
import { chooseEngine } from "./engine.ts";

const folders = join(state, "testbed");

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** A new folder under .astralog/testbed. Folders that an interrupted run left there are removed. */
export const newFolder = (purpose: string): string => {
  mkdirSync(folders, { recursive: true });
  for (const name of readdirSync(folders)) {
    const pid = Number(/-(\d+)(-[0-9a-f]+|\.json)$/.exec(name)?.[1] ?? 0);
    if (pid > 0 && !isAlive(pid)) rmSync(join(folders, name), { recursive: true, force: true });
  }
  const dir = join(folders, `${purpose}-${process.pid}-${randomBytes(4).toString("hex")}`);
  mkdirSync(dir, { mode: 0o755 });
  return dir;
};

/** Starts the four servers; `stop()` ends them and removes their data. Takes 5 to 8 seconds. */
export const ownStack = async (): Promise<Stack> => {
  const dir = newFolder("stack");
  const stack =
    (await chooseEngine()) === "local"
      ? await startStack({ dir, logs: join(dir, "logs") })
      : await (await import("./containers.ts")).startContainers(dir);
  return {
    ...stack,
    stop: async () => {
      await stack.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
};
