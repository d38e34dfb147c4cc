import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { shape } from "./config.ts";
import { createInFlight } from "./in-flight.ts";
import { createBucket, createBuckets } from "./token-bucket.ts";

test("a bucket lets its rate through and no more, however it is asked", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(500), fc.nat(5_000)), { minLength: 1, maxLength: 200 }), (asks) => {
      const bucket = createBucket(1_000, 2_000, 0);
      let now = 0;
      let spent = 0;
      for (const [pause, amount] of asks) {
        now += pause;
        if (bucket.wait(now) > 0) continue;
        bucket.spend(amount, now);
        spent += amount;
      }
      // The rate, the burst, and one request that was let in while there was credit.
      expect(spent).toBeLessThanOrEqual(2_000 + now + 5_000);
    }),
  );
});

test("who waits as long as it is told is let in", () => {
  const bucket = createBucket(100, 100, 0);
  bucket.spend(350, 0);
  const wait = bucket.wait(0);
  expect(wait).toBeCloseTo(2.5);
  expect(bucket.wait(wait * 1_000 - 1)).toBeGreaterThan(0);
  expect(bucket.wait(wait * 1_000 + 1)).toBe(0);
});

test("buckets are kept by name up to a number, and made anew when the rate changes", () => {
  const buckets = createBuckets(2);
  buckets.get("a", 1, 1, 0).spend(10, 0);
  expect(buckets.get("a", 1, 1, 0).wait(0)).toBeGreaterThan(0);
  expect(buckets.get("a", 2, 1, 0).wait(0)).toBe(0);
  buckets.get("b", 1, 1, 0).spend(10, 0);
  buckets.get("c", 1, 1, 0);
  buckets.get("d", 1, 1, 0);
  expect(buckets.get("b", 1, 1, 0).wait(0)).toBe(0);
});

test("what is in flight is bounded, returned once, and may always shrink", () => {
  const inFlight = createInFlight(100);
  const [a, b] = [inFlight.lease(), inFlight.lease()];
  a.hold(70);
  expect(() => b.hold(31)).toThrow("Try again");
  b.hold(30);
  expect(() => inFlight.lease()).toThrow("Try again");
  a.hold(10);
  expect(inFlight.bytes).toBe(40);
  a.release();
  a.release();
  a.hold(90);
  expect([inFlight.bytes, inFlight.requests]).toEqual([30, 1]);
});

test("plain HTTP refuses to leave this machine", () => {
  for (const host of ["127.0.0.1", "::1", "localhost", undefined])
    expect(shape.HTTP_HOST.safeParse(host).success).toBe(true);
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "example.org"])
    expect(shape.HTTP_HOST.safeParse(host).success).toBe(false);
  expect(shape.TRUSTED_PROXIES.safeParse("10.0.0.0/8, ::1").success).toBe(true);
  expect(shape.TRUSTED_PROXIES.safeParse("10.0.0.0/99").success).toBe(false);
});
