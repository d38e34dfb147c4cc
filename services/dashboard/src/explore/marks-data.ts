/** What stands on a chart beside its counts: deploys, alerts and notes that people or programs left, and what fires now. */
import { useQuery } from "@tanstack/react-query";
import { get, queryOf } from "../api/client.ts";
import type { Range } from "./time-range.ts";

export const markKinds = ["deploy", "alert", "note"] as const;
export type MarkKind = (typeof markKinds)[number];

export interface Mark {
  readonly id: string;
  readonly kind: MarkKind;
  readonly title: string;
  readonly service: string;
  /** Where more is said; a path of this page for an incident. */
  readonly url: string;
  readonly at: string;
  readonly until: string | null;
}

/** Whether it can be taken away: an incident ends by itself. */
export const isAnnotation = ({ id }: Mark): boolean => id.startsWith("an_");

export const useAnnotations = (range: Range, turn: number) =>
  useQuery({
    queryKey: ["annotations", range.from, range.to, turn],
    queryFn: async ({ signal }) =>
      (
        await get<{ annotations: readonly Mark[] }>(
          `/annotations${queryOf({ from: range.from || "1970-01-01T00:00:00Z", to: range.to })}`,
          signal,
        )
      ).annotations,
    staleTime: 30_000,
    retry: false,
  });

interface OpenIncident {
  readonly id: string;
  readonly rule: string;
  readonly created_at: string;
  readonly incident: { readonly ruleName: string };
}

/** Incidents that are open, each where it began. */
export const useFiring = (enabled: boolean) =>
  useQuery({
    queryKey: ["alert-incidents", "marks"],
    queryFn: async ({ signal }): Promise<readonly Mark[]> =>
      (
        await get<{ incidents: readonly OpenIncident[] }>("/alerts/incidents?open=true&limit=200", signal)
      ).incidents.map(({ id, rule, created_at, incident }) => ({
        ...{ id, kind: "alert", title: incident.ruleName || rule, service: "" },
        ...{ url: `/alerts/incidents/${id}`, at: created_at, until: null },
      })),
    enabled,
    staleTime: 30_000,
    retry: false,
  });

export interface MarkGroup {
  /** Of the chart's buckets, the one it begins in. */
  readonly bucket: number;
  readonly marks: readonly Mark[];
}

export interface Chart {
  /** Milliseconds since the epoch, where the first bucket begins. */
  readonly start: number;
  readonly stepMs: number;
  readonly buckets: number;
  /** Its window ends now: what is newer than the counts belongs to the last bucket. */
  readonly live: boolean;
}

/** Marks in the buckets of a chart; those of one bucket share a sign. What lies outside is left out. */
export const groupMarks = (marks: readonly Mark[], { start, stepMs, buckets, live }: Chart): MarkGroup[] => {
  const groups = Map.groupBy(marks, ({ at, until }) => {
    const bucket = Math.floor((Date.parse(at) - start) / stepMs);
    // It began before what is shown, and still lasts in it.
    if (bucket < 0 && until !== null && Date.parse(until) >= start) return 0;
    return live ? Math.min(bucket, buckets - 1) : bucket;
  });
  return [...groups]
    .filter(([bucket]) => bucket >= 0 && bucket < buckets)
    .sort(([a], [b]) => a - b)
    .map(([bucket, own]) => ({ bucket, marks: own.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at)) }));
};
