/** What a rule would have done, as the api finds out. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { post } from "../api/client.ts";
import type { Draft } from "./rule-draft.ts";

export interface Transition {
  readonly id: string;
  readonly incident: string;
  readonly group: Readonly<Record<string, string>>;
  readonly from: string;
  readonly to: string;
  readonly window_from: string;
  readonly window_to: string;
  readonly value: number | null;
  readonly reason: string;
  readonly lines: readonly string[];
}

export interface Run {
  readonly hash: string;
  readonly events: number;
  readonly firings: number;
  readonly incidents: number;
  readonly transitions: readonly Transition[];
  readonly truncated: boolean;
  readonly suggestion: { readonly threshold: number; readonly firings: number } | null;
}

export interface Backtest {
  readonly from: string;
  readonly to: string;
  readonly runs: readonly Run[];
  readonly differences: {
    readonly only_first: readonly Transition[];
    readonly only_second: readonly Transition[];
  } | null;
}

export interface RuleChange {
  readonly field: string;
  readonly before: string;
  readonly after: string;
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string => (value === undefined ? "" : JSON.stringify(value));

/** A change of something that has fields itself, field by field: who changed a threshold need not compare all of `when`. */
export const finer = (change: RuleChange): RuleChange[] => {
  try {
    const [before, after]: unknown[] = [JSON.parse(change.before), JSON.parse(change.after)];
    if (!isPlain(before) || !isPlain(after)) return [change];
    return [...new Set([...Object.keys(before), ...Object.keys(after)])]
      .map((name) => ({ field: `${change.field}.${name}`, before: textOf(before[name]), after: textOf(after[name]) }))
      .filter((one) => one.before !== one.after);
  } catch {
    return [change];
  }
};

/** The value once it has not changed for a while. */
export const useSettled = <T>(value: T, ms = 600): T => {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
};

/** Named, so that it can be tried before anybody has thought of one. */
export const tryable = (draft: Draft): Draft => ({ ...draft, id: draft.id || "draft", name: draft.name || "Draft" });

export const backtest = (
  rules: readonly Draft[],
  stretch: { readonly from: string; readonly to: string },
  more: object = {},
): Promise<Backtest> => post<Backtest>("/alerts/backtest", { rules: rules.map(tryable), ...stretch, ...more });

const day = 86_400_000;

/** Of the draft over the last days, beside the stored rule where there is one. */
export const useTrial = (draft: Draft, stored: Draft | undefined) => {
  const [over, setOver] = useState(() => ({ days: 1, now: Date.now() }));
  const { days, now } = over;
  const stretch = { from: new Date(now - days * day).toISOString(), to: new Date(now).toISOString() };
  const rules = stored === undefined ? [draft] : [draft, stored];
  const test = useQuery({
    queryKey: ["backtest", JSON.stringify(rules), stretch.from, stretch.to],
    queryFn: () => backtest(rules, stretch),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    retry: false,
  });
  const setDays = (next: number): void => setOver({ days: next, now: Date.now() });
  return { days, setDays, now, stretch, test };
};
export type Trial = ReturnType<typeof useTrial>;

/** Fields of the stored rule that saving the draft would change. */
export const useChanges = (draft: Draft, enabled: boolean) =>
  useQuery({
    queryKey: ["alert-plan", JSON.stringify(draft)],
    queryFn: async () => {
      const { changes } = await post<{ changes: readonly { readonly fields: readonly RuleChange[] }[] }>(
        "/alerts/rules/plan",
        { rules: [draft] },
      );
      return changes[0]?.fields ?? [];
    },
    placeholderData: keepPreviousData,
    refetchOnWindowFocus: false,
    retry: false,
    enabled,
  });

export interface Span {
  readonly incident: string;
  readonly group: Readonly<Record<string, string>>;
  readonly from: number;
  /** The stretch's end while it lasts. */
  readonly to: number;
  readonly lasts: boolean;
  readonly reason: string;
}

/** Incidents from their firing to their end. */
export const spansOf = ({ transitions }: Pick<Run, "transitions">, end: number): Span[] => {
  const spans = new Map<string, Span>();
  for (const { incident, group, to, window_to, reason } of transitions) {
    const known = spans.get(incident);
    const at = Date.parse(window_to);
    if (to === "firing" && known === undefined)
      spans.set(incident, { incident, group, from: at, to: end, lasts: true, reason });
    else if (known !== undefined && to !== "firing") spans.set(incident, { ...known, to: at, lasts: false });
  }
  return [...spans.values()];
};
