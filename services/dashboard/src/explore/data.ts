/** What Explore asks of the api, and how the answers look. */
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { get, Problem, queryOf } from "../api/client.ts";
import { splitPipes } from "./language.ts";
import { type Progress, searchStream } from "./search-stream.ts";
import type { Range } from "./time-range.ts";

export interface EventView {
  readonly id: string;
  /** RFC 3339 with nine digits, UTC. */
  readonly timestamp: string;
  readonly received_at: string;
  readonly level: string;
  readonly severity_number: number;
  readonly source: string;
  readonly source_id: string;
  readonly service: string;
  readonly host: string;
  readonly message: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface Stats {
  readonly rows: number;
  readonly bytes: number;
  readonly ms: number;
}

export interface SearchPage {
  readonly events: readonly EventView[];
  readonly next: string | null;
  readonly stats: Stats;
}

export interface Asked {
  readonly q: string;
  readonly range: Range;
  /** Id of a bucket; left out or "": what Astralog keeps. */
  readonly place?: string;
  /** Grows with each refresh, so that the same question is asked anew. */
  readonly turn: number;
}

export const levels = ["fatal", "error", "warn", "info", "debug", "trace"] as const;
/** What is not there yet on an older server is left out, not reported. */
const orNothing = async <T>(ask: Promise<T>): Promise<T | null> => {
  try {
    return await ask;
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
};

export const useSearch = (
  { q, range, place = "", turn }: Asked,
  onProgress: (progress: Progress | undefined) => void,
  enabled: boolean,
) =>
  useInfiniteQuery({
    enabled,
    queryKey: ["events", place, q, range.from, range.to, turn],
    queryFn: ({ pageParam, signal }) =>
      searchStream(
        `/search/stream${queryOf({ q, place, from: range.from, to: range.to, limit: pageParam === "" ? 200 : 1_000, cursor: pageParam })}`,
        signal,
        onProgress,
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    retry: false,
  });

export interface Table {
  readonly columns: readonly { readonly name: string; readonly type: "time" | "number" | "text" }[];
  readonly rows: readonly (readonly (string | number | null)[])[];
  readonly truncated: boolean;
  readonly stats: Stats;
}

export const useTable = ({ q, range, place = "", turn }: Asked, enabled: boolean) =>
  useQuery({
    enabled,
    queryKey: ["table", place, q, range.from, range.to, turn],
    queryFn: ({ signal }) => get<Table>(`/query${queryOf({ q, place, from: range.from, to: range.to })}`, signal),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    retry: false,
  });

export interface Histogram {
  readonly buckets: readonly { readonly at: string; readonly counts: Readonly<Record<string, number>> }[];
  readonly step_seconds: number;
  readonly stats: Stats;
}

export const useHistogram = ({ q, range, place = "", turn }: Asked, buckets: number) =>
  useQuery({
    queryKey: ["histogram", place, q, range.from, range.to, turn, buckets],
    queryFn: ({ signal }) =>
      orNothing(get<Histogram>(`/histogram${queryOf({ q, place, from: range.from, to: range.to, buckets })}`, signal)),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    retry: false,
  });

export interface Facet {
  readonly field: string;
  /** Share of the events that have it, 0 to 1. */
  readonly coverage: number;
  readonly values: readonly { readonly value: string; readonly count: number }[];
}

export const useFacets = ({ q, range, place = "", turn }: Asked, fields: readonly string[], limit = 10) =>
  useQuery({
    queryKey: ["facets", place, q, range.from, range.to, turn, fields.join(","), limit],
    queryFn: ({ signal }) =>
      orNothing(
        get<{ facets: readonly Facet[] }>(
          `/facets${queryOf({ q, place, from: range.from, to: range.to, fields: fields.join(","), limit })}`,
          signal,
        ),
      ),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    retry: false,
    enabled: fields.length > 0,
  });

export interface Distribution {
  /** Events whose value is a number. */
  readonly count: number;
  readonly bins: readonly { readonly from: number; readonly to: number; readonly count: number }[];
}

/** How the numbers of a field are spread in what is found. */
export const useDistribution = ({ q, range, place = "", turn }: Asked, field: string) =>
  useQuery({
    queryKey: ["distribution", place, q, range.from, range.to, turn, field],
    queryFn: ({ signal }) =>
      get<Distribution>(
        `/distribution${queryOf({ q, place, from: range.from, to: range.to, field, bins: 20 })}`,
        signal,
      ),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    retry: false,
  });

export interface FieldInfo {
  readonly name: string;
  readonly type: string;
  readonly coverage: number;
}

export const useFields = (range: Range, place = "") =>
  useQuery({
    queryKey: ["fields", place, range.from, range.to],
    queryFn: ({ signal }) =>
      orNothing(
        get<{ fields: readonly FieldInfo[] }>(`/fields${queryOf({ place, from: range.from, to: range.to })}`, signal),
      ),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    refetchOnWindowFocus: false,
    retry: false,
  });

/** Values of one field with their counts, for completion; none when the server cannot say. */
export const topValues = async (field: string, range: Range, place = ""): Promise<Facet["values"]> => {
  try {
    const { facets } = await get<{ facets: readonly Facet[] }>(
      `/facets${queryOf({ place, from: range.from, to: range.to, fields: field, limit: 20 })}`,
    );
    return facets[0]?.values ?? [];
  } catch {
    return [];
  }
};

export interface WholeEvent extends EventView {
  /** The day on which it is deleted, UTC. */
  readonly expires_on: string;
  /** Rules that have dropped these fields, if it had them. */
  readonly dropped_fields: readonly {
    readonly rule: string;
    readonly fields: readonly string[];
    readonly except: readonly string[];
    readonly after_days: number;
  }[];
}

export const useEvent = (id: string | undefined, known: EventView | undefined) =>
  useQuery({
    queryKey: ["event", id],
    queryFn: ({ signal }) => get<WholeEvent>(`/events/${encodeURIComponent(id ?? "")}`, signal),
    enabled: id !== undefined && known === undefined,
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });

/** The alert rules whose query finds it. */
export const useRulesOf = (id: string) =>
  useQuery({
    queryKey: ["event-rules", id],
    queryFn: ({ signal }) =>
      get<{
        readonly rules: readonly { id: string; name: string; severity: string; judged: boolean }[];
        readonly of: number;
      }>(`/events/${encodeURIComponent(id)}/rules`, signal),
    staleTime: 30_000,
    refetchOnWindowFocus: false,
    retry: false,
  });

interface Around {
  readonly before: readonly EventView[];
  readonly event: EventView;
  readonly after: readonly EventView[];
}

/** What its source, service and host sent around it, each side in the order of time. */
export const useContextOf = (
  { id, timestamp }: Pick<EventView, "id" | "timestamp">,
  before: number,
  after: number,
  place: string,
) =>
  useQuery({
    queryKey: ["around", place, id, before, after],
    queryFn: ({ signal }) =>
      get<Around>(
        `/events/${encodeURIComponent(id)}/context${queryOf({ before, after, ...(place === "" ? {} : { place, at: timestamp }) })}`,
        signal,
      ),
    // The list stays where it is while one goes along it.
    placeholderData: keepPreviousData,
    staleTime: 10_000,
    refetchOnWindowFocus: false,
    retry: false,
  });

/** No trace is looked for in a bucket further away from an event than this. */
const traceReach = 86_400_000;

/** The events of an event's trace, oldest first. */
export const useTraceOf = ({ trace_id: trace, timestamp }: EventView, place: string) =>
  useQuery({
    queryKey: ["trace", place, trace],
    queryFn: ({ signal }) =>
      get<{ events: readonly EventView[]; more: boolean }>(
        `/traces/${encodeURIComponent(trace)}${queryOf(place === "" ? {} : { place, from: Date.parse(timestamp) - traceReach, to: Date.parse(timestamp) + traceReach })}`,
        signal,
      ),
    staleTime: 10_000,
    refetchOnWindowFocus: false,
    retry: false,
  });

/** Values of a field in all events of the time, to compare a written one with. */
export const useKnownValues = (field: string, range: Range, place: string) =>
  useQuery({
    queryKey: ["known-values", place, field, range.from, range.to],
    queryFn: () => topValues(field, range, place),
    staleTime: 60_000,
    refetchOnWindowFocus: false,
    retry: false,
  });

/** How many events a query would find. */
export const useMatches = (q: string, range: Range, place: string) =>
  useQuery({
    queryKey: ["matches", place, q, range.from, range.to],
    queryFn: async ({ signal }) => {
      const asked = { q: `${splitPipes(q)[0]} | stats count()`, place, from: range.from, to: range.to };
      return Number((await get<Table>(`/query${queryOf(asked)}`, signal)).rows[0]?.[0] ?? 0);
    },
    staleTime: 30_000,
    refetchOnWindowFocus: false,
    retry: false,
  });

/** How many events came since the newest that is shown; asked only while the page is looked at. */
export const useNewer = ({ q, range, place = "", turn }: Asked, newest: string | undefined) =>
  useQuery({
    queryKey: ["newer", place, q, range.from, range.to, turn, newest],
    queryFn: async ({ signal }) => {
      const page = await get<SearchPage>(`/search${queryOf({ q, from: newest, limit: 101 })}`, signal);
      return page.events.filter(({ timestamp }) => timestamp > (newest ?? "")).length;
    },
    // A bucket gets what is new minutes later.
    enabled: newest !== undefined && range.to === "" && place === "",
    refetchInterval: 8_000,
    retry: false,
  });

/** An attribute's or field's value as text; undefined when the event has none. */
export const fieldValue = (event: EventView, field: string): string | undefined => {
  const builtIn = (event as unknown as Record<string, unknown>)[field];
  if (typeof builtIn === "string" && field !== "source_id") return builtIn === "" ? undefined : builtIn;
  const value = Object.hasOwn(event.attributes, field) ? event.attributes[field] : undefined;
  return value === undefined ? undefined : textOf(value);
};

export const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

export interface SearchPlace {
  readonly id: string;
  readonly name: string;
  readonly kind: "bucket" | "clickhouse" | "astralog";
  /** Searches without a place go there. */
  readonly home: boolean;
  /** Not where objects are encrypted before they leave. */
  readonly searchable: boolean;
}

/** Where can be searched besides; none where the server knows of none. */
export const usePlaces = () =>
  useQuery({
    queryKey: ["places"],
    queryFn: async ({ signal }) =>
      (await orNothing(get<{ places: readonly SearchPlace[] }>("/search/places", signal)))?.places ?? [],
    staleTime: 60_000,
    refetchOnWindowFocus: false,
    retry: false,
  });
