/** Sources, keys and receipts, as the api has them. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { Guard } from "../account/step-up.tsx";
import { get, patch, post, remove } from "../api/client.ts";
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
}

/** `key` is there this once. */
export interface MadeKey extends Key {
  readonly key: string;
}

export const useSources = () =>
  useQuery({
    queryKey: ["sources"],
    queryFn: async ({ signal }) => (await get<{ sources: readonly Source[] }>("/sources", signal)).sources,
    retry: false,
  });

export const useKeys = () =>
  useQuery({
    queryKey: ["keys"],
    queryFn: async ({ signal }) => (await get<{ keys: readonly Key[] }>("/keys", signal)).keys,
    retry: false,
  });

const useChange = <Given, Made>(change: (given: Given) => Promise<Made>) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () =>
      Promise.all(["sources", "keys"].map((name) => client.invalidateQueries({ queryKey: [name] }))).then(() => {}),
  });
};

export interface SourceChanges {
  readonly name?: string;
  readonly disabled?: boolean;
  readonly retention_days?: number;
  readonly max_bytes_per_second?: number;
}

export const useNewSource = () => useChange((given: SourceChanges) => post<Source>("/sources", given));
export const useSourceChange = () =>
  useChange(({ id, ...given }: SourceChanges & { id: string }) => patch<Source>(`/sources/${id}`, given));

export interface NewKey {
  readonly kind: Key["kind"];
  readonly name?: string;
  readonly source?: string;
}
export const useNewKey = (guard: Guard = (work) => work()) =>
  useChange((given: NewKey) => guard(() => post<MadeKey>("/keys", given)));
export const useRotation = (guard: Guard) =>
  useChange(({ id, overlap }: { id: string; overlap: number }) =>
    guard(() => post<MadeKey>(`/keys/${id}/rotate`, { overlap_seconds: overlap })),
  );
export const useRevocation = () => useChange((id: string) => remove<Key>(`/keys/${id}`));

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
