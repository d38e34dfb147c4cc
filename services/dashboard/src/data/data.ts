/** What is kept, the rules, and deletions, as the api has them. */
import type { DeletionKind } from "@astralog/schemas/retention/deletion";
import type { RetentionRule } from "@astralog/schemas/retention/rule";
import { useQuery } from "@tanstack/react-query";
import { get } from "../api/client.ts";
import { useRead } from "../api/read.ts";

export interface Rule {
  readonly id: string;
  readonly rule: RetentionRule;
  readonly created_at: string;
}

export interface KeptSource {
  readonly source: string;
  readonly name: string;
  readonly events: number;
  readonly bytes: number;
  readonly oldest: string | null;
  readonly base?: number;
  readonly least?: number;
  readonly most?: number;
  readonly held?: "none" | "some" | "all";
  readonly expires_next: string | null;
  readonly expiring: number;
}

export interface Look {
  readonly place: string;
  readonly removed: number;
  readonly overdue: number;
  readonly detail: string;
  readonly ended_at: string;
}

export interface Kept {
  readonly plan: { readonly name: string; readonly retention_days: number };
  readonly sources: readonly KeptSource[];
  readonly expiries: readonly { readonly day: string; readonly events: number }[];
  readonly dead_letters: number;
  readonly rules: readonly Rule[];
  readonly sweep: readonly Look[];
}

export const useKept = () => useRead<Kept>("retention", "/retention");

export interface Step {
  readonly place: string;
  readonly state: string;
  readonly removed: number;
  readonly found: number;
  readonly detail: string;
}

export interface Deletion {
  readonly id: string;
  readonly kind: DeletionKind;
  readonly sources: readonly string[];
  readonly query: string;
  readonly from: string;
  readonly to: string;
  readonly received_before: string;
  readonly reason: string;
  readonly requested_by: string;
  readonly state: "requested" | "held" | "waiting" | "removing" | "checked" | "certified";
  readonly steps: readonly Step[];
  readonly certified: boolean;
  readonly watched_until: string;
}

export const useDeletions = () =>
  useQuery({
    queryKey: ["deletions"],
    queryFn: ({ signal }) => get<{ deletions: readonly Deletion[] }>("/deletions", signal),
    // What is under way moves by itself.
    refetchInterval: ({ state }) => (state.data?.deletions.some(({ certified }) => !certified) ? 2_000 : false),
    retry: false,
  });

export interface Rehydration {
  readonly id: string;
  readonly connection: string;
  readonly from: string;
  readonly to: string;
  readonly query: string;
  readonly until: string;
  readonly state: "requested" | "running" | "failing" | "done" | "ending" | "ended";
  readonly objects: number;
  readonly objects_done: number;
  readonly events: number;
  readonly problem: string;
}

const resting: ReadonlySet<Rehydration["state"]> = new Set(["done", "ended"]);

export const useRehydrations = () =>
  useQuery({
    queryKey: ["rehydrations"],
    queryFn: ({ signal }) => get<{ rehydrations: readonly Rehydration[] }>("/rehydrations", signal),
    // What is under way moves by itself.
    refetchInterval: ({ state }) => (state.data?.rehydrations.some((one) => !resting.has(one.state)) ? 2_000 : false),
    retry: false,
  });

export const placeWords: Readonly<Record<string, string>> = {
  events: "Events in ClickHouse",
  event_fields: "Fields of events",
  bucket_fields: "Fields in your own buckets",
  buckets: "Your own buckets",
  clickhouse: "Your own ClickHouse",
  dead_letters: "Dead letters",
  alerts: "Quotes in alerts",
  exports: "What was taken out",
  backups: "Backups",
  kafka: "Kafka",
};
