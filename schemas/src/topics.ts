/**
 * The topics are data: their shape, and who may touch them. Topics, ACLs and Kafka users are made from this table
 * (deploy/local does it for the embedded stack, the api's `provision` command for a cluster), so a right that is not
 * written here does not exist.
 */

/**
 * One Kafka principal per kind of process, and `producers`: what the api manages Kafka-native producers as, so that its
 * everyday connections cannot.
 */
export const principals = [
  "receiver",
  "redactor",
  "sink",
  "archive",
  "alerter",
  "retention",
  "backup",
  "api",
  "producers",
] as const;
export type Principal = (typeof principals)[number];

/** What a record's value is. Its Confluent subject is `<topic>-value`. */
export type RecordName =
  | "Event"
  | "EventBatch"
  | "DeadLetter"
  | "KeyRecord"
  | "SourceRecord"
  | "TenantLimits"
  | "TenantUsage"
  | "AuditHead"
  | "KeyUses"
  | "AlertRule"
  | "AlertAction"
  | "AlertDestination"
  | "AlertPartials"
  | "AlertTransition"
  | "AlertSnapshot"
  | "AlertDelivery"
  | "StorageConnection"
  | "ArchiveState"
  | "RetentionRule"
  | "Deletion"
  | "Rehydration"
  | "RehydrationState";

export interface Topic {
  readonly name: string;
  readonly partitions: number;
  readonly value: RecordName;
  /** What the record's key says. */
  readonly key: string;
  readonly cleanup: "delete" | "compact";
  /** Milliseconds; unused by compacted topics. */
  readonly retentionMs: number;
  readonly maxMessageBytes: number;
  readonly write: readonly Principal[];
  readonly read: readonly Principal[];
  /** Who may ask how far its partitions go, and read nothing. */
  readonly describe?: readonly Principal[];
  /** Kafka's own settings beyond these. */
  readonly settings?: Readonly<Record<string, string>>;
}

const hour = 3_600_000;
const mebi = 1_048_576;

/** Rules' partials, state and transitions are spread alike: a rule's are all in one partition of each. */
const alertPartitions = 6;

/** Records that each say everything: only the newest is read, so a few megabytes of each partition are enough. */
const snapshots = {
  value: "AlertSnapshot",
  key: "none",
  cleanup: "delete",
  retentionMs: 14 * 24 * hour,
  maxMessageBytes: 8 * mebi,
  settings: { "retention.bytes": String(32 * mebi), "segment.bytes": String(16 * mebi) },
  write: ["alerter"],
  read: ["alerter"],
} as const;

/** What every service knows from the control plane: one partition keeps it in order, the last word of each key stays. */
const control = {
  partitions: 1,
  cleanup: "compact",
  retentionMs: -1,
  maxMessageBytes: mebi,
  write: ["api"],
} as const;

export const topics = {
  raw: {
    name: "events.raw",
    partitions: 12,
    value: "EventBatch",
    key: "none: the receiver chooses the partition",
    cleanup: "delete",
    // Unredacted text lives here and nowhere else, so it lives an hour.
    retentionMs: hour,
    maxMessageBytes: 4 * mebi,
    write: ["receiver", "api"],
    read: ["redactor"],
    // Its ends say what must have come through before a window, or a deletion, is complete; how old what is left is.
    describe: ["alerter", "retention"],
  },
  clean: {
    name: "events.clean",
    partitions: 12,
    value: "EventBatch",
    key: "none: partition p comes from partition p of events.raw",
    cleanup: "delete",
    // A destination may be down over a long week-end.
    retentionMs: 96 * hour,
    maxMessageBytes: 8 * mebi,
    write: ["redactor"],
    read: ["sink", "archive", "alerter", "api"],
    describe: ["retention"],
  },
  dead: {
    name: "events.dead",
    partitions: 3,
    value: "DeadLetter",
    key: "topic/partition/offset/index of what died",
    cleanup: "delete",
    retentionMs: 14 * 24 * hour,
    maxMessageBytes: 12 * mebi,
    write: ["redactor"],
    read: ["sink", "api"],
    describe: ["retention", "backup"],
  },
  keys: {
    name: "control.keys",
    value: "KeyRecord",
    key: "SHA-256 of the key, hex",
    ...control,
    read: ["receiver", "api"],
  },
  sources: {
    name: "control.sources",
    value: "SourceRecord",
    key: "tenant/source",
    ...control,
    read: ["receiver", "redactor", "sink", "alerter", "retention", "api"],
  },
  tenants: {
    name: "control.tenants",
    value: "TenantLimits",
    key: "tenant",
    ...control,
    read: ["receiver", "redactor", "retention", "api"],
  },
  usage: {
    name: "control.usage",
    value: "TenantUsage",
    key: "tenant",
    ...control,
    read: ["receiver", "api"],
  },
  auditHeads: {
    name: "control.audit-heads",
    value: "AuditHead",
    key: "tenant",
    ...control,
    read: ["api"],
  },
  keyUses: {
    name: "keys.uses",
    partitions: 1,
    value: "KeyUses",
    key: "none",
    cleanup: "delete",
    retentionMs: hour,
    maxMessageBytes: mebi,
    write: ["receiver", "api"],
    read: ["api"],
  },
  retentionRules: {
    name: "control.retention-rules",
    value: "RetentionRule",
    key: "tenant/rule",
    ...control,
    read: ["retention", "api"],
  },
  deletions: {
    name: "control.deletions",
    value: "Deletion",
    key: "tenant/deletion",
    ...control,
    read: ["retention", "api"],
  },
  rehydrations: {
    name: "control.rehydrations",
    value: "Rehydration",
    key: "tenant/rehydration",
    ...control,
    read: ["retention", "api"],
  },
  rehydrationStates: {
    name: "rehydrations.state",
    value: "RehydrationState",
    key: "tenant/rehydration",
    ...control,
    write: ["retention"],
    read: ["retention", "api"],
  },
  alertRules: {
    name: "control.alert-rules",
    value: "AlertRule",
    key: "tenant/rule",
    ...control,
    read: ["alerter", "api"],
  },
  alertActions: {
    name: "control.alert-actions",
    value: "AlertAction",
    key: "tenant/action",
    ...control,
    read: ["alerter", "api"],
  },
  alertDestinations: {
    name: "control.alert-destinations",
    value: "AlertDestination",
    key: "tenant/destination",
    ...control,
    read: ["alerter", "api"],
  },
  storage: {
    name: "control.storage",
    value: "StorageConnection",
    key: "tenant/connection",
    ...control,
    read: ["archive", "retention", "api"],
  },
  clickhouse: {
    name: "control.clickhouse",
    value: "StorageConnection",
    key: "tenant/connection",
    ...control,
    // The sink has no key to what is sealed in it: it asks whose events are kept elsewhere.
    read: ["sink", "archive", "retention", "api"],
  },
  archiveState: {
    name: "archive.state",
    value: "ArchiveState",
    key: "tenant/connection/partition",
    ...control,
    write: ["archive"],
    read: ["retention", "api"],
  },
  alertPartials: {
    name: "alerts.partials",
    partitions: alertPartitions,
    value: "AlertPartials",
    key: "none: a rule's partition is chosen by its name",
    cleanup: "delete",
    retentionMs: 96 * hour,
    maxMessageBytes: 8 * mebi,
    write: ["alerter"],
    read: ["alerter"],
    describe: ["retention"],
  },
  alertTransitions: {
    name: "alerts.transitions",
    partitions: alertPartitions,
    value: "AlertTransition",
    key: "incident",
    cleanup: "delete",
    retentionMs: 14 * 24 * hour,
    maxMessageBytes: mebi,
    write: ["alerter"],
    read: ["alerter", "api"],
    describe: ["retention"],
  },
  alertDeliveries: {
    name: "alerts.deliveries",
    partitions: alertPartitions,
    value: "AlertDelivery",
    key: "kind/tenant/id",
    cleanup: "compact",
    retentionMs: -1,
    maxMessageBytes: 4 * mebi,
    write: ["alerter"],
    read: ["alerter", "api"],
  },
  /** Of the first stage, by partition of events.clean. */
  alertPositions: { name: "alerts.positions", partitions: 12, ...snapshots },
  /** Of the second stage, by partition of alerts.partials. */
  alertState: { name: "alerts.state", partitions: alertPartitions, ...snapshots },
} as const satisfies Record<string, Topic>;

/** Topics that sources write to themselves begin with this, and so do their consumer's and producers' names. */
export const nativePrefix = "native.";

/** The topic of a source that writes to Kafka itself. Its producers' rights are made with them. */
export const nativeTopic = (source: string, partitions: number): Topic => ({
  name: nativePrefix + source,
  partitions,
  value: "Event",
  key: "the producer's; nobody reads it",
  cleanup: "delete",
  // Unredacted, as in events.raw.
  retentionMs: hour,
  // The largest event, and room for what Avro and Kafka put around it.
  maxMessageBytes: mebi + 65_536,
  write: [],
  read: ["redactor"],
  settings: {
    // received_at is the broker's time, not what a client says.
    "message.timestamp.type": "LogAppendTime",
    // Producers may use any codec, our consumer knows one: the broker unpacks, and refuses what is too large unpacked.
    "compression.type": "uncompressed",
  },
});

/** What may be done with all native topics: one rule by their prefix, because they come and go. */
export const nativeRights = {
  read: ["redactor"],
  // Dead letters go back to where they lay.
  write: ["api"],
  // The api's verify compares their ends with the ledger.
  // The alerter and retention: what has been sent must have come through before a window, or a deletion, is complete.
  describe: ["api", "alerter", "retention"],
  create: ["producers"],
  /** May change rights, users and their quotas. Kafka has no narrower rights for that than altering the cluster. */
  alterCluster: ["producers"],
} as const satisfies Record<string, readonly Principal[]>;

/** A topic's name on a cluster that several Astralogs share: `prefix` is put in front as it is. */
export const topicName = (topic: Topic, prefix = ""): string => prefix + topic.name;

export interface GroupRights {
  /** Group names begin with this, behind the cluster's prefix. */
  readonly name: string;
  /** Who may be a member, commit, and delete the group. */
  readonly join: readonly Principal[];
  /** Who may read its positions. */
  readonly describe: readonly Principal[];
}

/** Consumer groups, each named after the principal that owns it. */
export const groups: readonly GroupRights[] = [
  { name: "receiver", join: ["receiver"], describe: [] },
  // Verify compares positions with the ledger; the alerter asks what has been passed on where it saw nothing yet.
  { name: "redactor", join: ["redactor"], describe: ["api", "alerter", "retention"] },
  { name: "sink", join: ["sink"], describe: ["api", "retention", "backup"] },
  // One for each bucket: what is behind holds up nobody.
  { name: "archive", join: ["archive"], describe: ["api"] },
  { name: "alerter", join: ["alerter"], describe: [] },
  { name: "retention", join: ["retention"], describe: [] },
  { name: "api", join: ["api"], describe: [] },
];
