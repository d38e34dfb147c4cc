/** One window of one group: what was measured, and what that means. Pure arithmetic; memory is machine.ts'. */
import type { Condition } from "./condition.ts";
import { readValue } from "./condition.ts";
import type { Measure } from "./measure.ts";

/** `hold`: between two thresholds, a state stays. `none`: there was too little to judge. */
export type Answer = "true" | "false" | "hold" | "none";

export interface Verdict {
  readonly answer: Answer;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly reason: string;
}

/** The value of an aggregate over a window of `ms`; null when there was no number. */
export const valueIn = (text: string, measure: Measure, ms: number): number | null => {
  const { name } = readValue(text);
  switch (name) {
    case "count":
      return measure.count;
    case "rate":
      return measure.count / (ms / 1_000);
    case "sum":
      return measure.sum;
    case "avg":
      return measure.numbers === 0 ? null : measure.sum / measure.numbers;
    case "min":
      return measure.numbers === 0 ? null : measure.min;
    case "max":
      return measure.numbers === 0 ? null : measure.max;
  }
};

const rounded = (value: number): string => String(Number(value.toPrecision(6)));

export const bounded = (
  value: number | null,
  { above, below, resolve }: { above?: number | undefined; below?: number | undefined; resolve?: number | undefined },
  what: string,
): Verdict => {
  const threshold = above ?? below ?? null;
  if (value === null || threshold === null) return { answer: "none", value, threshold, reason: `${what} has no value` };
  const isTrue = above !== undefined ? value > above : value < threshold;
  const isWell = above !== undefined ? value <= (resolve ?? above) : value >= (resolve ?? threshold);
  const side = above !== undefined ? "above" : "below";
  return {
    answer: isTrue ? "true" : isWell ? "false" : "hold",
    value,
    threshold,
    reason: isTrue
      ? `${what} is ${rounded(value)}, ${side} ${rounded(threshold)}`
      : `${what} is ${rounded(value)}, not ${side} ${rounded(isWell ? (resolve ?? threshold) : threshold)}`,
  };
};

export const ratio = (when: Extract<Condition, { type: "ratio" }>, { count, other }: Measure): Verdict =>
  other < when.at_least
    ? {
        answer: "none",
        value: null,
        threshold: when.above ?? when.below ?? null,
        reason: `only ${other} events to compare with`,
      }
    : bounded(count / other, when, "the ratio");

export const change = (
  when: Extract<Condition, { type: "change" }>,
  value: number | null,
  before: number | null | undefined,
): Verdict => {
  const none = (reason: string): Verdict => ({ answer: "none", value: null, threshold: null, reason });
  if (before === undefined) return none(`nothing is known of ${when.before} before`);
  if (value === null || before === null) return none("there is no value to compare");
  if (Math.max(value, before) < when.at_least) return none(`both are below ${when.at_least}`);
  const percent = before === 0 ? Number.POSITIVE_INFINITY : ((value - before) / before) * 100;
  const said = `${rounded(value)} after ${rounded(before)} ${when.before} before`;
  const stored = Number.isFinite(percent) ? percent : null;
  if (when.up !== undefined && percent > when.up)
    return { answer: "true", value: stored, threshold: when.up, reason: `${said}: up by more than ${when.up} %` };
  if (when.down !== undefined && percent < -when.down)
    return {
      answer: "true",
      value: stored,
      threshold: -when.down,
      reason: `${said}: down by more than ${when.down} %`,
    };
  return { answer: "false", value: stored, threshold: when.up ?? -(when.down ?? 0), reason: said };
};

/** What is usual at one time of the season: mean and variance that forget slowly. */
export type Usual = [count: number, mean: number, variance: number];

/** After so many values each new one weighs one part in as many. */
const memory = 200;

export const anomaly = (
  when: Extract<Condition, { type: "anomaly" }>,
  value: number | null,
  usual: Usual | undefined,
): Verdict => {
  const [count, mean, variance] = usual ?? [0, 0, 0];
  if (value === null) return { answer: "none", value, threshold: null, reason: "there is no value" };
  if (count < when.learn)
    return {
      answer: "none",
      value,
      threshold: null,
      reason: `${count} values are known of this time, ${when.learn} are needed`,
    };
  const allowed = Math.max(when.deviations * Math.sqrt(variance), when.at_least);
  const difference = value - mean;
  const counts = when.direction === "both" ? Math.abs(difference) : when.direction === "up" ? difference : -difference;
  const said = `${rounded(value)}, usually ${rounded(mean)} ± ${rounded(allowed)}`;
  const threshold = difference < 0 ? mean - allowed : mean + allowed;
  return { answer: counts > allowed ? "true" : "false", value, threshold, reason: said };
};

/** What is usual after one more value. One that is far off moves it no further than the edge of the usual. */
export const learned = (usual: Usual | undefined, value: number, learn: number): Usual => {
  const [count, mean, variance] = usual ?? [0, 0, 0];
  const edge = 5 * Math.sqrt(variance) + Math.abs(mean) * 0.1 + 1;
  const taken = count < learn ? value : Math.min(mean + edge, Math.max(mean - edge, value));
  const share = 1 / Math.min(count + 1, memory);
  const difference = taken - mean;
  return [count + 1, mean + share * difference, (1 - share) * (variance + share * difference * difference)];
};
