import type { RetentionRule, TenantPolicy } from "@astralog/schemas/retention/index";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { keptOf } from "./kept.ts";

const hold: RetentionRule = {
  name: "h",
  kind: "hold",
  source: "src_b",
  query: "",
  days: null,
  reason: "r",
  fields: [],
  except: [],
};
const policy: TenantPolicy = {
  ...{ tenant: "tn_1", planDays: 365, rules: [hold] },
  sources: new Map([
    ["src_a", { days: 30, name: "a" }],
    ["src_b", { days: 30, name: "b" }],
  ]),
};

test("what expires is each source's events, on the first day behind their last; a hold lets nothing expire", () => {
  const stored = [
    { source: "src_a", day: 20_000, events: 5 },
    { source: "src_a", day: 20_001, events: 7 },
    { source: "src_b", day: 19_000, events: 11 },
    { source: "src_gone", day: 20_000, events: 13 },
  ];
  const { sources, expiries } = keptOf(policy, stored, new Map([["src_a", 100]]), 20_010);
  expect(expiries).toEqual([
    { day: "2024-11-04", events: 5 },
    { day: "2024-11-05", events: 7 },
  ]);
  expect(sources).toMatchObject([
    { source: "src_a", events: 12, bytes: 1_200, oldest: "2024-10-04", expires_next: "2024-11-04", expiring: 5 },
    { source: "src_b", events: 11, held: "all", expires_next: null, expiring: 0 },
    // What was said at its receipt counts, and is not known here.
    { source: "src_gone", name: "src_gone", events: 13, expires_next: null },
  ]);
});

test("nothing is lost or told twice: what expires and what does not is all there is", () => {
  const rows = fc.array(
    fc.record({
      source: fc.constantFrom("src_a", "src_b", "src_c"),
      day: fc.integer({ min: 19_980, max: 20_010 }),
      events: fc.integer({ min: 1, max: 100 }),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(rows, (stored) => {
      const { sources, expiries } = keptOf(policy, stored, new Map(), 20_010);
      const sum = (list: readonly { events: number }[]) => list.reduce((all, { events }) => all + events, 0);
      expect(sum(sources)).toBe(sum(stored));
      expect(sum(expiries)).toBe(sum(stored.filter(({ source }) => source === "src_a")));
    }),
  );
});
