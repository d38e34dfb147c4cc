import { expect, test } from "@jest/globals";
import { backoffLimits, mayRetry, retryAfterMs, waitBefore } from "./backoff.ts";

test("Retry-After is seconds or a date", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  expect(retryAfterMs("3", now)).toBe(3000);
  expect(retryAfterMs("Thu, 01 Jan 2026 00:00:02 GMT", now)).toBe(2000);
  expect(retryAfterMs("Thu, 01 Jan 2025 00:00:02 GMT", now)).toBe(0);
  expect(retryAfterMs("soon", now)).toBeUndefined();
  expect(retryAfterMs(undefined, now)).toBeUndefined();
});

test("waits grow to a bound, anywhere below it, and never undercut what the server asked", () => {
  expect(waitBefore(1, undefined, () => 0.5)).toBe(backoffLimits.firstMs / 2);
  expect(waitBefore(3, undefined, () => 1)).toBe(backoffLimits.firstMs * 4);
  expect(waitBefore(50, undefined, () => 1)).toBe(backoffLimits.mostMs);
  expect(waitBefore(1, 2000, () => 0)).toBe(2000);
  expect(waitBefore(1, 2000, () => 1)).toBe(2400);
});

test("what may pass is tried again, what is wrong is not", () => {
  expect([408, 429, 500, 502, 503, 504].every(mayRetry)).toBe(true);
  expect([200, 202, 400, 401, 403, 404, 409, 413, 501].some(mayRetry)).toBe(false);
});
