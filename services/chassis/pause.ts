/**
 * How a loop rests between two turns. It holds on to nothing that outlives it: listeners on the signal of a process's
 * end, one for each rest, were never let go of.
 */

export interface Pause {
  /** Resolves after that many milliseconds; at once when it was woken since the last rest, or stopped. */
  rest(ms: number): Promise<void>;
  /** There is work. In the middle of a turn it makes the next rest end at once. */
  wake(): void;
  /** No rest lasts any longer. */
  stop(): void;
  readonly stopped: boolean;
}

/** Longer than a timer can count is a day. */
const longestMs = 86_400_000;

export const createPause = (): Pause => {
  let [woken, stopped] = [false, false];
  let end = (): void => {};
  return {
    rest: async (ms) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      end = resolve;
      const timer = setTimeout(resolve, Math.min(ms, longestMs));
      if (!woken && !stopped) await promise;
      clearTimeout(timer);
      woken = false;
    },
    wake: () => {
      woken = true;
      end();
    },
    stop: () => {
      stopped = true;
      end();
    },
    get stopped() {
      return stopped;
    },
  };
};
