/** The configuration of backups; README.md has it as a table. */
import { createHmac } from "node:crypto";
import {
  anyAddress,
  type Bucket,
  type Config,
  createBucket,
  createConfiguredKeys,
  createOutgoing,
  Fault,
  field,
  type KeyProvider,
  kafkaShape,
  type Shape,
} from "@astralog/chassis";
import { type AuditSigner, createAuditSigner } from "@astralog/schemas";
import { serverEncryptions, storageKinds } from "@astralog/schemas/storage";

/** Where backups lie and what they are sealed with: what `verify` needs, and nothing more. */
export const bucketShape = {
  BACKUP_ENDPOINT: field.url("S3-compatible server of the bucket, https://host."),
  BACKUP_KIND: field.choice("What kind of server it is.", storageKinds, "s3"),
  BACKUP_REGION: field.text("The bucket's region.", "us-east-1"),
  BACKUP_BUCKET: field.text("The bucket."),
  BACKUP_PREFIX: field.text("Begins every object's name; ends with a slash.", "astralog/"),
  BACKUP_ACCESS_KEY_ID: field.text("Who writes there: may put, get, list and delete below the prefix."),
  BACKUP_SECRET_ACCESS_KEY: field.secret("Its secret."),
  BACKUP_SERVER_ENCRYPTION: field.choice(
    "What the server encrypts with besides: what the bucket says, its own keys, or a key of KMS.",
    serverEncryptions,
    "bucket",
  ),
  BACKUP_KMS_KEY: field.text("The key's id with aws:kms; empty is the account's own.", ""),
  BACKUP_KEY: field.key256(
    "Wraps each backup's data key, and signs; without it no backup opens, so keep it elsewhere too.",
  ),
  BACKUP_KEYS_BEFORE: field.keys256("Keys that were BACKUP_KEY before, as long as backups of theirs are kept.", ""),
} satisfies Shape;

/** What is backed up, and restored. */
export const serversShape = {
  ...kafkaShape,
  POSTGRES_URL: field.secret(
    "postgres://user:password@host:port/database; to back up a user that may read all tables, to restore their owner.",
  ),
  CLICKHOUSE_URL: field.url("ClickHouse over HTTP."),
  CLICKHOUSE_USERNAME: field.text("To back up a user with the rights of astralog_backup.", "astralog_backup"),
  CLICKHOUSE_PASSWORD: field.secret("Its password.", ""),
  CLICKHOUSE_DATABASE: field.text("The database with the tables.", "astralog"),
  SINK_GROUP: field.text("The sink's consumer group, which a restore sets back.", "sink.shared"),
} satisfies Shape;

export const takeShape = {
  ...bucketShape,
  ...serversShape,
  BACKUP_KEEP_DAYS: field.integer(
    "Days that a backup is kept; retention must know the same.",
    { min: 1, max: 3_650 },
    "14",
  ),
  BACKUP_KEEP_MOST: field.integer(
    "Backups that are kept at most, the newest; older ones go.",
    { min: 1, max: 10_000 },
    "500",
  ),
  BACKUP_SLICE_ROWS: field.integer(
    "Rows of ClickHouse that are read, sealed and restored at a time.",
    { min: 1_000, max: 10_000_000 },
    "1000000",
  ),
  BACKUP_PART_KB: field.integer(
    "A part of ClickHouse from so many kilobytes on is stored by itself, and not again by the next backup.",
    { min: 0, max: 100_000_000 },
    "16384",
  ),
} satisfies Shape;

export const shape = {
  ...takeShape,
  BACKUP_EVERY_MINUTES: field.integer("How often a backup is begun.", { min: 1, max: 10_080 }, "60"),
} satisfies Shape;

/** Keys that sign are made of those that wrap, so that there is one thing to keep. */
const signerOf = (key: Buffer): AuditSigner =>
  createAuditSigner(createHmac("sha256", key).update("astralog-backup-signing").digest());

export interface Vault {
  readonly bucket: Bucket;
  readonly keys: KeyProvider;
  readonly signer: AuditSigner;
  /** Public keys, base64, whose signature counts. */
  readonly trusted: ReadonlySet<string>;
}

/** An operator's address is taken as it is: he may well back up to a server beside. */
export const openVault = (config: Config<typeof bucketShape>): Vault => {
  const prefix = config.BACKUP_PREFIX;
  if (prefix !== "" && !/^[\w!.*'()-][\w!.*'()/-]*\/$/.test(prefix))
    throw new Fault(
      "invalid_config",
      `BACKUP_PREFIX must be letters, digits and - _ . with a slash at its end, not "${prefix}".`,
    );
  const all = [config.BACKUP_KEY, ...config.BACKUP_KEYS_BEFORE] as const;
  return {
    bucket: createBucket({
      settings: {
        ...{ kind: config.BACKUP_KIND, endpoint: config.BACKUP_ENDPOINT.replace(/\/$/, ""), prefix },
        ...{ region: config.BACKUP_REGION, bucket: config.BACKUP_BUCKET },
        ...{ encryption: config.BACKUP_SERVER_ENCRYPTION, kms_key: config.BACKUP_KMS_KEY },
      },
      keys: { access_key_id: config.BACKUP_ACCESS_KEY_ID, secret_access_key: config.BACKUP_SECRET_ACCESS_KEY },
      folder: prefix,
      outgoing: createOutgoing({ allowed: anyAddress }),
      timeoutMs: 120_000,
    }),
    keys: createConfiguredKeys(all),
    signer: signerOf(config.BACKUP_KEY),
    trusted: new Set(all.map((key) => signerOf(key).publicKey)),
  };
};
