/** Sources, keys and receipts, as the api has them. */
import { useQuery } from "@tanstack/react-query";
import { useMay } from "../account/acts.tsx";
import { get } from "../api/client.ts";
import { useReadAll } from "../api/read.ts";
import { receiptOf } from "./receipt.ts";

export interface Source {
  readonly id: string;
  readonly name: string;
  readonly disabled: boolean;
  readonly retention_days: number;
  readonly partitions: number;
  readonly max_bytes_per_second: number;
  readonly created_at: string;
}

export interface Key {
  readonly id: string;
  readonly kind: "ingest" | "query" | "admin";
  readonly source: string | null;
  readonly name: string;
  readonly prefix: string;
  readonly last4: string;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  readonly last_used_at: string | null;
  readonly ip_allowlist: readonly string[];
  /** Empty is all that its kind may. */
  readonly permissions: readonly string[];
  /** What a query or admin key sees; empty is all. */
  readonly sources: readonly string[];
}

/** `key` is there this once. */
export interface MadeKey extends Key {
  readonly key: string;
}

export const useSources = () => {
  const may = useMay();
  return useReadAll<"sources", Source>("sources", "/sources", "sources", may("sources.read"));
};

export const useKeys = () => {
  const may = useMay();
  return useReadAll<"keys", Key>("keys", "/keys", "keys", may("keys.read"));
};

export interface NewKey {
  readonly kind: Key["kind"];
  readonly name?: string;
  readonly source?: string;
  readonly expires_at?: string;
  readonly ip_allowlist?: readonly string[];
  readonly permissions?: readonly string[];
  readonly sources?: readonly string[];
}

export const keyState = ({ revoked_at, expires_at }: Key): "on" | "revoked" | "expired" =>
  revoked_at !== null ? "revoked" : expires_at !== null && Date.parse(expires_at) <= Date.now() ? "expired" : "on";

export interface ReceiptRecord {
  readonly record: string;
  readonly state: "stored" | "pending";
  readonly accepted: number;
  readonly stored: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly redactions: Readonly<Record<string, number>>;
  readonly received_at: string | null;
  readonly stored_at: string | null;
  readonly ruleset: string | null;
}

export const useReceipt = (text: string) =>
  useQuery({
    queryKey: ["receipt", text],
    queryFn: ({ signal }) =>
      get<{ state: "stored" | "pending"; records: readonly ReceiptRecord[] }>(
        `/receipts/${encodeURIComponent(receiptOf(text))}`,
        signal,
      ),
    enabled: text !== "",
    // What is on its way arrives by itself.
    refetchInterval: ({ state }) => (state.data?.state === "pending" ? 1_000 : false),
    retry: false,
  });
