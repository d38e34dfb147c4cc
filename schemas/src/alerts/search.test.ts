import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { parseQuery, type Query } from "../query/index.ts";
import { aroundWindow, groupQuery } from "./index.ts";
import { otherGroups } from "./measure.ts";

test("an incident's search is its rule's query for its group alone", () => {
  expect(groupQuery("level:error OR panic", { service: "shop", "http.route": "/a b" })).toBe(
    '(level:error OR panic) "service":"shop" "http.route":"/a b"',
  );
  expect(groupQuery(" ", { service: "shop" })).toBe('"service":"shop"');
  expect(groupQuery("panic", {})).toBe("panic");
  expect(groupQuery("panic", { pattern: "user <num>", host: otherGroups })).toBe("panic");
  expect(groupQuery("", { host: "" })).toBe('(NOT "host":* OR "host":"")');
});

test("whatever a group is called and has, the search reads as that and no more", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (value) => {
      const read = parseQuery(groupQuery("a OR b", { "user.id": value }), { now: 0 });
      const { parts } = read as unknown as { parts: readonly Query[] };
      expect(parts.at(-1)).toEqual({ type: "equals", field: { kind: "attribute", path: "user.id" }, value });
    }),
  );
});

test("a match is a moment, so what lies around it is shown", () => {
  expect(aroundWindow({ from: 100_000, to: 100_000 })).toEqual({ from: 40_000, to: 160_000 });
  expect(aroundWindow({ from: 100_000, to: 400_000 })).toEqual({ from: 100_000, to: 460_000 });
});
