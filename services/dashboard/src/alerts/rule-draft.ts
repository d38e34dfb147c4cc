/** A rule while it is written: what each kind of condition has, and what stays when another kind is chosen. */
import type { RuleInput } from "@astralog/schemas/alerts/rule";

export type Draft = RuleInput;
export type Kind = Draft["when"]["type"];

/** One field of a condition or of the rule itself; `name` is what JSON calls it. */
export interface FieldSpec {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly form: "span" | "number" | "value" | "names" | "choice";
  readonly choices?: readonly string[];
  /** Shown while the field is empty: what holds then. */
  readonly otherwise?: string;
}

interface KindSpec {
  readonly title: string;
  readonly about: string;
  /** Beside `query` and the bounds. */
  readonly fields: readonly FieldSpec[];
  readonly bounds: boolean;
  /** What a new one begins with. */
  readonly begins: Readonly<Record<string, unknown>>;
}

const by: FieldSpec = {
  name: "by",
  label: "For each",
  hint: "Up to four fields, with commas between: service, host, or attributes. Empty: all events together.",
  form: "names",
};
const value: FieldSpec = {
  name: "value",
  label: "Value",
  hint: "count(), rate() per second; sum, avg, min or max of an attribute",
  form: "value",
  otherwise: "count()",
};
const window: FieldSpec = { name: "window", label: "In windows of", form: "span", otherwise: "5m" };
const every: FieldSpec = {
  name: "every",
  label: "One ending each",
  hint: "Divides the window",
  form: "span",
  otherwise: "1m",
};
const atLeast = (hint: string, otherwise: string): FieldSpec => ({
  name: "at_least",
  label: "Only with at least",
  ...{ hint, form: "number", otherwise },
});

export const kinds: Readonly<Record<Kind, KindSpec>> = {
  match: {
    title: "Match",
    about: "Each event that matches, at once.",
    fields: [
      by,
      { ...window, label: "One incident for each" },
      {
        name: "limit",
        label: "Told one by one",
        hint: "of one group and window; the rest is counted",
        form: "number",
        otherwise: "100",
      },
    ],
    bounds: false,
    begins: {},
  },
  threshold: {
    title: "Threshold",
    about: "A count, a rate or a value of a window is too high or too low.",
    fields: [value, by, window, every],
    bounds: true,
    begins: { above: 10 },
  },
  ratio: {
    title: "Ratio",
    about: "Too many, or too few, of the events of one query for each event of another: an error rate.",
    fields: [by, window, every, atLeast("events of the second query, or nothing is judged", "20")],
    bounds: true,
    begins: { of: "", above: 0.05 },
  },
  absence: {
    title: "Absence",
    about: "No event comes. With fields to group by, from a group that was seen before.",
    fields: [
      by,
      window,
      every,
      {
        name: "forget",
        label: "Forget a group after",
        hint: "It is gone for good then.",
        form: "span",
        otherwise: "1d",
      },
    ],
    bounds: false,
    begins: {},
  },
  change: {
    title: "Change",
    about: "A value differs from the same window some time before.",
    fields: [
      value,
      by,
      window,
      every,
      { name: "before", label: "Compared with", hint: "so long before", form: "span", otherwise: "1d" },
      { name: "up", label: "Per cent more", form: "number", otherwise: "any" },
      { name: "down", label: "Per cent less", form: "number", otherwise: "any" },
      atLeast("of the value, on one side of the two", "20"),
    ],
    bounds: false,
    begins: { up: 50 },
  },
  new_pattern: {
    title: "New pattern",
    about: "A kind of message comes that was not seen for long.",
    fields: [
      window,
      every,
      { name: "learn", label: "Learn for", hint: "None is told until then.", form: "span", otherwise: "1d" },
      { name: "remember", label: "Remember for", form: "span", otherwise: "1w" },
    ],
    bounds: false,
    begins: {},
  },
  anomaly: {
    title: "Anomaly",
    about: "A value is far from what is usual at this hour.",
    fields: [
      value,
      by,
      window,
      every,
      { name: "season", label: "It repeats each", form: "choice", choices: ["none", "day", "week"], otherwise: "day" },
      { name: "direction", label: "Tell of", form: "choice", choices: ["both", "up", "down"], otherwise: "both" },
      { name: "deviations", label: "Usual deviations", form: "number", otherwise: "4" },
      { name: "learn", label: "Values to learn from", hint: "of each hour", form: "number", otherwise: "3" },
      atLeast("away from the usual value", "10"),
    ],
    bounds: false,
    begins: {},
  },
};
export const kindNames = Object.keys(kinds) as Kind[];

/** `query` comes from a search. */
export const newDraft = (query: string): Draft => ({
  ...{ id: "", name: "", severity: "warning", notify: [] },
  when: { type: "threshold", query, above: 10 },
});

export const conditionOf = ({ when }: Draft): Readonly<Record<string, unknown>> => when;

/** Of the present condition stays what the other kind has too, but bounds: what is much of one is little of another. */
export const withKind = (draft: Draft, type: Kind): Draft => {
  const { title: _, fields, begins } = kinds[type];
  const named = new Set(["query", ...fields.map(({ name }) => name)]);
  // Called alike and meaning something else.
  for (const name of ["learn", "at_least"]) named.delete(name);
  const kept = Object.entries(conditionOf(draft)).filter(([name]) => named.has(name));
  const { windows, for: span, ...rest } = draft;
  const telling = type === "match" ? rest : draft;
  return { ...telling, when: { ...begins, ...Object.fromEntries(kept), type } as Draft["when"] };
};

/** Undefined takes a field out: its default holds. */
export const withField = <T extends object>(of: T, name: string, given: unknown): T => {
  const { [name]: _, ...rest } = of as Record<string, unknown>;
  return (given === undefined ? rest : { ...rest, [name]: given }) as T;
};

export const withCondition = (draft: Draft, name: string, given: unknown): Draft => ({
  ...draft,
  when: withField(draft.when, name, given),
});

/** `Checkout errors` to `checkout-errors`. */
export const idOf = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 63)
    .replace(/-+$/, "");

export const readNames = (text: string): string[] =>
  text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");

/** `team=payments tier=1`; undefined when it is none. */
export const readLabels = (text: string): Record<string, string> | undefined => {
  const parts = text.split(/\s+/).filter((part) => part !== "");
  const pairs = parts.map((part) => /^([A-Za-z_][\w.-]*)=(.*)$/.exec(part));
  if (pairs.includes(null)) return undefined;
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? "", pair?.[2] ?? ""]));
};

export const labelWords = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([name, label]) => `${name}=${label}`)
    .join(" ");
