import { describe, expect, test } from "@jest/globals";
import { type RuleInput, readRule } from "./index.ts";

const rule = (when: RuleInput["when"], more: Partial<RuleInput> = {}): RuleInput => ({
  id: "checkout-errors",
  name: "Checkout errors",
  when,
  ...more,
});
const threshold = (more: Record<string, unknown>) =>
  ({ type: "threshold", query: "level:error", above: 10, ...more }) as RuleInput["when"];

test("what is left out has a default, and what was read reads again as the same", () => {
  const read = readRule(rule(threshold({})));
  if (!("rule" in read)) throw new Error(JSON.stringify(read));
  expect(read.rule).toMatchObject({ severity: "warning", lateness: "500ms", grace: "30s", enabled: true });
  expect(read.rule.when).toMatchObject({ window: "5m", value: "count()", by: [] });
  expect(readRule(JSON.parse(JSON.stringify(read.rule)))).toEqual(read);
});

describe("a wrong field is named with its limit", () => {
  test.each<[string, RuleInput | Record<string, unknown>, string, RegExp]>([
    ["an id with a space", rule(threshold({}), { id: "a b" }), "id", /a-z, 0-9/],
    ["a field that is not known", { ...rule(threshold({})), colour: "red" }, "", /colour/],
    ["a query with a mistake", rule(threshold({ query: "level:>=" })), "when.query", /column/],
    ["a query with pipes", rule(threshold({ query: "x | limit 5" })), "when.query", /./],
    ["a query about time", rule(threshold({ query: "a timestamp:>=-5m" })), "when.query", /leave it out/],
    ["both bounds", rule(threshold({ below: 1 })), "when.above", /one of above and below/],
    ["no bound", rule(threshold({ above: undefined })), "when.above", /one of above and below/],
    ["a resolve on the wrong side", rule(threshold({ resolve: 11 })), "when.resolve", /not be more than above, 10/],
    ["every beyond the window", rule(threshold({ window: "1m", every: "2m" })), "when.every", /divide the window/],
    ["every that does not divide it", rule(threshold({ every: "2m" })), "when.every", /divide the window/],
    ["too many panes", rule(threshold({ window: "2d", every: "1m" })), "when.every", /1440/],
    ["a span without a unit", rule(threshold({ window: "300" })), "when.window", /span of time from 10s to 1w/],
    ["grouping by message", rule(threshold({ by: ["message"] })), "when.by.0", /too many values/],
    ["a median", rule(threshold({ value: "p50(x)" })), "when.value", /count\(\), rate\(\)/],
    ["for and windows", rule(threshold({}), { for: "5m", windows: { true: 2, of: 3 } }), "for", /not both/],
    ["more true than windows", rule(threshold({}), { windows: { true: 4, of: 3 } }), "windows", /more than of/],
    ["for of a match", rule({ type: "match", query: "x" }, { for: "5m" }), "for", /at once/],
    ["a runbook that is no address", rule(threshold({}), { runbook: "javascript:x" }), "runbook", /http/],
    ["itself", rule(threshold({}), { depends_on: ["checkout-errors"] }), "depends_on", /itself/],
    ["an unknown kind", { ...rule(threshold({})), when: { type: "magic" } }, "when.type", /match, threshold/],
  ])("%s", (_, input, field, message) => {
    const read = readRule(input);
    expect("problems" in read && read.problems).toEqual([{ field, message: expect.stringMatching(message) }]);
  });
});
