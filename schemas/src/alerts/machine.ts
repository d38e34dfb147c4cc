/**
 * A rule's states, stepped through panes of event time in order, each once and complete. Pure: the same rule version over
 * the same panes makes the same changes, on whichever process, however often it was stopped in between; the state is
 * plain JSON. From this follows that a replay, a rebalance and a back-test agree, change by change.
 */
import { type Condition, everyOf } from "./condition.ts";
import { addMeasure, emptyMeasure, groupKey, groupValues, type Measure } from "./measure.ts";
import { firingOf, type Rule } from "./rule.ts";
import { spanMs } from "./span.ts";
import { type Answer, anomaly, bounded, change, learned, ratio, type Usual, type Verdict, valueIn } from "./verdict.ts";

export type GroupStatus = "ok" | "pending" | "firing";

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

interface GroupState {
  status: GroupStatus;
  /** One sign per window, the newest last: whether it was true. */
  history: string;
  /** Windows in a row that were well, and that could not be judged. */
  well: number;
  unknown: number;
  beganAt: number;
  sequence: number;
  /** Panes of the window that have something, by begin. */
  panes: [number, Measure][];
  /** Begin of the first and end of the last pane with an event. */
  firstSeen: number;
  lastSeen: number;
  /** Values of the windows before, the newest last, of a change. */
  values?: (number | null)[];
  /** By time of the season, of an anomaly. */
  usual?: Record<string, Usual>;
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
/** Groups that a rule remembers; those that were seen longest ago are forgotten first. */
const maxGroups = 10_000;
const hour = 3_600_000;

export const firstPane = (effectiveFrom: number, every: number): number => Math.ceil(effectiveFrom / every) * every;

export const newState = (rule: Rule, effectiveFrom: number): MachineState => {
  const { when } = rule;
  // A match counts from its first event on; others need whole windows.
  const every = when.type === "match" ? spanMs(when.window) : everyOf(when);
  const first = when.type === "match" ? Math.floor(effectiveFrom / every) * every : firstPane(effectiveFrom, every);
  return { next: first, first, groups: {} };
};

const newGroup = (): GroupState => ({
  status: "ok",
  history: "",
  well: 0,
  unknown: 0,
  beganAt: 0,
  sequence: 0,
  panes: [],
  firstSeen: -1,
  lastSeen: -1,
});

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
      const verdict = judge(when, group, sum, { window, every, end, first: state.first, effectiveFrom, key });
      if (whole) {
        observe?.(verdict);
        const changed = advance(rule, firing, group, verdict, { key, from: end - window, to: end });
        if (changed !== undefined) changes.push(changed);
      }
      if (isIdle(when, group, end)) delete state.groups[key];
    }
    forgetOldest(state);
    return changes;
  };
  return { state, step };
};

interface Moment {
  readonly window: number;
  readonly every: number;
  readonly end: number;
  readonly first: number;
  readonly effectiveFrom: number;
  readonly key: string;
}

/** Also learns from the window, for those kinds that remember. */
const judge = (when: Exclude<Condition, { type: "match" }>, group: GroupState, sum: Measure, at: Moment): Verdict => {
  switch (when.type) {
    case "threshold":
      return bounded(valueIn(when.value, sum, at.window), when, when.value);
    case "ratio":
      return ratio(when, sum);
    case "absence": {
      const isSilent = sum.count === 0;
      const isKnown = at.key === groupKey([]) || (group.lastSeen >= 0 && group.lastSeen > at.end - spanMs(when.forget));
      if (!isKnown) return { answer: "none", value: 0, threshold: 1, reason: `not seen for ${when.forget}, forgotten` };
      return isSilent
        ? { answer: "true", value: 0, threshold: 1, reason: `no event in ${when.window}` }
        : { answer: "false", value: sum.count, threshold: 1, reason: `${sum.count} events` };
    }
    case "new_pattern": {
      const isNew = sum.count > 0 && group.firstSeen >= at.end - at.window;
      const isLearning = group.firstSeen < at.effectiveFrom + spanMs(when.learn);
      return isNew && !isLearning
        ? { answer: "true", value: sum.count, threshold: 0, reason: `not seen for ${when.remember}` }
        : { answer: "false", value: sum.count, threshold: 0, reason: "known" };
    }
    case "change": {
      const value = valueIn(when.value, sum, at.window);
      const back = spanMs(when.before) / at.every;
      const values = (group.values ??= []);
      // Before its first event a group had none, once the rule looked.
      const looked = at.end - at.window - spanMs(when.before) >= at.first;
      const before =
        values.length >= back
          ? values[values.length - back]
          : looked
            ? valueIn(when.value, emptyMeasure(), at.window)
            : undefined;
      values.push(value);
      if (values.length > back) values.shift();
      return change(when, value, before);
    }
    case "anomaly": {
      const value = valueIn(when.value, sum, at.window);
      const usual = (group.usual ??= {});
      const slot = slotOf(when.season, at.end - at.every);
      const verdict = anomaly(when, value, usual[slot]);
      if (value !== null && at.end - at.window >= at.first) usual[slot] = learned(usual[slot], value, when.learn);
      return verdict;
    }
  }
};

/** Hours, in UTC: finer ones would take too long to be learned. */
const slotOf = (season: "none" | "day" | "week", at: number): string =>
  season === "none" ? "0" : String(Math.floor(at / hour) % (season === "day" ? 24 : 168));

const isForgotten = (when: Condition, group: GroupState, begin: number): boolean =>
  when.type === "new_pattern" && group.lastSeen < begin - spanMs(when.remember);

/** Nothing about it differs from a group that was never seen. */
const isIdle = (when: Condition, group: GroupState, end: number): boolean => {
  if (group.status !== "ok" || group.panes.length > 0 || group.history.includes("1")) return false;
  switch (when.type) {
    case "absence":
      return group.lastSeen < 0 || group.lastSeen <= end - spanMs(when.forget);
    case "new_pattern":
      return group.lastSeen < end - spanMs(when.remember);
    case "change":
      return !(group.values ?? []).some((value) => value !== null && value !== 0);
    case "anomaly":
      return group.lastSeen < end - 14 * 24 * hour;
    default:
      return true;
  }
};

const forgetOldest = (state: MachineState): void => {
  const keys = Object.keys(state.groups);
  if (keys.length <= maxGroups) return;
  const quiet = keys.filter((key) => state.groups[key]?.status === "ok");
  const age = (key: string): number => state.groups[key]?.lastSeen ?? 0;
  quiet.sort((a, b) => age(a) - age(b) || (a < b ? -1 : 1));
  for (const key of quiet.slice(0, keys.length - maxGroups)) delete state.groups[key];
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
