/** Alerts, as the api has them. */
import type { Escalation, OnCall } from "@astralog/schemas/alerts/destination";
import type { Schedule } from "@astralog/schemas/alerts/local-time";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { get, queryOf } from "../api/client.ts";
import { useRead, useReadAll } from "../api/read.ts";

export interface Rule {
  readonly id: string;
  readonly version: number;
  readonly updated_at: string;
  readonly rule: {
    readonly name: string;
    readonly enabled: boolean;
    readonly severity: string;
    readonly when: { readonly type: string; readonly query: string };
  };
  readonly standing: {
    readonly state: string;
    /** Incidents. */
    readonly open: number;
    readonly incomplete: {
      readonly window_to: string;
      readonly completeness: number;
      readonly judged_at: string;
    } | null;
  };
}

export interface Incident {
  readonly id: string;
  readonly rule: string;
  readonly state: string;
  readonly closed: boolean;
  readonly created_at: string;
  readonly incident: {
    readonly ruleName: string;
    readonly severity: string;
    readonly group: Readonly<Record<string, string>>;
    readonly labels: Readonly<Record<string, string>>;
    readonly query: string;
    readonly hold: string;
    /** Milliseconds; `until` is 0 while it lasts. */
    readonly since: number;
    readonly until: number;
    readonly told: readonly string[];
    readonly latest: { readonly found: string };
  };
}

export interface Change {
  readonly id: string;
  readonly to_state: string;
  readonly judged_at: number;
  readonly window_from: number;
  readonly window_to: number;
  readonly completeness: number;
  readonly reason: string;
  readonly lines: readonly string[];
}

export interface Said {
  readonly id: string;
  readonly kind: string;
  readonly matchers: readonly { readonly label: string; readonly op: string; readonly values: readonly string[] }[];
  readonly comment: string;
  readonly starts_at: string;
  readonly ends_at: string | null;
  readonly schedule: Schedule | null;
  readonly created_by: string;
  readonly created_by_name: string;
  readonly created_at: string;
}

export interface OneIncident extends Incident {
  readonly changes: readonly Change[];
  readonly said: readonly Said[];
}

export interface Destination {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly settings: {
    readonly url?: string;
    readonly host?: string;
    readonly to?: readonly string[];
    readonly region?: "us" | "eu";
  } & Partial<OnCall> &
    Partial<Escalation>;
  readonly template: { readonly title: string; readonly text: string };
  readonly standard: boolean;
  readonly enabled: boolean;
  readonly problem: string;
}

export interface SentNotice {
  readonly id: string;
  readonly destination: string;
  readonly status: string;
  readonly created_at: string;
  readonly problem: string;
  readonly attempts: number;
  readonly next_try_at: string | null;
  readonly tries: readonly { readonly at: string; readonly ms: number; readonly problem: string }[];
}

export const useSilences = () => useReadAll<"silences", Said>("alert-silences", "/alerts/silences", "silences");
export const useDestinations = () =>
  useRead<{ destinations: readonly Destination[] }>("alert-destinations", "/alerts/destinations");

/** Looked at again and again: what fires is news. */
const everyMs = 5_000;
const live = <T>(name: string, path: string) => ({
  queryKey: [name, path],
  queryFn: ({ signal }: { signal: AbortSignal }) => get<T>(path, signal),
  refetchInterval: everyMs,
});
export const useRules = () => useQuery(live<{ rules: readonly Rule[] }>("alert-rules", "/alerts/rules"));
export const useIncidents = ({ open, rule }: { readonly open: boolean; readonly rule: string }) =>
  useInfiniteQuery({
    queryKey: ["alert-incidents", open, rule],
    queryFn: ({ pageParam: cursor, signal }) =>
      get<{ incidents: readonly Incident[]; next: string | null }>(
        `/alerts/incidents${queryOf({ limit: 50, rule, open: open ? "true" : undefined, cursor })}`,
        signal,
      ),
    initialPageParam: "",
    getNextPageParam: ({ next }) => next ?? undefined,
    refetchInterval: everyMs,
  });
export const useIncident = (id: string) => useQuery(live<OneIncident>("alert-incident", `/alerts/incidents/${id}`));
export const useNotices = (by: { readonly incident: string } | { readonly destination: string }) =>
  useQuery(
    live<{ notices: readonly SentNotice[] }>(
      "alert-notices",
      `/alerts/notices?limit=200&${new URLSearchParams({ ...by })}`,
    ),
  );

export const groupWords = (group: Readonly<Record<string, string>>): string =>
  Object.entries(group)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");

export const percentOf = (completeness: number): string => `${Math.floor(completeness * 1_000) / 10} %`;

export const stateWords = (state: string): string => ({ nodata: "no data", errored: "not judged" })[state] ?? state;
