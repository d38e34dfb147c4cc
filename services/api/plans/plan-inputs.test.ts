import { dayOf, limitsOf, nextDay, type PlanLimits, planNames, plans } from "@astralog/schemas";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { checkSource, planOf, planOverrides, sourceDefaults } from "./plan-inputs.ts";

const anyPlan = fc.constantFrom(...planNames);
const anyOverrides = fc.record(
  {
    retention_days: fc.integer({ min: 1, max: 3650 }),
    max_bytes_per_second: fc.nat(),
    daily_bytes: fc.nat(),
    partitions: fc.integer({ min: 1, max: 1000 }),
    seats: fc.nat(1000),
  },
  { requiredKeys: [] },
);

test("an override stands in place of the plan's own limit, and nothing else does", () => {
  fc.assert(
    fc.property(anyPlan, anyOverrides, (plan, overrides) => {
      const { limits } = planOf({ plan, overrides: JSON.parse(JSON.stringify(overrides)) });
      for (const name of Object.keys(plans[plan]) as (keyof PlanLimits)[])
        expect(limits[name]).toEqual(name in overrides ? overrides[name as "seats"] : plans[plan][name]);
      expect(limitsOf(plan, { ...overrides, seats: undefined }).seats).toBe(plans[plan].seats);
    }),
  );
});

test("a source that asks for nothing gets what its plan has; one that asks for more is told the limit", () => {
  fc.assert(
    fc.property(anyPlan, anyOverrides, fc.integer({ min: 1, max: 5000 }), (plan, overrides, days) => {
      const its = planOf({ plan, overrides });
      expect(() => checkSource(its, sourceDefaults(its))).not.toThrow();
      const ask = () => checkSource(its, { retention_days: days });
      if (days <= its.limits.retention_days) expect(ask).not.toThrow();
      else expect(ask).toThrow(`(${plan}) allows ${its.limits.retention_days} at most, not ${days}`);
    }),
  );
});

test("what is no plan of this version gives nothing", () => {
  for (const row of [
    { plan: "unlimited", overrides: {} },
    { plan: "free", overrides: { daily_byte: 1 } },
    { plan: "free", overrides: { seats: -1 } },
    { plan: "free", overrides: null },
  ])
    expect(() => planOf(row)).toThrow();
  expect(planOverrides.safeParse({ features: ["single sign-on"] }).success).toBe(false);
});

test("a day is one of UTC, and the next begins where it ends", () => {
  fc.assert(
    fc.property(fc.date({ min: new Date("2000-01-01"), max: new Date("2100-01-01"), noInvalidDate: true }), (date) => {
      const day = dayOf(date.getTime());
      const next = nextDay(day);
      expect(dayOf(next - 1)).toBe(day);
      expect(dayOf(next)).not.toBe(day);
      expect(next - date.getTime()).toBeGreaterThan(0);
    }),
  );
});
