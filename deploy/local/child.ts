/**
 * A server as a child process: its output in a file, its own session (a Ctrl-C in the terminal is for us to hand on, in
 * order), watched by the reaper.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { forget, watch } from "./reaper.ts";

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Fulfilled when the process has ended, whatever ended it. */
  readonly exited: Promise<Exit>;
  /** Asks it to stop and waits; after `graceMs` it is killed. */
  stop(graceMs?: number): Promise<Exit>;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<Exit>;
  signal(name: NodeJS.Signals): void;
  /** What it has written since it was started, at most the last 64 KiB. */
  output(): string;
}

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly log: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
  readonly stopSignal?: "TERM" | "INT";
}

const tailBytes = 65_536;
/** A log that has grown beyond this is put aside at the next start; the one before it is dropped. */
const rotateBytes = 32 * 2 ** 20;

const living = new Set<Child>();

/** Sends every child that lives its stop signal, so that whoever waits for one to be ready need not wait on. */
export const stopChildren = (): void => {
  for (const child of living) void child.stop(5_000);
};

export const startChild = async (options: ChildOptions): Promise<Child> => {
  const { name, command, args, log, cwd, env, uid, gid, stopSignal = "TERM" } = options;
  mkdirSync(dirname(log), { recursive: true });
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > rotateBytes) renameSync(log, `${log}.1`);
  const file = openSync(log, "a", 0o600);
  const begin = statSync(log).size;
  const process = spawn(command, args, {
    stdio: ["ignore", file, file],
    detached: true,
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  closeSync(file);
  const exited = new Promise<Exit>((resolve) => {
    process.once("exit", (code, signal) => {
      forget(pid);
      living.delete(child);
      resolve({ code, signal });
    });
  });
  await once(process, "spawn");
  const pid = process.pid ?? 0;
  watch(pid, stopSignal);
  // The starter may end while this still runs (the reaper then ends it), but not while it waits for this to end.
  process.unref();

  const signal = (which: NodeJS.Signals): void => {
    // Whoever asks for its end waits for it.
    if (which !== "SIGSTOP" && which !== "SIGCONT") process.ref();
    process.kill(which);
  };
  const kill = (): Promise<Exit> => {
    signal("SIGKILL");
    return exited;
  };
  const child: Child = {
    name,
    pid,
    exited,
    kill,
    signal,
    stop: async (graceMs = 10_000) => {
      signal(`SIG${stopSignal}`);
      const late = new AbortController();
      const exit = await Promise.race([
        exited,
        sleep(graceMs, undefined, { signal: late.signal }).catch(() => undefined),
      ]);
      late.abort();
      return exit ?? kill();
    },
    output: () => {
      const end = statSync(log).size;
      const from = Math.max(begin, end - tailBytes);
      const reader = openSync(log, "r");
      try {
        const bytes = Buffer.alloc(Math.max(0, end - from));
        return bytes.toString("utf8", 0, readSync(reader, bytes, 0, bytes.length, from));
      } finally {
        closeSync(reader);
      }
    },
  };
  living.add(child);
  return child;
};

/**
 * Waits until `ready` holds. Throws when the child ends first or the time is up, with the end of its output: that is
 * where the reason is.
 */
export const untilReady = async (
  child: Child,
  ready: () => Promise<boolean> | boolean,
  timeoutMs: number,
): Promise<void> => {
  let exit: Exit | undefined;
  void child.exited.then((ended) => {
    exit = ended;
  });
  const deadline = Date.now() + timeoutMs;
  while (!(await ready())) {
    if (exit !== undefined || Date.now() > deadline) {
      const how =
        exit === undefined
          ? `was not ready within ${timeoutMs / 1000} s`
          : `ended at its start (${exit.signal ?? exit.code})`;
      const said = child.output().trimEnd().split("\n").slice(-15).join("\n");
      if (exit === undefined) await child.kill();
      throw new Error(`${child.name} ${how}. The end of its output:\n${said}`);
    }
    await sleep(50);
  }
};
