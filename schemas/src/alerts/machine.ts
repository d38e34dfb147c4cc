/**
 * A rule's states, stepped through panes of event time in order, each once and complete. Pure: the same rule version over
 * the same panes makes the same changes, on whichever process, however often it was stopped in between; the state is
 * plain JSON. From this follows that a replay, a rebalance and a back-test agree, change by change.
 */
import { everyOf } from "./condition.ts";
import {
  forgetOldest,
  type GroupState,
  type GroupStatus,
  isForgotten,
  isIdle,
  judgeGroup,
  newGroup,
} from "./group-state.ts";
import { addMeasure, emptyMeasure, groupKey, groupValues, type Measure } from "./measure.ts";
import { firingOf, type Rule } from "./rule.ts";
import { spanMs } from "./span.ts";
import type { Answer, Verdict } from "./verdict.ts";

/** One change of a group's state. */
export interface Change {
  readonly group: string[];
  readonly from: GroupStatus;
  readonly to: "ok" | "pending" | "firing" | "resolved" | "nodata";
  readonly windowFrom: number;
  readonly windowTo: number;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly reason: string;
  /** End of the window that began the incident. */
  readonly beganAt: number;
  readonly sequence: number;
  readonly events: string[];
  readonly lines: string[];
}

export interface MachineState {
  /** Begin of the next pane. */
  next: number;
  first: number;
  groups: Record<string, GroupState>;
}

export type PaneMeasures = ReadonlyMap<string, Measure>;

export interface Machine {
  readonly state: MachineState;
  /** Takes the pane that begins at `state.next`; gives the changes at its end, by group. */
  step(pane: PaneMeasures): Change[];
}

const maxEvidence = 10;

export const firstPane = (effectiveFrom: number, every: number): number => Math.ceil(effectiveFrom / every) * every;

export const newState = (rule: Rule, effectiveFrom: number): MachineState => {
  const { when } = rule;
  // A match counts from its first event on; others need whole windows.
  const every = when.type === "match" ? spanMs(when.window) : everyOf(when);
  const first = when.type === "match" ? Math.floor(effectiveFrom / every) * every : firstPane(effectiveFrom, every);
  return { next: first, first, groups: {} };
};

/** `observe` sees each whole window's verdict. */
export const createMachine = (
  rule: Rule,
  effectiveFrom: number,
  state = newState(rule, effectiveFrom),
  observe?: (verdict: Verdict) => void,
): Machine => {
  const { when } = rule;
  if (when.type === "match") return matchMachine(spanMs(when.window), state);
  const every = everyOf(when);
  const window = spanMs(when.window);
  const firing = firingOf(rule);
  const alone = !("by" in when) || when.by.length === 0;
  const lone = groupKey([]);

  /** Groups in a fixed order, whatever order they came in. */
  const groupsNow = (pane: PaneMeasures): string[] => {
    const keys = new Set([...Object.keys(state.groups), ...pane.keys()]);
    if (alone && when.type !== "new_pattern") keys.add(lone);
    return [...keys].sort();
  };

  const step = (pane: PaneMeasures): Change[] => {
    const begin = state.next;
    const end = begin + every;
    state.next = end;
    const whole = end - window >= state.first;
    const changes: Change[] = [];
    for (const key of groupsNow(pane)) {
      const group = (state.groups[key] ??= newGroup());
      const measure = pane.get(key);
      while ((group.panes[0]?.[0] ?? end) < end - window) group.panes.shift();
      if (measure !== undefined) {
        group.panes.push([begin, measure]);
        // Learned from anew, a pattern that was forgotten is new again.
        if (group.firstSeen < 0 || isForgotten(when, group, begin)) group.firstSeen = begin;
        group.lastSeen = end;
      }
      const sum = emptyMeasure();
      for (const [, part] of group.panes) addMeasure(sum, part);
      const verdict = judgeGroup(when, group, sum, { window, every, end, first: state.first, effectiveFrom, key });
      if (whole) {
        observe?.(verdict);
        const changed = advance(rule, firing, group, verdict, { key, from: end - window, to: end });
        if (changed !== undefined) changes.push(changed);
      }
      if (isIdle(when, group, { end, key })) delete state.groups[key];
    }
    forgetOldest(state.groups);
    return changes;
  };
  return { state, step };
};

interface Span {
  readonly key: string;
  readonly from: number;
  readonly to: number;
}

const advance = (
  rule: Rule,
  firing: { readonly true: number; readonly of: number },
  group: GroupState,
  verdict: Verdict,
  span: Span,
): Change | undefined => {
  count(group, verdict.answer, firing.of);
  const trues = [...group.history].filter((sign) => sign === "1").length;
  const become = (to: Change["to"]): Change => {
    const from = group.status;
    if (from === "ok") {
      group.beganAt = span.to;
      group.sequence = 0;
    } else group.sequence++;
    group.status = to === "pending" || to === "firing" ? to : "ok";
    const evidence = group.panes.filter(([, { event }]) => event !== "").slice(0, maxEvidence);
    return {
      group: groupValues(span.key),
      from,
      to,
      windowFrom: span.from,
      windowTo: span.to,
      value: verdict.value,
      threshold: verdict.threshold,
      reason: verdict.reason,
      beganAt: group.beganAt,
      sequence: group.sequence,
      events: evidence.map(([, { event }]) => event),
      lines: evidence.map(([, { line }]) => line),
    };
  };
  if (group.status !== "firing") {
    if (trues >= firing.true) return become("firing");
    if (trues > 0) return group.status === "ok" ? become("pending") : undefined;
    return group.status === "pending" ? become("ok") : undefined;
  }
  const changed =
    group.well >= rule.resolve_after
      ? become("resolved")
      : group.unknown >= rule.resolve_after
        ? become("nodata")
        : undefined;
  // What led to this incident shall not begin the next.
  if (changed !== undefined) group.history = "";
  return changed;
};

const count = (group: GroupState, answer: Answer, of: number): void => {
  group.history = (group.history + (answer === "true" ? "1" : "0")).slice(-of);
  group.well = answer === "false" ? group.well + 1 : 0;
  group.unknown = answer === "none" ? group.unknown + 1 : 0;
};

/** Each event is told by itself; what is left to say is that the window of an incident has passed, and how many there were. */
const matchMachine = (window: number, state: MachineState): Machine => ({
  state,
  step: (pane) => {
    const begin = state.next;
    state.next = begin + window;
    return [...pane.keys()].sort().flatMap((key): Change[] => {
      const measure = pane.get(key);
      if (measure === undefined || measure.count === 0) return [];
      return [
        {
          group: groupValues(key),
          from: "firing",
          to: "resolved",
          windowFrom: begin,
          windowTo: begin + window,
          value: measure.count,
          threshold: 0,
          reason: `${measure.count} events in all`,
          beganAt: begin,
          sequence: 1,
          events: measure.event === "" ? [] : [measure.event],
          lines: measure.line === "" ? [] : [measure.line],
        },
      ];
    });
  },
});

/** As it was before it went through JSON, which knows no infinity. */
export const reviveState = (state: MachineState): MachineState => {
  for (const group of Object.values(state.groups)) for (const [, measure] of group.panes) reviveMeasure(measure);
  return state;
};

export const reviveMeasure = (measure: Measure): Measure => {
  measure.min ??= Number.POSITIVE_INFINITY;
  measure.max ??= Number.NEGATIVE_INFINITY;
  return measure;
};
