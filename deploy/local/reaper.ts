/**
 * One small shell per process that starts servers: it holds the other end of a pipe, so it notices when that process
 * ends, kill -9 included, and then ends what was started. Nothing outlives its starter.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

let shell: ChildProcess | undefined;

const say = (line: string): void => {
  if (shell === undefined) {
    shell = spawn("sh", [fileURLToPath(new URL("reaper.sh", import.meta.url))], {
      // Its own session, so that a Ctrl-C meant for the starter does not reach it.
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    shell.unref();
    shell.on("error", () => undefined);
    const pipe = shell.stdin;
    if (pipe !== null && "unref" in pipe && typeof pipe.unref === "function") pipe.unref();
    pipe?.on("error", () => undefined);
  }
  shell.stdin?.write(`${line}\n`);
};

/** `signal` is a name without SIG: the gentlest one the process stops on. */
export const watch = (pid: number, signal: string): void => say(`+${pid} ${signal}`);

export const forget = (pid: number): void => say(`-${pid}`);
