/** What every service that reaches tenants' buckets reads, and how it opens one. */
import { readClientKey } from "@astralog/schemas/encrypted-object";
import { type OwnClickHouse, ownClickHouseBound } from "@astralog/schemas/own-clickhouse";
import { archiveFolder, type StorageConnection, type StorageSecrets, storageBound } from "@astralog/schemas/storage";
import { type Config, field, type Shape } from "../config.ts";
import { Fault } from "../fault.ts";
import { createOutgoing, type Outgoing } from "../outgoing.ts";
import { createSealer, type Sealer } from "../sealing.ts";
import { type Bucket, createBucket } from "./bucket.ts";
import { encryptBucket } from "./encrypted.ts";
import { createRoles, type KeySource, type Roles } from "./role.ts";

export const storageShape = {
  STORAGE_KEY: field.key256("Key that the keys of tenants' buckets are sealed with; api and archive have the same."),
  STORAGE_KEYS_BEFORE: field.keys256("Keys that were STORAGE_KEY before; the api seals anew at its start.", ""),
  OUTGOING_ALLOWED: field.list(
    "CIDR blocks that customers' addresses may lead to though they are not public, such as one's own identity provider's.",
    "",
  ),
  STORAGE_AWS_ACCESS_KEY_ID: field.text(
    "This installation's own identity in AWS, which takes the roles that customers' buckets are opened by; empty: none are.",
    "",
  ),
  STORAGE_AWS_SECRET_ACCESS_KEY: field.secret("Its secret key.", ""),
  STORAGE_STS_URL: field.text("What gives sessions of roles; empty: AWS' server of the bucket's region.", ""),
} satisfies Shape;

export interface Storage {
  readonly sealer: Sealer;
  readonly outgoing: Outgoing;
  readonly roles: Roles;
  /** What opens it: keys, or a session of its role. Faults: `sealed_unreadable`. */
  keysOf(connection: StorageConnection): KeySource;
  /** Of a tenant's own ClickHouse. Faults: `sealed_unreadable`. */
  passwordOf(connection: Pick<OwnClickHouse, "tenant" | "id" | "sealed">): string;
  /** What lies in the connection's own folder. Faults: `sealed_unreadable`. */
  open(connection: StorageConnection): Bucket;
}

export const createStorage = (config: Config<typeof storageShape>): Storage => {
  const sealer = createSealer([config.STORAGE_KEY, ...config.STORAGE_KEYS_BEFORE]);
  const outgoing = createOutgoing({ allowed: config.OUTGOING_ALLOWED });
  const roles = createRoles({
    outgoing,
    identity: {
      access_key_id: config.STORAGE_AWS_ACCESS_KEY_ID,
      secret_access_key: config.STORAGE_AWS_SECRET_ACCESS_KEY,
      url: config.STORAGE_STS_URL,
    },
  });
  const secretsOf = (connection: StorageConnection): StorageSecrets =>
    JSON.parse(sealer.open(storageBound(connection), connection.sealed)) as StorageSecrets;
  const keysOf: Storage["keysOf"] = (connection) =>
    roles.sourceOf(connection.tenant, connection, secretsOf(connection));
  return {
    ...{ sealer, outgoing, roles, keysOf },
    passwordOf: ({ tenant, id, sealed }) => sealer.open(ownClickHouseBound(tenant, id), sealed),
    open: (connection) => {
      const bucket = createBucket({
        ...{ settings: connection, keys: keysOf(connection), folder: archiveFolder(connection), outgoing },
      });
      return connection.client_encryption === true
        ? encryptedAs(bucket, secretsOf(connection).client_keys ?? [])
        : bucket;
    },
  };
};

/** Keys in base64, the one of new objects first. Faults: `sealed_unreadable` where there is none. */
export const encryptedAs = (bucket: Bucket, keys: readonly string[]): Bucket => {
  const [first, ...before] = keys.flatMap((text) => readClientKey(text) ?? []);
  if (first === undefined)
    throw new Fault("sealed_unreadable", "The connection has no key to encrypt its objects under.");
  return encryptBucket(bucket, [first, ...before]);
};
