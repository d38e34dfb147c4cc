/** What the pages of alerts compute, without a page. */
import { type Rule, readRule } from "@astralog/schemas/alerts/index";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { readMatchers } from "./matchers.ts";
import { finer, spansOf, type Transition } from "./rule-data.ts";
import {
  idOf,
  type Kind,
  kindNames,
  kinds,
  newDraft,
  readLabels,
  withCondition,
  withField,
  withKind,
} from "./rule-draft.ts";

const anyKind = fc.constantFrom(...kindNames);

test("whatever kinds were chosen before, what is left can be saved, with its query and its groups", () => {
  fc.assert(
    fc.property(fc.array(anyKind, { minLength: 1, maxLength: 6 }), (chosen) => {
      const begun = withCondition({ ...newDraft("panic"), id: "r", name: "R" }, "by", ["service"]);
      const draft = chosen.reduce(withKind, begun);
      const read = readRule(JSON.parse(JSON.stringify(draft)));
      expect(read).toMatchObject({ rule: { when: { type: chosen.at(-1), query: "panic" } } });
      if (!chosen.includes("new_pattern"))
        expect((read as { rule: Rule }).rule.when).toMatchObject({ by: ["service"] });
    }),
  );
});

test("each field that the form has is one of the rule's", () => {
  const given = { span: "1h", number: 5, value: "rate()", names: ["host"], choice: "" } as const;
  const fit: Partial<Record<string, unknown>> = { every: "10m", season: "week", direction: "up", before: "1d" };
  for (const kind of kindNames)
    for (const { name, form } of kinds[kind].fields) {
      const begun = withKind({ ...newDraft("x"), id: "r", name: "R" }, kind);
      const long = kind === "match" ? begun : withCondition(withCondition(begun, "window", "1h"), "every", "10m");
      const read = readRule(withCondition(long, name, fit[name] ?? given[form]));
      expect([kind, name, read]).toEqual([kind, name, { rule: expect.anything() }]);
    }
});

test("a match has no windows to wait for, and what is taken out has its default", () => {
  const waiting = { ...newDraft("x"), windows: { true: 2, of: 3 } };
  expect(withKind(waiting, "match")).not.toHaveProperty("windows");
  expect(withKind(waiting, "absence")).toHaveProperty("windows");
  expect(withField({ a: 1, b: 2 }, "a", undefined)).toEqual({ b: 2 });
  expect(kinds["threshold" satisfies Kind].bounds).toBe(true);
});

test("an id is made of a name, and fits", () => {
  expect(idOf("Checkout: errors (EU)!")).toBe("checkout-errors-eu");
  fc.assert(fc.property(fc.string({ unit: "binary" }), (name) => /^([a-z0-9][a-z0-9_-]{0,62})?$/.test(idOf(name))));
});

test("matchers and labels are read as they are written", () => {
  expect(readMatchers('service=checkout severity!=critical host=a|b zone!=x|y name="two words"')).toEqual([
    { label: "service", op: "=", values: ["checkout"] },
    { label: "severity", op: "!=", values: ["critical"] },
    { label: "host", op: "in", values: ["a", "b"] },
    { label: "zone", op: "not in", values: ["x", "y"] },
    { label: "name", op: "=", values: ["two words"] },
  ]);
  for (const text of ["", "  ", "service", "=x", "a=b c", '"a"=b']) expect(readMatchers(text)).toBeUndefined();
  expect(readLabels("team=payments tier=1")).toEqual({ team: "payments", tier: "1" });
  expect(readLabels("team")).toBeUndefined();
});

test("an incident lasts from its firing to its end; what fires still lasts to the end of the time", () => {
  const change = (incident: string, to: string, at: number): Transition => ({
    ...{ id: `${incident}${to}`, incident, group: {}, from: "", to, value: null, reason: to, lines: [] },
    ...{ window_from: new Date(at - 10).toISOString(), window_to: new Date(at).toISOString() },
  });
  const transitions = [
    ...[change("a", "pending", 10), change("a", "firing", 20), change("b", "pending", 20), change("a", "resolved", 50)],
    ...[change("b", "ok", 60), change("c", "firing", 70)],
  ];
  expect(spansOf({ transitions }, 100)).toMatchObject([
    { incident: "a", from: 20, to: 50, lasts: false, reason: "firing" },
    { incident: "c", from: 70, to: 100, lasts: true },
  ]);
});

test("a change of a condition is told by its fields, any other as it is", () => {
  const change = {
    field: "when",
    before: '{"above":5,"by":["service"]}',
    after: '{"above":2,"by":["service"],"below":1}',
  };
  expect(finer(change)).toEqual([
    { field: "when.above", before: "5", after: "2" },
    { field: "when.below", before: "", after: "1" },
  ]);
  for (const other of ['"critical"', "3", ""]) {
    const plain = { field: "severity", before: other, after: '"warning"' };
    expect(finer(plain)).toEqual([plain]);
  }
});
