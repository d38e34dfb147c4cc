/** Keeps a process running: when it ends unasked it is started again, sooner at first, later if it keeps ending. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Exit } from "./child.ts";

export interface Supervised {
  readonly name: string;
  /** Fulfilled when the process that runs now has ended. */
  exited(): Promise<Exit>;
  /** Starts it; fulfilled when it is ready. */
  start(): Promise<unknown>;
}

export const firstDelayMs = 500;
export const longestDelayMs = 30_000;
/** One that ran this long before it ended starts again as if for the first time. */
export const steadyMs = 60_000;

export const nextDelay = (previous: number, ranMs: number): number =>
  previous === 0 || ranMs >= steadyMs ? firstDelayMs : Math.min(previous * 2, longestDelayMs);

/** Watches until `signal` is aborted; fulfilled then. Before that the process must have been started once. */
export const supervise = async (
  one: Supervised,
  { signal, say, onRestart }: { signal: AbortSignal; say: (line: string) => void; onRestart: () => void },
): Promise<void> => {
  const told = new Promise<undefined>((resolve) => {
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  let delay = 0;
  let begun = Date.now();
  let lives = true;
  while (!signal.aborted) {
    if (lives) {
      const exit = await Promise.race([one.exited(), told]);
      if (exit === undefined || signal.aborted) return;
      say(`${one.name} ended unasked (${exit.signal ?? `exit ${String(exit.code)}`})`);
    }
    delay = nextDelay(delay, Date.now() - begun);
    await sleep(delay, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    begun = Date.now();
    try {
      await one.start();
      lives = true;
      say(`${one.name} runs again after ${((Date.now() - begun + delay) / 1000).toFixed(1)} s`);
      onRestart();
    } catch (error) {
      lives = false;
      if (!signal.aborted)
        // The rest of the message is the end of its log.
        say(
          `${one.name}: ${String(error instanceof Error ? error.message : error).split("\n")[0]} It is tried again; see .astralog/logs.`,
        );
    }
  }
};
