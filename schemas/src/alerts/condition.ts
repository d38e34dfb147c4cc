/**
 * What a rule looks for. Every kind but `match` looks at windows of event time that end at whole multiples of `every`
 * since 1970. An event lies where its timestamp says, or at its receipt when it claims to be from after that.
 */
import { z } from "zod";
import { builtInFields, type Query } from "../query/ast.ts";
import { parseQuery } from "../query/parse.ts";
import { QueryError } from "../query/query-error.ts";
import { readSpan, span, spanMs } from "./span.ts";

export const conditionLimits = {
  groupFields: 4,
  /** Groups of one rule and pane in one partition; what comes beyond them is counted together. */
  groups: 1_000,
  /** Panes in a window. */
  panes: 1_440,
  /** Windows that are remembered to compare with. */
  remembered: 2_016,
} as const;

const speaksOfTime = (query: Query): boolean => {
  switch (query.type) {
    case "time":
      return true;
    case "and":
    case "or":
      return query.parts.some(speaksOfTime);
    case "not":
      return speaksOfTime(query.part);
    case "exists":
    case "equals":
    case "pattern":
    case "regex":
      return query.field.kind === "timestamp";
    default:
      return false;
  }
};

const query = z.string().superRefine((text, context) => {
  try {
    if (speaksOfTime(parseQuery(text, { now: 0 })))
      context.addIssue("speaks of timestamp: the window says which time, so leave it out");
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    context.addIssue(`${error.message} (column ${error.column}) ${error.suggestion}`.trim());
  }
});

const grouped: ReadonlySet<string> = new Set(["service", "host", "level", "source"]);

const groupField = z
  .string()
  .min(1)
  .max(200)
  .refine(
    (name) => grouped.has(name) || !(builtInFields as readonly string[]).includes(name),
    "must be service, host, level, source or an attribute: the other fields have too many values to group by",
  );

const by = z.array(groupField).max(conditionLimits.groupFields).default([]);

const aggregate = /^(?:count\(\)|rate\(\)|(sum|avg|min|max)\(([\w.@$:/-]{1,200})\))$/;

const value = z
  .string()
  .regex(aggregate, "must be count(), rate() (events a second), sum(x), avg(x), min(x) or max(x) of an attribute x")
  .default("count()");

const number = z.number().refine(Number.isFinite, "must be a number");

/** Windows of this length, one ending at each multiple of `every`. */
const windowed = {
  window: span("10s", "1w").default("5m"),
  every: span("10s", "1d").optional(),
};

/** When a value is too much or too little, and when it is well again. Between the two a state stays as it is. */
const bounds = {
  above: number.optional(),
  below: number.optional(),
  resolve: number.optional(),
};

const kinds = {
  /** Each event, at once. Those of one group and `window` are one incident, which ends when its window has passed. */
  match: z.strictObject({
    type: z.literal("match"),
    query,
    by,
    window: span("10s", "1d").default("5m"),
    /** Events of one group and window in one partition that are told one by one; the rest is counted. */
    limit: z.int().min(1).max(1_000).default(100),
  }),
  threshold: z.strictObject({ type: z.literal("threshold"), query, value, by, ...windowed, ...bounds }),
  /** Events of `query` per event of `of`. */
  ratio: z.strictObject({
    type: z.literal("ratio"),
    query,
    of: query,
    by,
    ...windowed,
    ...bounds,
    /** With fewer of `of` nothing is judged. */
    at_least: z.int().min(1).max(1e12).default(20),
  }),
  /** A group that was seen within `forget` and has no event in the window. Without `by` it is all events together. */
  absence: z.strictObject({
    type: z.literal("absence"),
    query,
    by,
    ...windowed,
    forget: span("1m", "4w").default("1d"),
  }),
  /** The value against the same window `before`: per cent more (`up`) or less (`down`). */
  change: z.strictObject({
    type: z.literal("change"),
    query,
    value,
    by,
    ...windowed,
    before: span("10s", "1w").default("1d"),
    up: z.number().positive().optional(),
    down: z.number().positive().max(100).optional(),
    /** With less on both sides nothing is judged. */
    at_least: z.number().min(0).default(20),
  }),
  /** A kind of message that has not been seen for `remember`. For `learn` after the rule began none is told. */
  new_pattern: z.strictObject({
    type: z.literal("new_pattern"),
    query,
    ...windowed,
    learn: span("0s", "4w").default("1d"),
    remember: span("1h", "4w").default("1w"),
  }),
  /** A value further from its usual one at this time of the season than so many usual deviations. */
  anomaly: z.strictObject({
    type: z.literal("anomaly"),
    query,
    value,
    by,
    ...windowed,
    season: z.enum(["none", "day", "week"], "must be none, day or week").default("day"),
    direction: z.enum(["both", "up", "down"], "must be both, up or down").default("both"),
    deviations: z.number().min(1).max(100).default(4),
    /** Values that a time of the season must have had before it is judged. */
    learn: z.int().min(2).max(1_000).default(3),
    /** A difference below this is none, however steady the value was. */
    at_least: z.number().min(0).default(10),
  }),
} as const;

const union = z.discriminatedUnion(
  "type",
  [kinds.match, kinds.threshold, kinds.ratio, kinds.absence, kinds.change, kinds.new_pattern, kinds.anomaly],
  `must be one of ${Object.keys(kinds).join(", ")}`,
);

export type Condition = z.output<typeof union>;
export type Windowed = Exclude<Condition, { type: "match" }>;
export type ConditionType = Condition["type"];

/** How often windows end: as said, else each minute, or each window when that is shorter. */
export const everyOf = ({ window, every }: Pick<Windowed, "window" | "every">): number =>
  every === undefined ? Math.min(spanMs(window), 60_000) : spanMs(every);

export const conditionShape = union.superRefine((condition, context) => {
  const wrong = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
  if (condition.type === "match") return;
  const [window, every] = [spanMs(condition.window), everyOf(condition)];
  // A span that is none has been named already.
  if (window === 0 || every === 0) return;
  if (every > window || window % every !== 0)
    wrong("every", `must divide the window: ${condition.window} is no multiple of it`);
  else if (window / every > conditionLimits.panes)
    wrong("every", `a window may have ${conditionLimits.panes} of them: write a longer one`);
  if (condition.type === "threshold" || condition.type === "ratio") {
    const { above, below, resolve } = condition;
    if ((above === undefined) === (below === undefined)) wrong("above", "give one of above and below");
    if (resolve !== undefined && above !== undefined && resolve > above)
      wrong("resolve", `must not be more than above, ${above}`);
    if (resolve !== undefined && below !== undefined && resolve < below)
      wrong("resolve", `must not be less than below, ${below}`);
  }
  if (condition.type === "change") {
    if (condition.up === undefined && condition.down === undefined) wrong("up", "give up, down or both");
    const before = readSpan(condition.before) ?? 0;
    if (before % every !== 0) wrong("before", "must be a multiple of every");
    else if (before / every > conditionLimits.remembered)
      wrong("before", `may be ${conditionLimits.remembered} times every at most: write a longer every`);
  }
});

/** An aggregate in its two parts; `path` is the attribute, "" for count and rate. */
export const readValue = (text: string): { name: "count" | "rate" | "sum" | "avg" | "min" | "max"; path: string } => {
  const [, name, path = ""] = aggregate.exec(text) ?? [];
  if (name === undefined) return { name: text === "rate()" ? "rate" : "count", path: "" };
  return { name: name as "sum", path };
};
