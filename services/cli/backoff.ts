/** When to try again: as the server says, else exponentially with full jitter, so that many clients do not come back at once. */

export const backoffLimits = { firstMs: 250, mostMs: 15_000 } as const;

/** Milliseconds of a Retry-After header: seconds or an HTTP date; undefined when there is none. */
export const retryAfterMs = (header: string | undefined, now: number): number | undefined => {
  if (header === undefined) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
};

/**
 * Milliseconds before try number `attempt` (1 is the first repeat). A server's own figure is a floor, with a fifth of
 * jitter on top. `random` is in [0, 1).
 */
export const waitBefore = (
  attempt: number,
  askedMs: number | undefined,
  random: () => number = Math.random,
): number => {
  const ceiling = Math.min(backoffLimits.mostMs, backoffLimits.firstMs * 2 ** (attempt - 1));
  return askedMs === undefined ? random() * ceiling : askedMs + random() * Math.max(askedMs / 5, 50);
};

/** Statuses after which the same request may succeed. A repeat is harmless: it carries the same Idempotency-Key. */
export const mayRetry = (status: number): boolean =>
  status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
