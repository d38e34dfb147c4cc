/**
 * What the rules together mean. The law, for one event:
 *   - while a hold finds it, it is not removed;
 *   - else the longest of the keep rules with a query that find it counts;
 *   - else its source's days, or those of the organization's rule without a query where they are fewer;
 *   - and never more days than the plan allows.
 * Days are of UTC and counted from the day of receipt, which the receiver stamped: an event's own time, be it late or in
 * the future, has no part in it. An event received on day D and kept N days is due once day D + N is over, so it lives N
 * whole days at least and less than N + 1.
 */
import { parseQuery } from "../query/parse.ts";
import { type Bind, conditionSql } from "../query/sql.ts";
import { mostDays, type RetentionRule } from "./rule.ts";

export interface TenantPolicy {
  readonly tenant: string;
  /** Most days that the plan allows. */
  readonly planDays: number;
  /** Source id to its days and its name. */
  readonly sources: ReadonlyMap<string, { readonly days: number; readonly name: string }>;
  readonly rules: readonly RetentionRule[];
}

const dayMs = 86_400_000;

/** Days since the epoch of a time in milliseconds. */
export const dayNumber = (at: number): number => Math.floor(at / dayMs);

/** YYYY-MM-DD of a day's number. */
export const dayText = (day: number): string => new Date(day * dayMs).toISOString().slice(0, 10);

/** The first day on which an event of that day of receipt may be removed. */
export const dueOn = (receivedDay: number, days: number): number => receivedDay + days + 1;

export const isAbout = (rule: RetentionRule, source: string): boolean => rule.source === "" || rule.source === source;

export interface SourceDays {
  /** Of what no rule with a query finds. */
  readonly base: number;
  /** Least and most days that any event of the source can have. */
  readonly least: number;
  readonly most: number;
  /** all: every event of it is on hold; some: those that a hold's query finds. */
  readonly held: "none" | "some" | "all";
}

/** Undefined for a source that is not known: what was written at the event's receipt counts then. */
export const daysOfSource = (policy: TenantPolicy, source: string): SourceDays | undefined => {
  const known = policy.sources.get(source);
  if (known === undefined) return undefined;
  const cap = (days: number): number => Math.min(days, policy.planDays, mostDays);
  const mine = policy.rules.filter((rule) => isAbout(rule, source));
  const whole = mine.flatMap(({ kind, query, days }) => (kind === "keep" && query === "" ? [days ?? mostDays] : []));
  const base = cap(Math.min(known.days, ...whole));
  const found = mine.flatMap(({ kind, query, days }) =>
    kind === "keep" && query !== "" ? [cap(days ?? mostDays)] : [],
  );
  const holds = mine.filter(({ kind }) => kind === "hold");
  return {
    base,
    least: Math.min(base, ...found),
    most: Math.max(base, ...found),
    held: holds.some(({ query }) => query === "") ? "all" : holds.length > 0 ? "some" : "none",
  };
};

/** Conditions over `events` for one source. Queries are read with `now` in milliseconds for relative times. */
export const sourceConditions = (policy: TenantPolicy, source: string, bind: Bind, now: number) => {
  const days = daysOfSource(policy, source);
  if (days === undefined) throw new Error("the source is not known");
  const names = { sources: new Map([...policy.sources].map(([id, { name }]) => [id, name])) };
  const sqlOf = ({ query }: RetentionRule): string => conditionSql(parseQuery(query, { now }), bind, names);
  const mine = policy.rules.filter((rule) => isAbout(rule, source) && rule.query !== "");
  // The longest first: of several that find an event, it is the one that counts.
  const keeps = mine.filter(({ kind }) => kind === "keep").toSorted((a, b) => (b.days ?? 0) - (a.days ?? 0));
  const holds = mine.filter(({ kind }) => kind === "hold").map(sqlOf);
  const cap = (one: number): number => Math.min(one, policy.planDays, mostDays);
  const branches = keeps.map((rule) => `${sqlOf(rule)}, ${cap(rule.days ?? mostDays)}`);
  const kept = branches.length === 0 ? `${days.base}` : `multiIf(${branches.join(", ")}, ${days.base})`;
  return {
    /** Whether its days are over on the day `today`, a number since the epoch. */
    due: (today: number): string => `toUInt32(toDate(received_at)) + ${kept} < ${today}`,
    /** Whether a hold finds it. */
    held: days.held === "all" ? "1" : holds.length === 0 ? "0" : `(${holds.join(" OR ")})`,
  };
};
