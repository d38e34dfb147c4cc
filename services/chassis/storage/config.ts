/** What every service that reaches tenants' buckets reads, and how it opens one. */
import { archiveFolder, type StorageConnection, type StorageKeys, storageBound } from "@astralog/schemas/storage";
import { type Config, field, type Shape } from "../config.ts";
import { createOutgoing, type Outgoing } from "../outgoing.ts";
import { createSealer, type Sealer } from "../sealing.ts";
import { type Bucket, createBucket } from "./bucket.ts";

export const storageShape = {
  STORAGE_KEY: field.key256("Key that the keys of tenants' buckets are sealed with; api and archive have the same."),
  STORAGE_KEYS_BEFORE: field.keys256("Keys that were STORAGE_KEY before; the api seals anew at its start.", ""),
  OUTGOING_ALLOWED: field.list(
    "CIDR blocks that customers' addresses may lead to though they are not public, such as one's own identity provider's.",
    "",
  ),
} satisfies Shape;

export interface Storage {
  readonly sealer: Sealer;
  readonly outgoing: Outgoing;
  /** Faults: `sealed_unreadable`. */
  keysOf(connection: Pick<StorageConnection, "tenant" | "id" | "sealed">): StorageKeys;
  /** What lies in the connection's own folder. Faults: `sealed_unreadable`. */
  open(connection: StorageConnection): Bucket;
}

export const createStorage = (config: Config<typeof storageShape>): Storage => {
  const sealer = createSealer([config.STORAGE_KEY, ...config.STORAGE_KEYS_BEFORE]);
  const outgoing = createOutgoing({ allowed: config.OUTGOING_ALLOWED });
  const keysOf: Storage["keysOf"] = ({ tenant, id, sealed }) =>
    JSON.parse(sealer.open(storageBound(tenant, id), sealed)) as StorageKeys;
  return {
    ...{ sealer, outgoing, keysOf },
    open: (connection) =>
      createBucket({ settings: connection, keys: keysOf(connection), folder: archiveFolder(connection), outgoing }),
  };
};
