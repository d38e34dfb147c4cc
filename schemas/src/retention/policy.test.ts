import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { createBinder } from "../query/sql.ts";
import { dayNumber, daysOfSource, dayText, dueOn, sourceConditions, type TenantPolicy } from "./policy.ts";
import { mostDays, type RetentionRule, retentionRuleShape } from "./rule.ts";

const days = fc.integer({ min: 1, max: mostDays });
const noFields = { fields: [], except: [] };
const rule = fc
  .record({
    kind: fc.constantFrom("keep" as const, "hold" as const),
    source: fc.constantFrom("", "src_a", "src_b"),
    query: fc.constantFrom("", "level:debug", "audit"),
    days,
  })
  .filter(({ kind, source, query }) => kind === "hold" || query !== "" || source === "")
  .map(
    (made): RetentionRule => ({
      ...made,
      ...noFields,
      name: "r",
      reason: "r",
      days: made.kind === "hold" ? null : made.days,
    }),
  );
const policy = fc.record({ planDays: days, own: days, rules: fc.array(rule, { maxLength: 6 }) }).map(
  ({ planDays, own, rules }): TenantPolicy => ({
    ...{ tenant: "tn_1", planDays, rules },
    sources: new Map([["src_a", { days: own, name: "a" }]]),
  }),
);

test("nothing is kept longer than the plan allows, nor shorter than a day, and the base lies between", () => {
  fc.assert(
    fc.property(policy, (one) => {
      const found = daysOfSource(one, "src_a");
      if (found === undefined) throw new Error("known");
      expect(found.least).toBeGreaterThanOrEqual(1);
      expect(found.least).toBeLessThanOrEqual(found.base);
      expect(found.base).toBeLessThanOrEqual(found.most);
      expect(found.most).toBeLessThanOrEqual(one.planDays);
    }),
  );
});

test("what is no rule's is the source's, and a hold on all of it is a hold on all", () => {
  fc.assert(
    fc.property(policy, (one) => {
      const mine = one.rules.filter(({ source }) => source !== "src_b");
      const found = daysOfSource(one, "src_a");
      const holds = mine.filter(({ kind }) => kind === "hold");
      expect(found?.held).toBe(holds.some(({ query }) => query === "") ? "all" : holds.length > 0 ? "some" : "none");
      if (mine.length === 0) expect(found?.base).toBe(Math.min(one.planDays, [...one.sources.values()][0]?.days ?? 0));
    }),
  );
  expect(daysOfSource({ tenant: "t", planDays: 7, sources: new Map(), rules: [] }, "src_x")).toBeUndefined();
});

test("the condition asks the longest of its rules first, so that it is the one that counts", () => {
  const one: TenantPolicy = {
    ...{ tenant: "t", planDays: 100, sources: new Map([["src_a", { days: 30, name: "a" }]]) },
    rules: [
      { name: "short", kind: "keep", source: "", query: "level:debug", days: 3, reason: "", ...noFields },
      { name: "long", kind: "keep", source: "", query: "audit", days: 365, reason: "", ...noFields },
    ],
  };
  const { bind } = createBinder();
  const { due, held } = sourceConditions(one, "src_a", bind, 0);
  expect(due(20_000).indexOf(", 100,")).toBeLessThan(due(20_000).indexOf(", 3,"));
  expect(due(20_000)).toMatch(/, 30\) < 20000$/);
  expect(held).toBe("0");
});

test("an event lives whole days: the first day it may go is the one after its last", () => {
  const received = dayNumber(Date.parse("2026-01-31T23:59:59.999Z"));
  expect(dayText(dueOn(received, 1))).toBe("2026-02-02");
  expect(dayText(received)).toBe("2026-01-31");
});

test.each([
  [{ name: "x", kind: "keep", days: 0, query: "a" }, "days"],
  [{ name: "x", kind: "keep", query: "a" }, "days"],
  [{ name: "x", kind: "keep", days: 3, source: "src_a" }, "query"],
  [{ name: "x", kind: "keep", days: 3, query: "level:(" }, "query"],
  [{ name: "x", kind: "hold" }, "reason"],
  [{ name: "x", kind: "hold", reason: "r", days: 3 }, "days"],
  [{ name: "x", kind: "drop_fields", days: 3 }, "fields"],
  [{ name: "x", kind: "drop_fields", fields: ["message"] }, "days"],
  [{ name: "x", kind: "drop_fields", days: 3, fields: ["service"] }, "fields"],
  [{ name: "x", kind: "drop_fields", days: 3, fields: ["user.id"] }, "fields"],
  [{ name: "x", kind: "drop_fields", days: 3, fields: ["attributes."] }, "fields"],
  [{ name: "x", kind: "drop_fields", days: 3, fields: ["message"], except: ["attributes.a"] }, "except"],
  [{ name: "x", kind: "drop_fields", days: 3, fields: ["attributes.*"], except: ["host"] }, "except"],
  [{ name: "x", kind: "keep", days: 3, query: "a", fields: ["message"] }, "fields"],
  [{ name: "", kind: "hold", reason: "r" }, "name"],
])("%j is refused, naming %s", (given, field) => {
  const { error } = retentionRuleShape.safeParse(given);
  expect(error?.issues.map(({ path }) => path[0])).toContain(field);
});
