/** A tenant's own bucket: where it is, how it is reached, and how what is archived there is laid out. */

export const storageKinds = ["s3", "r2", "gcs", "compatible"] as const;
export type StorageKind = (typeof storageKinds)[number];

/** What the bucket's owner has objects encrypted with: what the bucket says, its own keys, or a key of theirs. */
export const serverEncryptions = ["bucket", "AES256", "aws:kms"] as const;
export type ServerEncryption = (typeof serverEncryptions)[number];

export interface StorageSettings {
  readonly kind: StorageKind;
  /** https://…, without a path. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Begins every object's name: empty, or with a slash at its end. */
  readonly prefix: string;
  readonly encryption: ServerEncryption;
  /** Of `aws:kms`; empty is the account's own. */
  readonly kms_key: string;
}

export interface StorageKeys {
  readonly access_key_id: string;
  readonly secret_access_key: string;
}

/** As it stands in control.storage. */
export interface StorageConnection extends StorageSettings {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  /** Whether events are written there. */
  readonly archive: boolean;
  readonly version: number;
  /** StorageKeys as JSON, sealed under STORAGE_KEY for `storageBound`. */
  readonly sealed: string;
}

/** What a connection's keys are bound to, so that they open for no other. */
export const storageBound = (tenant: string, id: string): string => JSON.stringify(["storage_connections", tenant, id]);

const number = (value: number): string => String(value).padStart(16, "0");

const highest = 999_999_999_999_999;

/** What lies under each connection's own folder. Partitions and offsets are those of events.clean. */
export const archiveFolder = ({ prefix, id }: Pick<StorageConnection, "prefix" | "id">): string => `${prefix}${id}/`;

/**
 * Names of an archive's objects, below its folder. `day` is that of the events, YYYY-MM-DD, or `otherDay`; `first` is the
 * offset that the piece begins at, so a name says all that decides what is in it.
 */
export const archiveNames = {
  events: (day: string, source: string, partition: number, first: number): string =>
    `events/day=${day}/source=${source}/${partition}-${number(first)}.parquet`,
  plan: (partition: number, first: number): string => `plans/${partition}/${number(first)}.json`,
  manifests: (partition: number): string => `manifests/${partition}/`,
  /** A server lists by name: the newest comes first. */
  manifest: (partition: number, last: number): string =>
    `manifests/${partition}/${number(highest - last)}-${last}.json`,
  /** The head of the organization's audit trail when its last event was that one. */
  auditHead: (seq: number): string => `audit-heads/${number(seq)}.json`,
};

/** Where events lie whose own time is far from when they came, before or after. */
export const otherDay = "other";
/** So many days before and after its receipt an event has a day of its own. */
export const archiveDays = { before: 35, after: 2 } as const;

/** The columns of an archived event, as ClickHouse reads them. They are those of `events`, less what only a table needs. */
export const archiveColumns = `tenant String, source String, timestamp DateTime64(9, 'UTC'), received_at DateTime64(3, 'UTC'),
  level UInt8, service String, host String, message String, trace_id String, span_id String, attribute_types String,
  attributes Map(String, String), topic String, partition UInt16, offset UInt64, idx UInt32`;

/**
 * What a piece of a partition will be, said before anything of it is written: whoever goes on after a crash, and whoever was
 * thought dead, writes the same objects. Numbers are offsets of events.clean.
 */
export interface ArchivePlan {
  readonly version: 1;
  readonly first: number;
  readonly last: number;
  /** Of the tenant's records: those that came before, and those whose dedup_id did. */
  readonly rewinds: readonly number[];
  readonly duplicates: readonly number[];
}

/** A finished piece of a partition; with those before it, all of the partition up to `last`. */
export interface ArchiveManifest {
  readonly version: 1;
  readonly connection: string;
  readonly tenant: string;
  /** Of events.clean. */
  readonly topic: string;
  readonly partition: number;
  readonly first: number;
  readonly last: number;
  readonly written_at: string;
  readonly objects: readonly ArchiveObject[];
  /** Of the tenant's records: what was not written, again or at all. */
  readonly skipped: { readonly rewinds: number; readonly duplicates: number; readonly unreadable: number };
  /** Raw topic/partition -> the highest raw offset so far. */
  readonly lanes: Readonly<Record<string, number>>;
  /** dedup_id and time of receipt, milliseconds, of what this piece took. */
  readonly ids: readonly (readonly [id: string, receivedAt: number])[];
  /** Everything since the beginning. */
  readonly total: { readonly objects: number; readonly events: number; readonly bytes: number };
}

export interface ArchiveObject {
  /** Below the connection's folder. */
  readonly name: string;
  readonly events: number;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  /** Raw records whose events are in it, or those of their days: topic, partition, offset. */
  readonly records: readonly (readonly [topic: string, partition: number, offset: number])[];
}
