/**
 * Rates. A bucket may go into debt: what a request costs is known only once it is inflated, so it is admitted while
 * there is credit and the debt makes the next ones wait. `now` is in milliseconds of any clock that does not go back.
 */

export interface Bucket {
  /** Seconds until there is credit again; 0 means now. */
  wait(now: number): number;
  spend(amount: number, now: number): void;
}

/** `perSecond` is refilled, up to `burst`. */
export const createBucket = (perSecond: number, burst: number, now: number): Bucket => {
  let credit = burst;
  let at = now;
  const refill = (time: number) => {
    credit = Math.min(burst, credit + ((time - at) / 1000) * perSecond);
    at = time;
  };
  return {
    wait: (time) => {
      refill(time);
      return credit > 0 ? 0 : Math.max(0.001, -credit / perSecond);
    },
    spend: (amount, time) => {
      refill(time);
      credit -= amount;
    },
  };
};

/** Buckets by name, at most `most` of them: the one least recently used is forgotten first. */
export const createBuckets = (most: number) => {
  const buckets = new Map<string, { bucket: Bucket; perSecond: number }>();
  return {
    get: (name: string, perSecond: number, burst: number, now: number): Bucket => {
      const known = buckets.get(name);
      const entry = known?.perSecond === perSecond ? known : { bucket: createBucket(perSecond, burst, now), perSecond };
      buckets.delete(name);
      buckets.set(name, entry);
      if (buckets.size > most) buckets.delete(buckets.keys().next().value as string);
      return entry.bucket;
    },
    peek: (name: string): Bucket | undefined => buckets.get(name)?.bucket,
  };
};
