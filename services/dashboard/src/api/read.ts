/** Queries for what the api has under one path. Their first word is what an act makes out of date. */
import { useQuery } from "@tanstack/react-query";
import { get, getTagged, queryOf } from "./client.ts";

export const useRead = <T>(name: string, path: string, enabled = true) =>
  useQuery({ queryKey: [name, path], queryFn: ({ signal }) => get<T>(path, signal), enabled });

/** Every page of a list. */
export const useReadAll = <Field extends string, T>(name: string, path: string, field: Field, enabled = true) =>
  useQuery({
    queryKey: [name, path],
    queryFn: async ({ signal }) => {
      const all: T[] = [];
      for (let cursor: string | undefined; ; ) {
        const page = await get<Record<Field, readonly T[]> & { readonly next: string | null }>(
          `${path}${queryOf({ limit: 1000, cursor })}`,
          signal,
        );
        all.push(...page[field]);
        if (page.next === null) return all;
        cursor = page.next;
      }
    },
    enabled,
  });

/** What is about to be edited, read anew each time, and not again under the hands of whoever edits it. */
export const useTagged = <T>(name: string, path: string) =>
  useQuery({
    queryKey: [name, path],
    queryFn: ({ signal }) => getTagged<T>(path, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnReconnect: false,
  });
