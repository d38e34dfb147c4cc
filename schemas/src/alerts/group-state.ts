/** What is known of one group of a rule, what its past says of its window by the rule's kind, and when it is forgotten. */
import type { Condition } from "./condition.ts";
import { emptyMeasure, groupKey, type Measure } from "./measure.ts";
import { spanMs } from "./span.ts";
import { anomaly, bounded, change, learned, ratio, type Usual, type Verdict, valueIn } from "./verdict.ts";

export type GroupStatus = "ok" | "pending" | "firing";

export interface GroupState {
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

/** Groups that a rule remembers; those that were seen longest ago are forgotten first. */
const maxGroups = 10_000;
const hour = 3_600_000;

export const newGroup = (): GroupState => ({
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

interface Moment {
  readonly window: number;
  readonly every: number;
  readonly end: number;
  readonly first: number;
  readonly effectiveFrom: number;
  readonly key: string;
}

/** Also learns from the window, for those kinds that remember. */
export const judgeGroup = (
  when: Exclude<Condition, { type: "match" }>,
  group: GroupState,
  sum: Measure,
  at: Moment,
): Verdict => {
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

export const isForgotten = (when: Condition, group: GroupState, begin: number): boolean =>
  when.type === "new_pattern" && group.lastSeen < begin - spanMs(when.remember);

/** Nothing about it differs from a group that was never seen. */
export const isIdle = (when: Condition, group: GroupState, { end, key }: Pick<Moment, "end" | "key">): boolean => {
  if (group.status !== "ok" || group.panes.length > 0 || group.history.includes("1")) return false;
  switch (when.type) {
    case "absence":
      return group.lastSeen < 0 || group.lastSeen <= end - spanMs(when.forget);
    case "new_pattern":
      return group.lastSeen < end - spanMs(when.remember);
    case "change":
      return !(group.values ?? []).some((value) => value !== null && value !== 0);
    case "anomaly":
      // All events together are a group from the first: that there are none is usual, and must be known for the day they come.
      return key !== groupKey([]) && group.lastSeen < end - 14 * 24 * hour;
    default:
      return true;
  }
};

/** Those that were seen longest ago, where there are too many. */
export const forgetOldest = (groups: Record<string, GroupState>): void => {
  const keys = Object.keys(groups);
  if (keys.length <= maxGroups) return;
  const quiet = keys.filter((key) => groups[key]?.status === "ok");
  const age = (key: string): number => groups[key]?.lastSeen ?? 0;
  quiet.sort((a, b) => age(a) - age(b) || (a < b ? -1 : 1));
  for (const key of quiet.slice(0, keys.length - maxGroups)) delete groups[key];
};
