/** From what is stored and the rules in force: how much there is, and what expires when. Pure. */
import { daysOfSource, dayText, dueOn, type SourceDays, type TenantPolicy } from "@astralog/schemas/retention/index";
import type { StoredDay } from "./kept-queries.ts";

export interface KeptSource extends Partial<SourceDays> {
  readonly source: string;
  readonly name: string;
  readonly events: number;
  /** Encoded and not compressed, estimated from the ledger. */
  readonly bytes: number;
  /** Days of receipt of the oldest and newest, YYYY-MM-DD; null without any. */
  readonly oldest: string | null;
  readonly newest: string | null;
  /** The first day on which some of it expires; null when none does, as under a hold. */
  readonly expires_next: string | null;
  readonly expiring: number;
}

/** A day and what expires with it, by the source's own days: what a rule's query finds may go earlier or later. */
export interface Expiry {
  readonly day: string;
  readonly events: number;
}

const mostExpiries = 60;

export const keptOf = (
  policy: TenantPolicy,
  stored: readonly StoredDay[],
  sizes: ReadonlyMap<string, number>,
  today: number,
): { sources: KeptSource[]; expiries: Expiry[] } => {
  const days = Map.groupBy(stored, ({ source }) => source);
  const byDay = new Map<number, number>();
  const ids = new Set([...policy.sources.keys(), ...days.keys()]);
  const sources = [...ids].map((source): KeptSource => {
    const mine = days.get(source) ?? [];
    const known = daysOfSource(policy, source);
    const events = mine.reduce((sum, row) => sum + row.events, 0);
    const expiries = new Map<number, number>();
    if (known !== undefined && known.held !== "all")
      for (const row of mine) {
        // What is over already goes with the next sweep.
        const due = Math.max(today, dueOn(row.day, known.base));
        expiries.set(due, (expiries.get(due) ?? 0) + row.events);
      }
    for (const [due, count] of expiries) byDay.set(due, (byDay.get(due) ?? 0) + count);
    const next = expiries.size === 0 ? undefined : Math.min(...expiries.keys());
    return {
      ...{ source, name: policy.sources.get(source)?.name ?? source, events, ...known },
      bytes: Math.round(events * (sizes.get(source) ?? 0)),
      oldest: mine.length === 0 ? null : dayText(Math.min(...mine.map(({ day }) => day))),
      newest: mine.length === 0 ? null : dayText(Math.max(...mine.map(({ day }) => day))),
      expires_next: next === undefined ? null : dayText(next),
      expiring: next === undefined ? 0 : (expiries.get(next) ?? 0),
    };
  });
  const expiries = [...byDay]
    .sort(([a], [b]) => a - b)
    .slice(0, mostExpiries)
    .map(([day, events]) => ({ day: dayText(day), events }));
  return { sources, expiries };
};
