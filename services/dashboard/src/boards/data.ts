/** Dashboards as the api keeps them, and the answers their panels draw. */
import { keepPreviousData, useMutation, useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { get, getTagged, patch, post, queryOf, remove } from "../api/client.ts";
import type { EventView, Facet, Histogram } from "../explore/data.ts";
import { filterOf, withFilter } from "../explore/language.ts";
import type { Range } from "../explore/time-range.ts";

export const panelKinds = ["line", "bar", "table", "number"] as const;
export type PanelKind = (typeof panelKinds)[number];

export interface Panel {
  readonly id: string;
  readonly title: string;
  readonly kind: PanelKind;
  readonly q: string;
  /** Empty: a line is parted by level, a table lists events. */
  readonly field: string;
  /** Of twelve columns. */
  readonly width: number;
  readonly height: number;
}

export interface Variable {
  readonly field: string;
  readonly value: string;
}

export interface BoardContent {
  readonly range: Range;
  readonly panels: readonly Panel[];
  readonly variables: readonly Variable[];
}

export interface Board {
  readonly id: string;
  readonly name: string;
  readonly shared: boolean;
  readonly mine: boolean;
  readonly owner: { readonly id: string; readonly name: string };
  readonly content: BoardContent;
  readonly updated_at: string;
}

export const useBoards = () =>
  useQuery({
    queryKey: ["boards"],
    queryFn: async ({ signal }) =>
      (await get<{ dashboards: readonly Board[] }>("/dashboards?limit=1000", signal)).dashboards,
    retry: false,
  });

export const useBoard = (id: string) =>
  useQuery({
    queryKey: ["board", id],
    queryFn: ({ signal }) => getTagged<Board>(`/dashboards/${encodeURIComponent(id)}`, signal),
    retry: false,
    refetchOnWindowFocus: false,
  });

const useChange = <Given, Made>(change: (given: Given) => Promise<Made>) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["boards"] });
      await client.invalidateQueries({ queryKey: ["board"] });
    },
  });
};

export interface BoardChanges {
  readonly name?: string;
  readonly shared?: boolean;
  readonly content?: BoardContent;
}
export const useNewBoard = () =>
  useChange((given: { name: string; content: BoardContent }) => post<Board>("/dashboards", given));
export const useBoardChange = (id: string, etag: string | undefined) =>
  useChange((given: BoardChanges) => patch<Board>(`/dashboards/${id}`, given, etag));
export const useBoardRemoval = () => useChange((id: string) => remove<undefined>(`/dashboards/${id}`));

/** The query with what the reader narrowed it by. */
export const narrowed = (q: string, variables: readonly Variable[]): string =>
  variables
    .filter(({ value }) => value !== "")
    .reduce((text, { field, value }) => withFilter(text, filterOf(field, value), false), q);

/** A dashboard's numbers are looked at again by themselves while its time moves on. */
const refreshMs = 30_000;
const options = (range: Range) => ({
  placeholderData: keepPreviousData,
  refetchInterval: range.to === "" ? refreshMs : (false as const),
  refetchOnWindowFocus: false,
  retry: false,
});

const askHistogram = (q: string, range: Range, buckets: number, signal: AbortSignal) =>
  get<Histogram>(`/histogram${queryOf({ q, from: range.from, to: range.to, buckets })}`, signal);

export const useCounts = (q: string, range: Range, buckets: number, turn: number, enabled = true) =>
  useQuery({
    queryKey: ["panel", "counts", q, range.from, range.to, buckets, turn],
    queryFn: ({ signal }) => askHistogram(q, range, buckets, signal),
    enabled,
    ...options(range),
  });

export const useValues = (q: string, field: string, range: Range, limit: number, turn: number) =>
  useQuery({
    queryKey: ["panel", "values", q, field, range.from, range.to, limit, turn],
    queryFn: async ({ signal }) => {
      const path = `/facets${queryOf({ q, from: range.from, to: range.to, fields: field, limit })}`;
      return (await get<{ facets: readonly Facet[] }>(path, signal)).facets[0]?.values ?? [];
    },
    enabled: field !== "",
    ...options(range),
  });

/** One line for each value. */
export const useCountsOf = (q: string, field: string, values: readonly string[], range: Range, turn: number) =>
  useQueries({
    queries: values.map((value) => ({
      queryKey: ["panel", "counts", q, field, value, range.from, range.to, turn],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        askHistogram(withFilter(q, filterOf(field, value), false), range, 80, signal),
      ...options(range),
    })),
  });

export const useLatest = (q: string, range: Range, turn: number, enabled: boolean) =>
  useQuery({
    queryKey: ["panel", "latest", q, range.from, range.to, turn],
    queryFn: async ({ signal }) =>
      (
        await get<{ events: readonly EventView[] }>(
          `/search${queryOf({ q, from: range.from, to: range.to, limit: 50 })}`,
          signal,
        )
      ).events,
    enabled,
    ...options(range),
  });

export interface Annotation {
  readonly id: string;
  readonly kind: "deploy" | "alert" | "note";
  readonly title: string;
  readonly service: string;
  readonly at: string;
}

export const useAnnotations = (range: Range, turn: number) =>
  useQuery({
    queryKey: ["annotations", range.from, range.to, turn],
    queryFn: async ({ signal }) =>
      (
        await get<{ annotations: readonly Annotation[] }>(
          `/annotations${queryOf({ from: range.from, to: range.to })}`,
          signal,
        )
      ).annotations,
    ...options(range),
  });
