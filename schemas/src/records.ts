/**
 * The Avro records as avsc types: the reference codec. The hand-written one in event-batch.ts is tested against it, and
 * every slow path (another writer's schema, control records, dead letters) goes through here.
 *
 * Every Avro `long` is a bigint here: event times in nanoseconds do not fit a double.
 */
import { readFileSync } from "node:fs";
import avro, { type Schema, type Type } from "avsc";
import type { RecordName } from "./topics.ts";

export interface KeyRecord {
  hash: string;
  id: string;
  kind: "ingest" | "query" | "admin";
  tenant: string;
  source: string;
  expires_at: bigint;
  revoked_at: bigint;
  ip_allowlist: string[];
  permissions: string[];
  sources: string[];
}

export interface SourceRecord {
  tenant: string;
  source: string;
  name: string;
  disabled: boolean;
  retention_days: number;
  partitions: number;
  max_bytes_per_second: bigint;
  /** For each partition of the source's native topic, the partition of events.clean; empty without such a topic. */
  native_partitions: number[];
}

/** What a tenant may send; plans.ts says what each limit means. */
export interface TenantLimits {
  tenant: string;
  plan: string;
  retention_days: number;
  partitions: number;
  max_bytes_per_second: bigint;
  daily_bytes: bigint;
}

/** What the ledger has of a tenant for one day, up to these raw offsets. */
export interface TenantUsage {
  tenant: string;
  day: string;
  bytes: bigint;
  through: Record<string, bigint>;
}

/** The signed head of a tenant's audit trail; audit-head.ts has it with a time as text. */
export interface AuditHeadRecord {
  tenant: string;
  seq: bigint;
  hash: string;
  at: bigint;
  key_id: string;
  signature: string;
}

export interface KeyUsesRecord {
  uses: { id: string; at: bigint }[];
}

export interface AlertRuleRecord {
  tenant: string;
  rule: string;
  version: number;
  effective_from: bigint;
  definition: string;
}

export interface AlertActionRecord {
  tenant: string;
  action: string;
  kind: "silence" | "maintenance" | "acknowledgement" | "snooze" | "resolution";
  matchers: string;
  incident: string;
  starts_at: bigint;
  ends_at: bigint;
  schedule: string;
  by: string;
  comment: string;
  updated_at: bigint;
}

export interface AlertDestinationRecord {
  tenant: string;
  destination: string;
  definition: string;
}

export interface ArchiveStateRecord {
  tenant: string;
  connection: string;
  partition: number;
  state: string;
}

export interface StorageConnectionRecord {
  tenant: string;
  connection: string;
  definition: string;
}

export interface AlertDeliveryRecord {
  tenant: string;
  kind: string;
  id: string;
  at: bigint;
  body: string;
}

export interface RetentionRuleRecord {
  tenant: string;
  rule: string;
  definition: string;
}

export interface DeletionRecord {
  tenant: string;
  deletion: string;
  definition: string;
}

export interface RehydrationRecord {
  tenant: string;
  rehydration: string;
  definition: string;
}

export interface RehydrationStateRecord {
  tenant: string;
  rehydration: string;
  state: string;
}

export interface AlertCounter {
  rule: string;
  version: number;
  lane: string;
  pane: bigint;
  group: string[];
  count: bigint;
  other: bigint;
  sum: number;
  min: number;
  max: number;
  numbers: bigint;
  event: string;
  line: string;
}

export interface AlertMatch {
  rule: string;
  version: number;
  group: string[];
  lane: string;
  offset: bigint;
  index: number;
  at: bigint;
  event: string;
  line: string;
}

export interface AlertPartials {
  partition: number;
  through: bigint;
  watermark: bigint;
  seen: bigint;
  known: bigint;
  admitted: { rule: string; version: number }[];
  counters: AlertCounter[];
  matches: AlertMatch[];
}

export type AlertState = "ok" | "pending" | "firing" | "resolved" | "nodata" | "errored";

export interface AlertTransition {
  id: string;
  kind: "change" | "mark";
  tenant: string;
  rule: string;
  rule_version: number;
  rule_name: string;
  group: Record<string, string>;
  labels: Record<string, string>;
  severity: string;
  incident: string;
  sequence: number;
  from_state: AlertState;
  to_state: AlertState;
  window_from: bigint;
  window_to: bigint;
  judged_at: bigint;
  value: number | null;
  threshold: number | null;
  completeness: number;
  reason: string;
  query: string;
  events: string[];
  lines: string[];
}

export interface AlertSnapshot {
  partition: number;
  through: bigint;
  at: bigint;
  format: number;
  body: Buffer;
}

export interface DeadLetter {
  tenant: string;
  source: string;
  topic: string;
  partition: number;
  offset: bigint;
  index: number;
  reason: string;
  detail: string;
  died_at: bigint;
  payload_bytes: number;
  payload: Buffer;
}

/** What avsc returns for an Event; see event-batch.ts for the form the data path uses. */
export interface EventRecord {
  timestamp: bigint;
  level: number;
  service: string;
  host: string;
  message: string;
  trace_id: string;
  span_id: string;
  attribute_types: string;
  attributes: Record<string, string>;
}

export interface EventBatchRecord {
  tenant: string;
  source: string;
  received_at: bigint;
  protocol: string;
  retention_days: number;
  dedup_id: string;
  accepted: number;
  raw_topic: string;
  raw_partition: number;
  raw_offset: bigint;
  dropped: Record<string, number>;
  redactions: Record<string, number>;
  ruleset: string;
  events: EventRecord[];
}

export interface Records {
  Event: EventRecord;
  EventBatch: EventBatchRecord;
  DeadLetter: DeadLetter;
  KeyRecord: KeyRecord;
  SourceRecord: SourceRecord;
  TenantLimits: TenantLimits;
  TenantUsage: TenantUsage;
  AuditHead: AuditHeadRecord;
  KeyUses: KeyUsesRecord;
  AlertRule: AlertRuleRecord;
  AlertAction: AlertActionRecord;
  AlertDestination: AlertDestinationRecord;
  AlertPartials: AlertPartials;
  AlertTransition: AlertTransition;
  AlertSnapshot: AlertSnapshot;
  AlertDelivery: AlertDeliveryRecord;
  StorageConnection: StorageConnectionRecord;
  ArchiveState: ArchiveStateRecord;
  RetentionRule: RetentionRuleRecord;
  Deletion: DeletionRecord;
  Rehydration: RehydrationRecord;
  RehydrationState: RehydrationStateRecord;
}

const longAsBigInt = avro.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === "bigint",
  compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
});

/** Parses any writer's schema the way this project reads Avro: longs are bigints. Throws on a schema Avro does not allow. */
export const parseAvro = (schema: Schema): Type =>
  avro.Type.forSchema(schema, { registry: { long: longAsBigInt }, wrapUnions: "auto" });

const read = (file: string): Schema =>
  JSON.parse(readFileSync(new URL(`../avro/${file}.avsc`, import.meta.url), "utf8"));

const event = read("event");
const eventBatch = read("event-batch") as { fields: { name: string; type: unknown }[] };
const events = eventBatch.fields.find((field) => field.name === "events") as { type: { items: unknown } };
// The registry and the container file need one self-contained schema.
events.type.items = event;

/** The writer schemas of this version, as registered. */
export const schemas: Record<RecordName, Schema> = {
  Event: event,
  EventBatch: eventBatch as unknown as Schema,
  DeadLetter: read("dead-letter"),
  KeyRecord: read("key-record"),
  SourceRecord: read("source-record"),
  TenantLimits: read("tenant-limits"),
  TenantUsage: read("tenant-usage"),
  AuditHead: read("audit-head"),
  KeyUses: read("key-uses"),
  AlertRule: read("alert-rule"),
  AlertAction: read("alert-action"),
  AlertDestination: read("alert-destination"),
  AlertPartials: read("alert-partials"),
  AlertTransition: read("alert-transition"),
  AlertSnapshot: read("alert-snapshot"),
  AlertDelivery: read("alert-delivery"),
  StorageConnection: read("storage-connection"),
  ArchiveState: read("archive-state"),
  RetentionRule: read("retention-rule"),
  Deletion: read("deletion"),
  Rehydration: read("rehydration"),
  RehydrationState: read("rehydration-state"),
};

export const types: { readonly [N in RecordName]: Type } = {
  Event: parseAvro(schemas.Event),
  EventBatch: parseAvro(schemas.EventBatch),
  DeadLetter: parseAvro(schemas.DeadLetter),
  KeyRecord: parseAvro(schemas.KeyRecord),
  SourceRecord: parseAvro(schemas.SourceRecord),
  TenantLimits: parseAvro(schemas.TenantLimits),
  TenantUsage: parseAvro(schemas.TenantUsage),
  AuditHead: parseAvro(schemas.AuditHead),
  KeyUses: parseAvro(schemas.KeyUses),
  AlertRule: parseAvro(schemas.AlertRule),
  AlertAction: parseAvro(schemas.AlertAction),
  AlertDestination: parseAvro(schemas.AlertDestination),
  AlertPartials: parseAvro(schemas.AlertPartials),
  AlertTransition: parseAvro(schemas.AlertTransition),
  AlertSnapshot: parseAvro(schemas.AlertSnapshot),
  AlertDelivery: parseAvro(schemas.AlertDelivery),
  StorageConnection: parseAvro(schemas.StorageConnection),
  ArchiveState: parseAvro(schemas.ArchiveState),
  RetentionRule: parseAvro(schemas.RetentionRule),
  Deletion: parseAvro(schemas.Deletion),
  Rehydration: parseAvro(schemas.Rehydration),
  RehydrationState: parseAvro(schemas.RehydrationState),
};

/** Encodes one record in the Confluent wire format: 0x00, the schema id as int32, Avro. */
export const encodeRecord = <N extends RecordName>(name: N, schemaId: number, record: Records[N]): Buffer => {
  const body = types[name].toBuffer(record);
  const head = Buffer.alloc(5);
  head.writeInt32BE(schemaId, 1);
  return Buffer.concat([head, body]);
};

/** Decodes one record written with this version's schema or, when `writer` is given, with that one. Throws on anything else. */
export const decodeRecord = <N extends RecordName>(name: N, value: Buffer, writer?: Type): Records[N] => {
  const body = value.subarray(5);
  if (writer === undefined) return types[name].fromBuffer(body) as Records[N];
  return types[name].fromBuffer(body, resolverFor(name, writer)) as Records[N];
};

const resolvers = new WeakMap<Type, Map<RecordName, ReturnType<Type["createResolver"]>>>();
const resolverFor = (name: RecordName, writer: Type) => {
  let byName = resolvers.get(writer);
  if (byName === undefined) resolvers.set(writer, (byName = new Map()));
  let resolver = byName.get(name);
  if (resolver === undefined) byName.set(name, (resolver = types[name].createResolver(writer)));
  return resolver;
};

/** The schema id of a Confluent-framed value, or undefined when it is not framed so. */
export const schemaIdOf = (value: Buffer): number | undefined =>
  value.length >= 5 && value[0] === 0 ? value.readInt32BE(1) : undefined;
