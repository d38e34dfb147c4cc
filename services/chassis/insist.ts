/** Until the registry answers: without its ids nothing can be written. */
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "./fault.ts";
import type { Log } from "./log.ts";

export const insist = async <T>(log: Log, ask: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Fault) || !error.retriable) throw error;
      log.warn({ err: error }, "waiting for the schema registry");
      await sleep(1_000);
    }
  }
};
