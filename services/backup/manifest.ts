/**
 * What a backup is: one signed document that names every object of it, and is written last. Without it the objects are
 * nothing; with it they are all there. It names no tenant and holds no data.
 */
import { Fault } from "@astralog/chassis";
import { type AuditSigner, isSealed, type Json } from "@astralog/schemas";

/** One sealed object. */
export interface Piece {
  readonly name: string;
  readonly bytes: number;
  /** Of the sealed bytes, hex. */
  readonly sha256: string;
}

/** One answer of a server, which is read back with one statement: the pieces in order are its bytes. */
export interface Slice {
  readonly rows: number;
  readonly pieces: readonly Piece[];
}

/** A part of a table. One that a later backup finds again is not stored twice, so it may lie among another's objects. */
export interface Part {
  /** The part's name and the hash of its files; empty for the rest, which is of many small ones. */
  readonly identity: string;
  readonly slices: readonly Slice[];
}

export interface Column {
  readonly name: string;
  readonly type: string;
}

export interface TableDump {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly parts: readonly Part[];
}

export interface Manifest {
  readonly v: 1;
  readonly id: string;
  readonly began_at: string;
  readonly ended_at: string;
  /** After that it is removed, once there is a newer one. */
  readonly expires_at: string;
  /** By the id of the backup that made it: the key that its objects are sealed with, wrapped. */
  readonly data_keys: Readonly<Record<string, { readonly wrapped_by: string; readonly wrapped: string }>>;
  readonly clickhouse: {
    /** How many migrations had been applied. */
    readonly version: number;
    readonly tables: readonly TableDump[];
  };
  readonly postgres: {
    /** The last migration. */
    readonly version: string;
    readonly tables: readonly { readonly name: string; readonly slices: readonly Slice[] }[];
    /** Data keys of what is sealed. Those of the newest backup count for all, so a key that was deleted is gone from each. */
    readonly keys: readonly Slice[];
    readonly sequences: readonly { readonly name: string; readonly last: string }[];
  };
  readonly kafka: {
    readonly clean_topic: string;
    readonly dead_topic: string;
    /** The ledger's highest offset: of events and ledger rows those up to it are restored, and no others. */
    readonly raw: readonly { readonly topic: string; readonly partition: number; readonly high: number }[];
    /** Where the sink goes on. */
    readonly clean: readonly { readonly partition: number; readonly next: number }[];
    readonly dead: readonly { readonly partition: number; readonly next: number }[];
  };
}

const kind = "backup-manifest";
type Document = { readonly [name: string]: Json };

export const manifestName = (id: string): string => `manifests/${id}.json`;
export const idOfManifest = (name: string): string | undefined => /^manifests\/([\w-]+)\.json$/.exec(name)?.[1];
export const dataFolder = (id: string): string => `data/${id}/`;

/** Ids are in the order of their times. */
export const newId = (now: Date, random: string): string =>
  `${now.toISOString().slice(0, 19).replace(/[-:]/g, "")}Z-${random}`;

export const signManifest = (signer: AuditSigner, manifest: Manifest): string =>
  JSON.stringify(signer.seal(kind, manifest as unknown as Document));

/** Faults: `backup_refused` when it is not signed by a key that counts, or is of a later version. */
export const readManifest = (text: string, trusted: ReadonlySet<string>): Manifest => {
  const refuse = (why: string): Fault => new Fault("backup_refused", `The manifest ${why}.`);
  let document: Document;
  try {
    document = JSON.parse(text) as Document;
  } catch {
    throw refuse("is not JSON");
  }
  const publicKey = String(document.public_key);
  if (!trusted.has(publicKey)) throw refuse("is not signed by BACKUP_KEY or one of BACKUP_KEYS_BEFORE");
  if (!isSealed(kind, document, publicKey)) throw refuse("was changed after it was signed");
  if (document.v !== 1) throw refuse(`is of version ${String(document.v)}, which this release does not know`);
  return document as unknown as Manifest;
};

/** Every slice, and what it is of. Data keys are apart: only the newest backup has them. */
export const slicesOf = (manifest: Manifest): { readonly of: string; readonly slice: Slice }[] => [
  ...manifest.clickhouse.tables.flatMap(({ name, parts }) =>
    parts.flatMap(({ slices }) => slices.map((slice) => ({ of: `clickhouse ${name}`, slice }))),
  ),
  ...manifest.postgres.tables.flatMap(({ name, slices }) => slices.map((slice) => ({ of: `postgres ${name}`, slice }))),
];

export const keySlicesOf = (manifest: Manifest) =>
  manifest.postgres.keys.map((slice) => ({ of: "postgres data_keys", slice }));

export const sizeOf = (manifest: Manifest): { rows: number; bytes: number; own: number } => {
  const found = { rows: 0, bytes: 0, own: 0 };
  for (const { slice } of [...slicesOf(manifest), ...keySlicesOf(manifest)]) {
    found.rows += slice.rows;
    for (const { name, bytes } of slice.pieces) {
      found.bytes += bytes;
      if (name.startsWith(dataFolder(manifest.id))) found.own += bytes;
    }
  }
  return found;
};

/** Which backups go: those past their time or beyond the number, the newest never. `ids` in order. */
export const expired = (
  manifests: readonly Pick<Manifest, "id" | "expires_at">[],
  { now, most }: { now: number; most: number },
): string[] => {
  const newestFirst = manifests.toSorted((a, b) => (a.id < b.id ? 1 : -1));
  return newestFirst
    .filter(({ expires_at }, i) => i > 0 && (i >= most || Date.parse(expires_at) <= now))
    .map(({ id }) => id);
};

/** Names of all objects that these backups need. */
export const neededBy = (manifests: readonly Manifest[]): Set<string> => {
  const names = new Set<string>();
  const newest = manifests.toSorted((a, b) => (a.id < b.id ? 1 : -1))[0];
  for (const manifest of manifests) {
    const slices = manifest === newest ? [...slicesOf(manifest), ...keySlicesOf(manifest)] : slicesOf(manifest);
    for (const { slice } of slices) for (const { name } of slice.pieces) names.add(name);
  }
  return names;
};
