/** The audit trail and its streams, as the api has them. */
import { type AuditEvent, canonicalJson, type Json } from "@astralog/schemas/audit";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { get, queryOf } from "../api/client.ts";
import { useRead } from "../api/read.ts";

export const filterNames = ["action", "actor", "target", "from", "to"] as const;
export type Filter = Readonly<Record<(typeof filterNames)[number], string>>;

interface Page {
  readonly events: readonly AuditEvent[];
  readonly next: string | null;
}

export const useTrail = (filter: Filter) =>
  useInfiniteQuery({
    queryKey: ["audit", filter],
    queryFn: ({ pageParam, signal }) => get<Page>(`/audit${queryOf({ ...filter, cursor: pageParam })}`, signal),
    initialPageParam: "",
    getNextPageParam: ({ next }) => next,
    placeholderData: (before) => before,
  });

/** By its place: what lies before the next one, newest first. Null where there is none. */
export const useEvent = (seq: number) =>
  useQuery({
    queryKey: ["audit-event", seq],
    queryFn: async ({ signal }) => {
      const { events } = await get<Page>(`/audit${queryOf({ cursor: seq + 1, limit: 1 })}`, signal);
      return events.find((event) => event.seq === seq) ?? null;
    },
    // What was written does not change; that is the point of it.
    staleTime: Number.POSITIVE_INFINITY,
  });

interface Head {
  readonly seq: number;
  readonly hash: string;
  readonly at: string;
  readonly key_id: string;
  readonly signature: string;
}

export const useHead = () => useRead<{ head: Head; public_key: string }>("audit-head", "/audit/head");

export interface Stream {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly enabled: boolean;
  readonly delivered_seq: number;
  readonly delivered_at: string | null;
  readonly failed_tries: number;
  readonly next_try_at: string | null;
  readonly problem: string;
  readonly overlap_until: string | null;
}

/** `secret` is there this once. */
export interface MadeStream extends Stream {
  readonly secret: string;
}

export const useStreams = () => useRead<{ streams: readonly Stream[] }>("audit-streams", "/audit/streams");

export const actorWords = ({ actor }: AuditEvent): string => actor.name || actor.id || actor.kind;

const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Computed here, from what is shown; undefined where the browser computes none (an address that is not secure). */
export const hashOf = async (event: AuditEvent): Promise<string | undefined> => {
  const { hash: _, ...rest } = event;
  return globalThis.crypto.subtle === undefined
    ? undefined
    : hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonicalJson(rest as unknown as Json))));
};
