/**
 * A rule over history, by the very parts that judge it live: the same counter, the same machine. So what it says of a time
 * in which the rule was in force is what was said then, transition by transition.
 */
import { hash } from "node:crypto";
import type { PredicateContext } from "../query/predicate.ts";
import type { AlertTransition } from "../records.ts";
import { createCounter, lineOf, type Panes, type Placed, paneSpan } from "./count.ts";
import type { RuleVersion } from "./identity.ts";
import { mergeLanes } from "./lanes.ts";
import { createMachine } from "./machine.ts";
import type { Measure } from "./measure.ts";
import type { Rule } from "./rule.ts";
import { spanMs } from "./span.ts";
import { changeTransition, matchTransition } from "./transition.ts";
import type { Verdict } from "./verdict.ts";

export interface BacktestEvent extends Placed {
  /** Raw topic and partition. Each lane's events come in the lane's order. */
  readonly lane: string;
}

export interface Backtest {
  add(event: BacktestEvent): void;
  /** What the rule would have said, or said with another threshold. By time. */
  transitions(rule?: Rule): AlertTransition[];
  /** What was measured of each group's windows. */
  values(): number[];
}

/** From `from` on the rule is in force; windows that end, with their lateness, by `to` are judged. */
export const createBacktest = (
  version: RuleVersion,
  rule: Rule,
  { from, to }: { readonly from: number; readonly to: number },
  context: PredicateContext,
): Backtest => {
  const counter = createCounter(rule, from, context);
  const lanes = new Map<string, Panes>();
  const matched: AlertTransition[] = [];
  const every = paneSpan(rule);
  const lateness = spanMs(rule.lateness);

  const paneAt = (pane: number): Map<string, Measure> => {
    const groups = new Map<string, Record<string, Measure>>();
    for (const [lane, panes] of lanes)
      for (const [group, measure] of panes.get(pane) ?? []) {
        const parts = groups.get(group) ?? {};
        parts[lane] = measure;
        groups.set(group, parts);
      }
    return new Map([...groups].map(([group, parts]) => [group, mergeLanes(parts)]));
  };

  const walk = (of: Rule, observe?: (verdict: Verdict) => void): AlertTransition[] => {
    const machine = createMachine(of, from, undefined, observe);
    const changes: AlertTransition[] = [];
    while (machine.state.next + every + lateness <= to) {
      const judged = { at: machine.state.next + every + lateness, completeness: 1 };
      for (const change of machine.step(paneAt(machine.state.next)))
        changes.push(changeTransition(version, of, change, judged));
    }
    return changes;
  };

  return {
    add: ({ lane, ...placed }) => {
      let panes = lanes.get(lane);
      if (panes === undefined) lanes.set(lane, (panes = new Map()));
      const match = counter.add(panes, placed);
      if (match === undefined || placed.receivedAt >= to) return;
      const event = { ...match, line: lineOf(placed.event) };
      matched.push(matchTransition(version, rule, event, { at: placed.receivedAt, completeness: 1 }));
    },
    transitions: (of = rule) => [...matched, ...walk(of)].sort(byTime),
    values: () => {
      const values: number[] = [];
      walk(rule, ({ value }) => {
        if (value !== null) values.push(value);
      });
      return values;
    },
  };
};

const byTime = (a: AlertTransition, b: AlertTransition): number =>
  Number(a.window_to - b.window_to) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/** What must be the same wherever and whenever it is judged: everything but the clock and how people are told. */
export const sameOf = (one: AlertTransition): unknown[] => [
  one.id,
  one.incident,
  one.sequence,
  one.from_state,
  one.to_state,
  Number(one.window_from),
  Number(one.window_to),
  one.value,
  one.threshold,
  one.events,
  one.lines,
];

export const transitionsHash = (transitions: readonly AlertTransition[]): string =>
  hash("sha256", JSON.stringify([...transitions].sort(byTime).map(sameOf)), "hex");

const week = 604_800_000;

/**
 * The threshold nearest to what is usual with which the rule would have fired so often a week, at most; undefined for rules
 * without one, or when nothing was measured.
 */
export const suggestThreshold = (
  backtest: Backtest,
  rule: Rule,
  { from, to, perWeek }: { readonly from: number; readonly to: number; readonly perWeek: number },
): { threshold: number; firings: number } | undefined => {
  const { when } = rule;
  if (when.type !== "threshold" && when.type !== "ratio") return undefined;
  const side = when.above === undefined ? "below" : "above";
  const values = [...new Set(backtest.values())].sort((a, b) => (side === "above" ? a - b : b - a));
  const firingsAt = (threshold: number): number =>
    backtest
      .transitions({ ...rule, when: { ...when, [side]: threshold, resolve: undefined } })
      .filter(({ to_state: state }) => state === "firing").length;
  const most = (perWeek * (to - from)) / week;
  // The further off, the rarer; the first that is rare enough.
  let [low, high] = [0, values.length - 1];
  if (high < 0) return undefined;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (firingsAt(values[middle] ?? 0) <= most) high = middle;
    else low = middle + 1;
  }
  const threshold = values[low] ?? 0;
  return { threshold, firings: firingsAt(threshold) };
};
