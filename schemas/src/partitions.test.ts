import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { keyedPartition, tenantPartitions } from "./partitions.ts";

test("k distinct partitions of P, and a smaller k is a prefix of a larger", () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 24 }), (tenant, k, total) => {
      const chosen = tenantPartitions(tenant, k, total);
      expect(new Set(chosen).size).toBe(Math.min(k, total));
      for (const p of chosen) expect(p).toBeLessThan(total);
      expect(tenantPartitions(tenant, k + 1, total).slice(0, chosen.length)).toEqual(chosen);
    }),
  );
});

test("a new partition takes tenants, and moves none between the old ones", () => {
  fc.assert(
    fc.property(fc.string(), (tenant) => {
      const [before] = tenantPartitions(tenant, 1, 12);
      const [after] = tenantPartitions(tenant, 1, 13);
      expect([before, 12]).toContain(after);
    }),
  );
});

test("tenants spread evenly: no partition of 12 has twice its share of 4,800", () => {
  const load = Array.from({ length: 12 }, () => 0);
  for (let i = 0; i < 1_200; i++) for (const p of tenantPartitions(`tn_${i}`, 4, 12)) load[p] = (load[p] ?? 0) + 1;
  expect(Math.max(...load)).toBeLessThan(600);
  expect(Math.min(...load)).toBeGreaterThan(300);
});

test("every try with one idempotency key meets in one of the tenant's partitions", () => {
  const choices = tenantPartitions("tn_a", 4, 12);
  expect(choices).toContain(keyedPartition("k1", choices));
  expect(keyedPartition("k1", choices.toReversed())).toBe(keyedPartition("k1", choices));
});
