/**
 * The topics are data: their shape, and who may touch them. Topics, ACLs and Kafka users are made from this table
 * (deploy/local does it for the embedded stack, the api's `provision` command for a cluster), so a right that is not
 * written here does not exist.
 */

/** One Kafka principal per kind of process. */
export const principals = ["receiver", "redactor", "sink", "api"] as const;
export type Principal = (typeof principals)[number];

/** What a record's value is. Its Confluent subject is `<topic>-value`. */
export type RecordName = "EventBatch" | "DeadLetter" | "KeyRecord" | "SourceRecord" | "AuditHead" | "KeyUses";

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
}

const hour = 3_600_000;
const mebi = 1_048_576;

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
    read: ["sink", "api"],
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
  },
  keys: {
    name: "control.keys",
    partitions: 1,
    value: "KeyRecord",
    key: "SHA-256 of the key, hex",
    cleanup: "compact",
    retentionMs: -1,
    maxMessageBytes: mebi,
    write: ["api"],
    read: ["receiver", "api"],
  },
  sources: {
    name: "control.sources",
    partitions: 1,
    value: "SourceRecord",
    key: "tenant/source",
    cleanup: "compact",
    retentionMs: -1,
    maxMessageBytes: mebi,
    write: ["api"],
    read: ["receiver", "redactor", "sink", "api"],
  },
  auditHeads: {
    name: "control.audit-heads",
    partitions: 1,
    value: "AuditHead",
    key: "tenant",
    cleanup: "compact",
    retentionMs: -1,
    maxMessageBytes: mebi,
    write: ["api"],
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
} as const satisfies Record<string, Topic>;

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
  // The api's verify compares positions with the ledger.
  { name: "redactor", join: ["redactor"], describe: ["api"] },
  { name: "sink", join: ["sink"], describe: ["api"] },
  { name: "api", join: ["api"], describe: [] },
];
