/** What sources and organizations may send a second on native topics, for this process: what exceeds it waits in Kafka. */

/** Seconds of its rate that a quiet one may send at once, as at the receiver. */
const burstSeconds = 2;
/**
 * Kafka keeps these topics for an hour, and what it acknowledged must be stored: a record that has waited this long waits
 * no more. Brokers hold each producer to the rate already, so that takes several of them, or compression.
 */
const longestWaitMs = 30 * 60_000;

export const createRate = (now: () => number = () => performance.now()) => {
  const spent = new Map<string, { bytes: number; at: number }>();

  const drained = (name: string, perSecond: number) => {
    const at = now();
    const found = spent.get(name) ?? { bytes: 0, at };
    found.bytes = Math.max(0, found.bytes - ((at - found.at) / 1000) * perSecond);
    found.at = at;
    spent.set(name, found);
    return found;
  };

  return {
    /** Milliseconds until its next records may be taken; 0 is now. A `perSecond` of 0 is unlimited. */
    wait: (name: string, perSecond: number): number => {
      if (perSecond <= 0) return 0;
      const over = drained(name, perSecond).bytes - perSecond * burstSeconds;
      return over <= 0 ? 0 : (over / perSecond) * 1000;
    },
    spend: (name: string, bytes: number): void => {
      const found = spent.get(name);
      if (found !== undefined) found.bytes += bytes;
    },
  };
};

/** Whether a record that Kafka took then, in milliseconds since the epoch, may go on waiting. */
export const mayWait = (takenAt: number, now: number): boolean => now - takenAt < longestWaitMs;
