/** Buckets of one's own, and how far their archives are. */
import { bucketPolicy, type StorageKind } from "@astralog/schemas/storage";
import { useQuery } from "@tanstack/react-query";
import { get } from "../api/client.ts";
import { useRead } from "../api/read.ts";

export interface Connection {
  readonly id: string;
  readonly name: string;
  readonly kind: StorageKind;
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly access_key_id: string;
  /** Empty: keys open it. */
  readonly role_arn: string;
  /** Whether objects are encrypted before they leave Astralog, and under which keys: the present one first. */
  readonly client_encryption: boolean;
  readonly client_keys: readonly { readonly id: string }[];
  readonly archive: boolean;
  readonly retention_days: number | null;
  /** What the last probe found lacking; empty when nothing. */
  readonly problem: string;
  readonly probed_at: string;
}

export interface KeyedConnection extends Connection {
  /** Of one that was made here, in the answer to that alone. */
  readonly client_key?: string;
}

export interface Archive {
  readonly connection: string;
  readonly state: "off" | "starting" | "failing" | "running";
  readonly lag: number;
  readonly events: number;
  readonly objects: number;
  readonly bytes: number;
  readonly last_object_at: string | null;
  readonly problem: { readonly code: string; readonly detail: string; readonly since: string } | null;
}

export const useConnections = () =>
  useRead<{ connections: readonly Connection[] }>("connections", "/storage/connections");

export const useArchives = () =>
  useQuery({
    queryKey: ["archives"],
    queryFn: ({ signal }) => get<{ archives: readonly Archive[] }>("/storage/archives", signal),
    // What is written moves by itself.
    refetchInterval: 5_000,
    retry: false,
  });

export const kindWords: Readonly<Record<StorageKind, string>> = {
  s3: "Amazon S3",
  r2: "Cloudflare R2",
  gcs: "Google Cloud Storage",
  compatible: "S3-compatible server",
};

export interface Identity {
  readonly principal: string | null;
  readonly trust_policy: object | null;
}

export const useIdentity = () => useRead<Identity>("storage-identity", "/storage/identity");

/** What a key must be allowed, as Amazon's policies say it; the others call it much the same. */
export const policyText = (bucket: string, prefix: string): string =>
  JSON.stringify(bucketPolicy(bucket || "BUCKET", prefix), null, 2);
