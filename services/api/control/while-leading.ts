/**
 * Work that one api does for all of them, again and again: the one whose relay holds the outbox' lock. While that changes
 * hands two may work at once, so the work must bear it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "@astralog/chassis";

export interface WhileLeading {
  readonly everyMs: number;
  readonly log: Log;
  /** What could not be done, for the log; it is tried again the next time. */
  readonly failed: string;
  leading(): boolean;
}

export const whileLeading = (
  { everyMs, log, failed, leading }: WhileLeading,
  work: (stopped: AbortSignal) => Promise<unknown>,
): { stop(): Promise<void> } => {
  const stopped = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      if (leading()) await work(stopped.signal).catch((error: unknown) => log.warn({ err: error }, failed));
      await sleep(everyMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };
  const working = loop();
  return {
    stop: async () => {
      stopped.abort();
      await working;
    },
  };
};
