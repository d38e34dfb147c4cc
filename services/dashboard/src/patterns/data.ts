/** The shapes of messages, as the api finds them. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { get, queryOf } from "../api/client.ts";
import type { Asked, Stats } from "../explore/data.ts";

export interface Pattern {
  readonly template: string;
  readonly query: string;
  readonly count: number;
  /** Of the sample, 0 to 1. */
  readonly share: number;
  readonly before: number;
  readonly is_new: boolean;
  readonly level: string;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly example: string;
}

interface Patterns {
  readonly patterns: readonly Pattern[];
  readonly events: number;
  readonly sample: number;
  readonly events_before: number;
  readonly stats: Stats;
}

export const usePatterns = ({ q, range, turn }: Asked) =>
  useQuery({
    queryKey: ["patterns", q, range.from, range.to, turn],
    queryFn: ({ signal }) =>
      get<Patterns>(`/patterns${queryOf({ q, from: range.from, to: range.to, limit: 300 })}`, signal),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    retry: false,
  });
