/**
 * Everything of an organization as files, and the manifest that is signed for them. Written by the api, read by the command;
 * docs/takeout.md describes each file. Signed like the audit trail's heads, with the same key.
 */
import type { Json } from "./audit.ts";
import { type AuditSigner, isSealed, type Sealable } from "./audit-head.ts";

export const takeoutFormat = "astralog.takeout/1";

export const takeoutParts = ["events", "configuration", "audit"] as const;
export type TakeoutPart = (typeof takeoutParts)[number];

/** Those of the configuration, in the order in which an import must take them: later ones name ids of earlier ones. */
export const configurationFiles = [
  ...(["organization", "roles", "sources", "teams", "members", "keys", "producers", "retention-rules"] as const),
  ...(["alert-destinations", "alert-rules", "views", "dashboards", "annotations"] as const),
  ...(["storage-connections", "clickhouse-connections"] as const),
  ...(["sso-connections", "domains", "audit-streams"] as const),
] as const;
export type ConfigurationFile = (typeof configurationFiles)[number];

export const takeoutNames = {
  manifest: "manifest.json",
  audit: "audit/audit.jsonl",
  configuration: (file: ConfigurationFile): string => `configuration/${file}.json`,
  events: (day: string, source: string, part: number): string =>
    `events/day=${day}/source=${source}/${String(part).padStart(4, "0")}.parquet`,
};

/** Which file of the configuration a name is of; undefined for another. */
export const configurationOf = (name: string): ConfigurationFile | undefined =>
  configurationFiles.find((file) => takeoutNames.configuration(file) === name);

export interface TakeoutFile {
  readonly name: string;
  readonly kind: TakeoutPart;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  /** Events, entries of the configuration, or events of the trail. */
  readonly rows: number;
  /** Of events: the source's id, and the sum of their rows' hashes modulo 2^64, in decimal (`rowHashSql`). */
  readonly source?: string;
  readonly checksum?: string;
}

export interface TakeoutBody {
  readonly format: typeof takeoutFormat;
  readonly id: string;
  readonly organization: { readonly id: string; readonly name: string };
  readonly requested_by: string;
  /** RFC 3339: when the ends of the topics were read. */
  readonly cut: string;
  /** What lies below these offsets is in it, of each raw topic by partition. */
  readonly offsets: Readonly<Record<string, readonly number[]>>;
  readonly issued_at: string;
  readonly parts: readonly TakeoutPart[];
  /** Where the trail in it ends. */
  readonly audit_head: { readonly seq: number; readonly hash: string } | null;
  readonly files: readonly TakeoutFile[];
  readonly total: { readonly files: number; readonly bytes: number; readonly events: number };
}

export interface TakeoutManifest extends TakeoutBody {
  readonly key_id: string;
  readonly public_key: string;
  readonly signature: string;
}

const seal = "takeout-manifest";

export const signTakeout = (signer: AuditSigner, body: TakeoutBody): TakeoutManifest =>
  signer.seal(seal, body as unknown as { readonly [name: string]: Json }) as unknown as TakeoutManifest;

/** A name that cannot lead out of the folder it is taken into. */
const isPlain = (name: string): boolean =>
  name.length <= 300 && /^[\w=.-]+(?:\/[\w=.-]+)*$/.test(name) && !name.split("/").some((one) => /^\.+$/.test(one));

/** What is wrong with a manifest; empty when it is whole and signed by that key. Never throws. */
export const takeoutProblems = (manifest: TakeoutManifest, publicKey: string): string[] => {
  const problems: string[] = [];
  if (!isSealed(seal, manifest as unknown as Sealable, publicKey))
    return ["the manifest is not signed by this key, or was changed since"];
  if (manifest.format !== takeoutFormat)
    return [`the manifest is of the format ${String(manifest.format)}; this reads ${takeoutFormat}`];
  if (new Set(manifest.files.map(({ name }) => name)).size !== manifest.files.length)
    problems.push("the manifest names a file twice");
  const odd = manifest.files.find(({ name }) => !isPlain(name));
  if (odd !== undefined) problems.push(`the manifest names a file outside its folder: ${odd.name}`);
  return problems;
};

const ids = { takeout: /^tko_[0-9A-Za-z]{12}$/ };

/** Where a takeout lies in the operator's store or, below the connection's folder, in a customer's bucket. */
export interface TakeoutPlace {
  readonly tenant: string;
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly expires: number;
}

export const takeoutsFolder = "takeouts/";

/** A name that says all that whoever removes it must know. */
export const takeoutFolder = ({ tenant, id, created, expires }: TakeoutPlace): string =>
  `${takeoutsFolder}${tenant}/${id}-${created}-${expires}/`;

/** The place of an object's name, undefined when it is of no takeout. */
export const takeoutPlaceOf = (name: string): TakeoutPlace | undefined => {
  const [, tenant = "", id = "", created, expires] = /^takeouts\/(\w+)\/(\w+)-(\d+)-(\d+)\//.exec(name) ?? [];
  return ids.takeout.test(id) ? { tenant, id, created: Number(created), expires: Number(expires) } : undefined;
};

/** What the import of a takeout was made of. */
export const importDedupId = (run: string, file: number, origin: string): string => `import/${run}/${file}/${origin}`;

const text = (column: string): string => `toString(length(${column})), ':', ${column}`;

/**
 * A row's hash: the first eight bytes, little endian, of the SHA-256 over what an event is, wherever it is stored. The sum over
 * rows in any order, modulo 2^64, tells whether two tables hold the same events. Where it lies (source, coordinates) is no
 * part of it, for an import gives that anew.
 */
export const rowHashSql = `reinterpretAsUInt64(substring(SHA256(concat(
  toString(toUnixTimestamp64Nano(timestamp)), ' ', toString(toUnixTimestamp64Milli(received_at)), ' ', toString(level), ' ',
  ${["service", "host", "message", "trace_id", "span_id", "attribute_types"].map(text).join(", ")},
  arrayStringConcat(arrayMap((k, v) -> concat(toString(length(k)), ':', k, toString(length(v)), ':', v),
    mapKeys(attributes), mapValues(attributes)))
)), 1, 8))`;
