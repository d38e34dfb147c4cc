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
  /** A role in the customer's AWS account that is taken instead of keys; empty or absent: the keys open it. */
  readonly role_arn?: string;
}

export interface StorageKeys {
  readonly access_key_id: string;
  readonly secret_access_key: string;
  /** Of keys that last for a session. */
  readonly session_token?: string;
}

/** What must be allowed in a bucket, and no more; with `keys` also to use whatever key the bucket encrypts with. */
export const bucketPolicy = (bucket: string, prefix: string, { keys = false } = {}): object => {
  const at = `arn:aws:s3:::${bucket}`;
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"],
        Resource: `${at}/${prefix}*`,
      },
      {
        ...{ Effect: "Allow", Action: "s3:ListBucket", Resource: at },
        ...(prefix === "" ? {} : { Condition: { StringLike: { "s3:prefix": `${prefix}*` } } }),
      },
      ...(keys ? [{ Effect: "Allow", Action: ["kms:GenerateDataKey", "kms:Decrypt"], Resource: "*" }] : []),
    ],
  };
};

/** Who may take a role: this installation, and for this organization alone. */
export const trustPolicy = (principal: string, externalId: string): object => ({
  Version: "2012-10-17",
  Statement: [
    {
      ...{ Effect: "Allow", Principal: { AWS: principal }, Action: "sts:AssumeRole" },
      Condition: { StringEquals: { "sts:ExternalId": externalId } },
    },
  ],
});

/** As it stands in control.storage. */
export interface StorageConnection extends StorageSettings {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  /** Whether events are written there. */
  readonly archive: boolean;
  /** Days that an event lives there, counted from its receipt; null: as long as its owner leaves it. */
  readonly retention_days?: number | null;
  readonly version: number;
  /** Whether objects are encrypted before they leave us; decided when it is made, and never changed. Absent: they are not. */
  readonly client_encryption?: boolean;
  /** StorageSecrets as JSON, sealed under STORAGE_KEY for `storageBound`. */
  readonly sealed: string;
}

export interface StorageSecrets extends StorageKeys {
  /** Base64 of 32 bytes each: what new objects are encrypted under, and what it was before. Absent: nothing is. */
  readonly client_keys?: readonly string[];
}

/**
 * What a connection's secrets are bound to, so that they open for no other; nor for a service that is too old to know of
 * objects that must be encrypted, which would write them as they are.
 */
export const storageBound = ({
  tenant,
  id,
  client_encryption: encrypted = false,
}: Pick<StorageConnection, "tenant" | "id" | "client_encryption">): string =>
  JSON.stringify(["storage_connections", tenant, id, ...(encrypted ? ["client_encryption"] : [])]);

const padded = (value: number): string => String(value).padStart(16, "0");

const highest = 999_999_999_999_999;

/** What lies under each connection's own folder. Partitions and offsets are those of events.clean. */
export const archiveFolder = ({ prefix, id }: Pick<StorageConnection, "prefix" | "id">): string => `${prefix}${id}/`;

/**
 * Names of an archive's objects, below its folder. `day` is that of the events, YYYY-MM-DD, or `otherDay`; `first` is the
 * offset that the piece begins at, so a name says all that decides what is in it.
 */
export const archiveNames = {
  events: (day: string, source: string, partition: number, first: number): string =>
    `events/day=${day}/source=${source}/${partition}-${padded(first)}.parquet`,
  /** Made of others by a change. */
  changed: (day: string, source: string, change: number): string =>
    `events/day=${day}/source=${source}/c-${padded(change)}.parquet`,
  plan: (partition: number, first: number): string => `plans/${partition}/${padded(first)}.json`,
  manifests: (partition: number): string => `manifests/${partition}/`,
  /** A server lists by name: the newest comes first. */
  manifest: (partition: number, last: number): string =>
    `manifests/${partition}/${padded(highest - last)}-${last}.json`,
  /** The head of the organization's audit trail when its last event was that one. */
  auditHead: (seq: number): string => `audit-heads/${padded(seq)}.json`,
};

/** Names of what changed objects that were finished: for each change a plan and, once it holds, that it is done. */
export const changeNames = {
  folder: "changes/",
  /** A server lists by name: the newest comes first, and of one number what is done before what was planned. */
  of: (number: number, state: "done" | "plan"): string =>
    `changes/${padded(highest - number)}-${number}-${state === "done" ? 1 : 2}-${state}.json`,
};

/** Where events lie whose own time is far from when they came, before or after. */
export const otherDay = "other";
/** So many days before and after its receipt an event has a day of its own. */
export const archiveDays = { before: 35, after: 2 } as const;

/** The columns of an archived event, as ClickHouse reads them. They are those of `events`, less what only a table needs. */
const columns = {
  ...{ tenant: "String", source: "String", timestamp: "DateTime64(9, 'UTC')", received_at: "DateTime64(3, 'UTC')" },
  ...{ level: "UInt8", service: "String", host: "String", message: "String", trace_id: "String", span_id: "String" },
  ...{ attribute_types: "String", attributes: "Map(String, String)" },
  ...{ topic: "String", partition: "UInt16", offset: "UInt64", idx: "UInt32" },
} as const;
export const archiveColumns = Object.entries(columns)
  .map(([name, type]) => `${name} ${type}`)
  .join(", ");

export const archiveColumnNames = Object.keys(columns);

/** What stands behind FROM where there is no object. */
const noEvents = `(SELECT ${Object.entries(columns)
  .map(([name, type]) => `defaultValueOfTypeName('${type.replaceAll("'", "\\'")}') AS ${name}`)
  .join(", ")} WHERE 0)`;

/**
 * What stands behind FROM where objects go along with a statement, each as a table of its own, with the columns that the
 * statement may name: `naming` is its text, or left out where it names all.
 */
export const sentTablesSql = (
  names: readonly string[],
  bind: (type: "String", value: string) => string,
  naming?: string,
): { sql: string; tables: string[]; columns: string } => {
  const words = new Set(naming?.match(/\w+/g));
  const named = Object.entries(columns).filter(([name]) => naming === undefined || words.has(name));
  // Rows are counted by one of them.
  const read = named.length === 0 ? Object.entries(columns).slice(0, 1) : named;
  const tables = names.map((_, i) => `sent_${i}`);
  const each = names.map(
    (name, i) => `SELECT ${bind("String", name)} AS _path, ${read.map(([one]) => one).join(", ")} FROM ${tables[i]}`,
  );
  return {
    ...{ tables, columns: read.map(([name, type]) => `${name} ${type}`).join(", ") },
    sql: names.length === 0 ? noEvents : `(${each.join(" UNION ALL ")})`,
  };
};

/** Bytes of names that one list may have: ClickHouse takes no parameter above 128 KiB. */
const mostListBytes = 100_000;

/**
 * What stands behind FROM to read exactly these objects, names below the connection's folder. Every value is bound: the
 * secret key stands in no text of a query, and ClickHouse masks it where it tells of one.
 */
export const archiveTableSql = (
  { endpoint, bucket, prefix, id }: Pick<StorageSettings, "endpoint" | "bucket" | "prefix"> & { readonly id: string },
  keys: StorageKeys,
  names: readonly string[],
  bind: (type: "String", value: string) => string,
): string => {
  if (names.length === 0) return noEvents;
  const lists: string[][] = [];
  let bytes = mostListBytes;
  for (const name of names) {
    if (bytes + name.length >= mostListBytes) lists.push([]);
    bytes = (lists.at(-1)?.length === 0 ? 0 : bytes) + name.length + 1;
    lists.at(-1)?.push(name);
  }
  const session = keys.session_token === undefined ? "" : `, ${bind("String", keys.session_token)}`;
  const access = `${bind("String", keys.access_key_id)}, ${bind("String", keys.secret_access_key)}${session}, 'Parquet', ${bind("String", archiveColumns)}`;
  const tables = lists.map((list) => {
    const which = list.length === 1 ? list[0] : `{${list.join(",")}}`;
    return `s3(${bind("String", `${endpoint}/${bucket}/${archiveFolder({ prefix, id })}${which}`)}, ${access})`;
  });
  return tables.length === 1 ? `${tables[0]}` : `(${tables.map((one) => `SELECT * FROM ${one}`).join(" UNION ALL ")})`;
};

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
  /** When an object was written last, by this piece or one before it; absent in manifests of old. */
  readonly last_object_at?: string | null;
  /** Everything since the beginning. */
  readonly total: { readonly objects: number; readonly events: number; readonly bytes: number };
}

export interface ArchiveObject {
  /** Below the connection's folder. */
  readonly name: string;
  readonly events: number;
  /** Of the Parquet itself, wherever it is encrypted, too. */
  readonly bytes: number;
  /** Hex; of the Parquet itself. */
  readonly sha256: string;
  /** Raw records whose events are in it, or those of their days: topic, partition, offset. */
  readonly records: readonly (readonly [topic: string, partition: number, offset: number])[];
}

/**
 * What retention, a deletion or compaction makes of finished objects. The plan is said first, then what it puts is put; it
 * holds once `done` is there under the same number, and then what it removes is removed. Only after that comes the next. So
 * at each moment the newest of these says which objects do not count: what a plan has put, or what a change has removed.
 */
export interface ArchiveChange {
  readonly version: 1;
  readonly number: number;
  readonly state: "plan" | "done";
  /** compaction, expired:<day> or the deletion's id; abandoned: a plan that nobody finished. */
  readonly why: string;
  readonly written_at: string;
  /** New objects; of a plan their names alone. */
  readonly put: readonly Pick<ArchiveObject, "name" | "events" | "bytes" | "sha256">[];
  readonly removed: readonly string[];
}

/** How far one partition of an archive is, as whoever writes it says in archive.state. */
export interface ArchiveState {
  /** Everything of the tenant's below this offset of events.clean is in the bucket. */
  readonly done: number;
  /** Records of events.clean behind that. */
  readonly lag: number;
  /** Of the partition, since the connection was made: objects, events and bytes written. */
  readonly total: ArchiveManifest["total"];
  /** RFC 3339; null before the first. */
  readonly last_object_at: string | null;
  /** Code and words of what keeps it from going on; null when nothing does. */
  readonly problem: { readonly code: string; readonly detail: string; readonly since: string } | null;
  readonly at: string;
}
