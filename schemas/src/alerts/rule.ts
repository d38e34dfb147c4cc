/**
 * An alert rule, as people write it in JSON, in YAML and to the API. What is left out has a default, so what is stored is
 * complete. Wrong fields are named with their limit and what to write instead.
 */
import { z } from "zod";
import { conditionShape, everyOf } from "./condition.ts";
import { labelsShape } from "./labels.ts";
import { days } from "./local-time.ts";
import { span, spanMs } from "./span.ts";

export const severities = ["info", "warning", "error", "critical"] as const;
export type Severity = (typeof severities)[number];

/** A rule's name in git, in addresses and in `depends_on`. */
export const ruleId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, "must be 1 to 63 of a-z, 0-9, - and _, and begin with a letter or digit");

const timeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, "must be a time such as 08:30");

const isTimezone = (name: string): boolean => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).format(0) !== "";
  } catch {
    return false;
  }
};

/** When people are told. The rule is judged always, so what a schedule held back can be seen. */
export const scheduleShape = z.strictObject({
  timezone: z.string().max(64).refine(isTimezone, "must be a time zone such as Europe/Berlin").default("UTC"),
  days: z
    .array(z.enum(days, `must be some of ${days.join(", ")}`))
    .min(1)
    .max(7)
    .default([...days]),
  from: timeOfDay.default("00:00"),
  to: timeOfDay.default("24:00"),
});

const text = (max: number) => z.string().max(max, `must have ${max} characters at most`);

const shape = z.strictObject({
  id: ruleId,
  name: text(200).min(1, "must not be empty"),
  description: text(4_000).default(""),
  enabled: z.boolean().default(true),
  when: conditionShape,
  /** It fires when so many of the last so many windows are true. */
  windows: z
    .strictObject({ true: z.int().min(1).max(60).default(1), of: z.int().min(1).max(60).default(1) })
    .optional(),
  /** The same in time: it fires when it has been true for so long. */
  for: span("0s", "1d").optional(),
  /** It is resolved when so many windows in a row are well. */
  resolve_after: z.int().min(1).max(1_440).default(1),
  /** How long after a window's end its events may still be received. Later ones are not counted. */
  lateness: span("0s", "1h").default("500ms"),
  /** How long a window may wait to be complete before it is marked incomplete. */
  grace: span("1s", "1h").default("30s"),
  severity: z.enum(severities, `must be one of ${severities.join(", ")}`).default("warning"),
  labels: labelsShape.default({}),
  runbook: z
    .string()
    .max(2_000)
    .refine((link) => URL.canParse(link) && /^https?:$/.test(new URL(link).protocol), "must be an http(s) address")
    .optional(),
  owners: z.array(text(200).min(1)).max(20).default([]),
  schedule: scheduleShape.optional(),
  /** Ids of destinations; with none the organization's default ones are told. */
  notify: z.array(z.string().min(1).max(100)).max(20).default([]),
  /** People are told again while it fires, so often. */
  renotify: span("1m", "4w").optional(),
  /** While one of these fires for the same values of shared labels, this rule's incidents are not told. */
  depends_on: z.array(ruleId).max(20).default([]),
});

export const ruleShape = shape.superRefine((rule, context) => {
  const wrong = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
  const { when, windows } = rule;
  if (windows !== undefined && rule.for !== undefined) wrong("for", "give for or windows, not both");
  if (windows !== undefined && windows.true > windows.of) wrong("windows", "true must not be more than of");
  if (when.type === "match") {
    for (const field of ["windows", "for"] as const)
      if (rule[field] !== undefined) wrong(field, "a match is told at once: leave it out");
  } else if (rule.for !== undefined && spanMs(rule.for) / everyOf(when) > 60) {
    wrong("for", "may be 60 windows at most: write a longer every");
  }
  if (rule.depends_on.includes(rule.id)) wrong("depends_on", "a rule cannot depend on itself");
});

/** As it is written: what has a default may be left out. */
export type RuleInput = z.input<typeof ruleShape>;
export type Rule = z.output<typeof ruleShape>;

export interface RuleProblem {
  /** Such as `when.every`. */
  readonly field: string;
  readonly message: string;
}

export type ReadRule = { readonly rule: Rule } | { readonly problems: readonly RuleProblem[] };

/** All that is wrong is said at once. */
export const readRule = (input: unknown): ReadRule => {
  const parsed = ruleShape.safeParse(input);
  if (parsed.success) return { rule: parsed.data };
  return { problems: parsed.error.issues.map(({ path, message }) => ({ field: path.join("."), message })) };
};

/** How many of the last how many windows must be true. */
export const firingOf = ({ when, windows, for: span_ }: Rule): { readonly true: number; readonly of: number } => {
  if (windows !== undefined) return windows;
  if (span_ === undefined || when.type === "match") return { true: 1, of: 1 };
  const count = Math.max(1, Math.ceil(spanMs(span_) / everyOf(when)));
  return { true: count, of: count };
};
