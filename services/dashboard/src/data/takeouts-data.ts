/** Takeouts, and what of other Astralogs was brought in, as the api has them. */
import { useQuery } from "@tanstack/react-query";
import { get } from "../api/client.ts";
import { useRead } from "../api/read.ts";

export const takeoutParts = ["events", "configuration", "audit"] as const;
export type TakeoutPart = (typeof takeoutParts)[number];

export interface TakeoutFile {
  readonly name: string;
  readonly kind: TakeoutPart;
  readonly rows: number;
  readonly bytes: number;
}

export interface Takeout {
  readonly id: string;
  readonly state: "waiting" | "running" | "done" | "failed" | "cancelled" | "deleted" | "expired";
  readonly parts: readonly TakeoutPart[];
  readonly connection: string | null;
  readonly created_at: string;
  readonly expires_at: string;
  readonly cut: string | null;
  readonly problem: string;
  readonly events: number | null;
  readonly events_done: number;
  readonly files: number;
  readonly bytes: number;
}

export interface Takeouts {
  readonly takeouts: readonly Takeout[];
  /** Whether the operator keeps any. */
  readonly operator_store: boolean;
  readonly days: number;
}

export const isOpen = ({ state }: Takeout): boolean => state === "waiting" || state === "running";

export const useTakeouts = () =>
  useQuery({
    queryKey: ["takeouts"],
    queryFn: ({ signal }) => get<Takeouts>("/takeouts", signal),
    // What is under way moves by itself.
    refetchInterval: ({ state }) => (state.data?.takeouts.some(isOpen) ? 1_000 : false),
    retry: false,
  });

export const useManifest = (id: string) =>
  useRead<{ files: readonly TakeoutFile[] }>(`takeout-manifest ${id}`, `/takeouts/${id}/files?name=manifest.json`);

export interface Import {
  readonly id: string;
  readonly takeout: string;
  readonly organization: { readonly name: string };
  readonly created_at: string;
  readonly finished_at: string | null;
  readonly notes: readonly { readonly outcome: string }[];
  readonly result: { readonly sources: readonly { readonly found: number }[]; readonly ok: boolean } | null;
}

export const useImports = () => useRead<{ imports: readonly Import[] }>("imports", "/imports");

export const partWords: Readonly<Record<TakeoutPart, readonly [string, string]>> = {
  events: ["Events", "Parquet, by day and source"],
  configuration: ["Configuration", "JSON, without any secret"],
  audit: ["Audit trail", "checked by astralog audit verify"],
};
