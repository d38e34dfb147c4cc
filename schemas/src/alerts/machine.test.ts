import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  type Change,
  createMachine,
  emptyMeasure,
  groupKey,
  type MachineState,
  type Measure,
  newState,
  type Rule,
  type RuleInput,
  readRule,
  reviveState,
} from "./index.ts";

const rule = (when: RuleInput["when"], more: Partial<RuleInput> = {}): Rule => {
  const read = readRule({ id: "r", name: "R", when, ...more });
  if ("problems" in read) throw new Error(JSON.stringify(read.problems));
  return read.rule;
};
const measure = (count: number, more: Partial<Measure> = {}): Measure => ({ ...emptyMeasure(), count, ...more });

/** Steps through panes, each a count of the one group; the states it went to, with the number of the pane. */
const walk = (of: Rule, panes: readonly (number | Record<string, Measure>)[], from = 0): string[] => {
  const machine = createMachine(of, from);
  return panes.flatMap((pane, n) => {
    const groups = typeof pane === "number" ? (pane === 0 ? {} : { [groupKey([])]: measure(pane) }) : pane;
    return machine.step(new Map(Object.entries(groups))).map((one) => said(one, n));
  });
};
const said = ({ group, from, to }: Change, n: number): string =>
  `${n}${group.map((one) => ` ${one}`).join("")}: ${from} > ${to}`;
const errors = (more: Record<string, unknown> = {}) =>
  ({ type: "threshold", query: "x", window: "10s", every: "10s", above: 5, ...more }) as RuleInput["when"];

describe("threshold", () => {
  test("fires above, is resolved below its other bound, stays between", () => {
    expect(walk(rule(errors({ resolve: 2 })), [5, 6, 4, 3, 2, 6])).toEqual([
      "1: ok > firing",
      "4: firing > resolved",
      "5: ok > firing",
    ]);
    expect(walk(rule(errors({ above: undefined, below: 2 })), [3, 0, 3])).toEqual([
      "1: ok > firing",
      "2: firing > resolved",
    ]);
  });

  test("is pending until so many of the last windows are true", () => {
    const of = rule(errors(), { windows: { true: 2, of: 3 } });
    expect(walk(of, [6, 0, 0, 0, 6, 0, 6])).toEqual([
      "0: ok > pending",
      "3: pending > ok",
      "4: ok > pending",
      "6: pending > firing",
    ]);
    expect(walk(rule(errors(), { for: "30s" }), [6, 6, 6])).toEqual(["0: ok > pending", "2: pending > firing"]);
  });

  test("is resolved after so many windows in a row", () => {
    expect(walk(rule(errors(), { resolve_after: 2 }), [6, 0, 6, 0, 0])).toEqual([
      "0: ok > firing",
      "4: firing > resolved",
    ]);
  });

  test("windows overlap, and the first one is whole", () => {
    expect(walk(rule(errors({ window: "30s" })), [6, 0, 0, 0])).toEqual(["2: ok > firing", "3: firing > resolved"]);
  });

  test("each group has a state of its own", () => {
    const of = rule(errors({ by: ["host"] }));
    const [a, b] = [groupKey(["a"]), groupKey(["b"])];
    expect(walk(of, [{ [b]: measure(6), [a]: measure(6) }, { [a]: measure(6) }])).toEqual([
      "0 a: ok > firing",
      "0 b: ok > firing",
      "1 b: firing > resolved",
    ]);
  });

  test("an average without a number ends as no data", () => {
    const of = rule(errors({ value: "avg(ms)" }));
    const lone = groupKey([]);
    expect(walk(of, [{ [lone]: measure(1, { sum: 9, numbers: 1, min: 9, max: 9 }) }, { [lone]: measure(3) }])).toEqual([
      "0: ok > firing",
      "1: firing > nodata",
    ]);
  });
});

test("a ratio needs enough to compare with", () => {
  const of = rule({ type: "ratio", query: "a", of: "b", window: "10s", every: "10s", above: 0.5, at_least: 10 });
  const lone = groupKey([]);
  const pane = (count: number, other: number) => ({ [lone]: measure(count, { other }) });
  expect(walk(of, [pane(9, 9), pane(6, 10), pane(1, 100)])).toEqual(["1: ok > firing", "2: firing > resolved"]);
});

describe("absence", () => {
  const absent = (more: Record<string, unknown> = {}) =>
    rule({ type: "absence", query: "x", window: "10s", every: "10s", forget: "1m", ...more } as RuleInput["when"]);
  test("without groups silence alone is enough", () => {
    expect(walk(absent(), [1, 0, 2])).toEqual(["1: ok > firing", "2: firing > resolved"]);
  });
  test("a group is missed once it was seen, and forgotten in the end", () => {
    const [a, b] = [groupKey(["a"]), groupKey(["b"])];
    const both = { [a]: measure(1), [b]: measure(1) };
    const alone = { [a]: measure(1) };
    expect(walk(absent({ by: ["host"] }), [{}, alone, both, alone, alone, both])).toEqual([
      "3 b: ok > firing",
      "5 b: firing > resolved",
    ]);
    expect(walk(absent({ by: ["host"] }), [both, alone, alone, alone, alone, alone, alone, alone])).toEqual([
      "1 b: ok > firing",
      "6 b: firing > nodata",
    ]);
  });
});

test("a change is against the same window before, once there was one", () => {
  const of = rule({
    type: "change",
    query: "x",
    window: "10s",
    every: "10s",
    before: "1m",
    up: 50,
    down: 50,
  } as RuleInput["when"]);
  const usual = [100, 100, 100, 100, 100, 100];
  expect(walk(of, [...usual, 140, 160, 30, 100])).toEqual(["7: ok > firing", "9: firing > resolved"]);
  // From nothing.
  expect(walk(of, [0, 0, 0, 0, 0, 0, 0, 30])).toEqual(["7: ok > firing"]);
});

test("a new pattern is told once it has been learned what is usual, and again when it was forgotten", () => {
  const of = rule({
    type: "new_pattern",
    query: "",
    window: "10m",
    every: "10m",
    learn: "20m",
    remember: "1h",
  } as RuleInput["when"]);
  const [old, fresh] = [{ [groupKey(["old"])]: measure(1) }, { [groupKey(["fresh"])]: measure(1) }];
  const both = { ...old, ...fresh };
  expect(walk(of, [old, old, both, both, fresh])).toEqual(["2 fresh: ok > firing", "3 fresh: firing > resolved"]);
  expect(walk(of, [old, {}, {}, {}, {}, {}, {}, {}, old])).toEqual(["8 old: ok > firing"]);
});

test("an anomaly is far from what is usual at its hour", () => {
  const of = rule({
    type: "anomaly",
    query: "x",
    window: "10m",
    every: "10m",
    learn: 10,
    season: "none",
  } as RuleInput["when"]);
  const usual = [100, 104, 96, 101, 99, 103, 97, 100, 102, 98, 100, 101];
  expect(walk(of, [...usual, 180, 100, 20])).toEqual(["12: ok > firing", "13: firing > resolved", "14: ok > firing"]);
});

test("an anomaly learns that nothing is usual, and does not forget it in a quiet month", () => {
  const of = rule({
    ...{ type: "anomaly", query: "x", window: "1d", every: "1d", learn: 3, at_least: 5, season: "none" },
  } as RuleInput["when"]);
  const begun = Date.UTC(2026, 0, 1);
  expect(walk(of, [0, 0, 0, 60, 0], begun)).toEqual(["3: ok > firing", "4: firing > resolved"]);
  expect(walk(of, [1, 0, 0, ...Array<number>(30).fill(0), 60], begun)).toEqual(["33: ok > firing"]);
  // A group that comes into being has no past to differ from.
  const grouped = rule({
    ...{ type: "anomaly", query: "x", by: ["g"], window: "1d", every: "1d", learn: 3, at_least: 5, season: "none" },
  } as RuleInput["when"]);
  expect(walk(grouped, [{}, {}, {}, {}, { [groupKey(["late"])]: measure(60) }], begun)).toEqual([]);
});

test("an incident of a match ends with its window, and says how many there were", () => {
  const machine = createMachine(rule({ type: "match", query: "x", window: "1m" }), 90_000);
  expect(machine.state.next).toBe(60_000);
  expect(machine.step(new Map([[groupKey([]), measure(3)]]))).toMatchObject([
    { to: "resolved", value: 3, beganAt: 60_000 },
  ]);
  expect(machine.step(new Map())).toEqual([]);
});

// The law: what a rule says depends on its panes alone. Not on when it was asked, or how often it was put away meanwhile.
const anyRule = fc.oneof(
  fc
    .record({
      above: fc.integer({ min: 0, max: 6 }),
      n: fc.integer({ min: 1, max: 3 }),
      more: fc.integer({ min: 0, max: 2 }),
    })
    .map(({ above, n, more }) =>
      rule(errors({ above, by: ["g"], window: "30s" }), { windows: { true: n, of: n + more } }),
    ),
  fc.constant(
    rule({ type: "absence", query: "x", by: ["g"], window: "20s", every: "10s", forget: "1m" } as RuleInput["when"]),
  ),
  fc.constant(rule(errors({ value: "avg(ms)", by: ["g"], resolve: 1 }), { resolve_after: 2 })),
  fc.constant(
    rule({
      type: "ratio",
      query: "x",
      of: "y",
      by: ["g"],
      window: "10s",
      every: "10s",
      above: 0.4,
      at_least: 2,
    } as RuleInput["when"]),
  ),
  fc.constant(
    rule({
      type: "change",
      query: "x",
      by: ["g"],
      window: "10s",
      every: "10s",
      before: "1m",
      up: 20,
      at_least: 1,
    } as RuleInput["when"]),
  ),
  fc.constant(
    rule({
      type: "new_pattern",
      query: "x",
      window: "10s",
      every: "10s",
      learn: "30s",
      remember: "1h",
    } as RuleInput["when"]),
  ),
  fc.constant(
    rule({
      type: "anomaly",
      query: "x",
      by: ["g"],
      window: "10s",
      every: "10s",
      at_least: 1,
      deviations: 1,
    } as RuleInput["when"]),
  ),
);
const anyPane = fc.dictionary(
  fc.constantFrom("a", "b", "c").map((name) => groupKey([name])),
  fc
    .record({
      count: fc.integer({ min: 1, max: 9 }),
      other: fc.integer({ min: 0, max: 9 }),
      sum: fc.double({ min: -10, max: 10, noNaN: true }),
    })
    .map(({ count, other, sum }) =>
      measure(count, { other, sum, numbers: count, min: sum, max: sum, event: "1-2-3", line: "{}" }),
    ),
  { noNullPrototype: true },
);

test("a machine that is put away and taken up again at any time makes the same changes", () => {
  let changes = 0;
  fc.assert(
    fc.property(anyRule, fc.array(fc.tuple(anyPane, fc.boolean()), { minLength: 5, maxLength: 40 }), (of, panes) => {
      const straight = createMachine(of, 0);
      let broken = createMachine(of, 0);
      for (const [pane, isBroken] of panes) {
        // Groups come in any order.
        const expected = straight.step(new Map(Object.entries(pane)));
        if (isBroken)
          broken = createMachine(of, 0, reviveState(JSON.parse(JSON.stringify(broken.state)) as MachineState));
        expect(broken.step(new Map(Object.entries(pane).reverse()))).toEqual(expected);
        changes += expected.length;
      }
    }),
  );
  expect(changes).toBeGreaterThan(100);
});

test("changes of a group follow one another, and an incident begins, goes on and ends", () => {
  fc.assert(
    fc.property(anyRule, fc.array(anyPane, { minLength: 5, maxLength: 40 }), (of, panes) => {
      const machine = createMachine(of, 0, newState(of, 0));
      const states = new Map<string, { status: string; sequence: number; beganAt: number }>();
      for (const pane of panes)
        for (const one of machine.step(new Map(Object.entries(pane)))) {
          const key = groupKey(one.group);
          const before = states.get(key) ?? { status: "ok", sequence: -1, beganAt: -1 };
          expect(one.from).toBe(before.status);
          expect(one.sequence).toBe(before.status === "ok" ? 0 : before.sequence + 1);
          expect(one.beganAt).toBe(before.status === "ok" ? one.windowTo : before.beganAt);
          const status = one.to === "resolved" || one.to === "nodata" ? "ok" : one.to;
          states.set(key, { status, sequence: one.sequence, beganAt: one.beganAt });
        }
    }),
  );
});
