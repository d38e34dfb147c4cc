/** Rows of the table `events` as the API shows them. */
import { type EventAt, formatEventId, levelName } from "@astralog/schemas";

/** 64-bit numbers as text: JSON's numbers would round them. */
export const eventColumns = [
  "toString(toUnixTimestamp64Nano(timestamp))",
  "toString(toUnixTimestamp64Milli(received_at))",
  "level",
  "source",
  "service",
  "host",
  "message",
  "trace_id",
  "span_id",
  "attribute_types",
  "mapKeys(attributes)",
  "mapValues(attributes)",
  "topic",
  "partition",
  "toString(offset)",
  "idx",
].join(", ");

/** As JSONCompact has them, in the order of eventColumns. */
export type EventRow = [
  timestamp: string,
  receivedAt: string,
  level: number,
  source: string,
  service: string,
  host: string,
  message: string,
  traceId: string,
  spanId: string,
  attributeTypes: string,
  attributeKeys: string[],
  attributeValues: string[],
  topic: string,
  partition: number,
  offset: string,
  index: number,
];

/** More columns may follow. */
type AtLeast = readonly [...EventRow, ...unknown[]];

export interface EventView {
  readonly id: string;
  /** RFC 3339 with nine digits, UTC. */
  readonly timestamp: string;
  readonly received_at: string;
  /** trace … fatal, or "" when unspecified. */
  readonly level: string;
  readonly severity_number: number;
  /** The source's name, or its id when it has none any more. */
  readonly source: string;
  readonly source_id: string;
  readonly service: string;
  readonly host: string;
  readonly message: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly attributes: Record<string, unknown>;
}

export const rfc3339 = (nanoseconds: bigint): string => {
  const nanos = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = new Date(Number((nanoseconds - nanos) / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${nanos.toString().padStart(9, "0")}Z`;
};

export interface RowContext {
  readonly topicPrefix: string;
  readonly sourceNames: ReadonlyMap<string, string>;
}

export const positionOf = (row: AtLeast, topicPrefix: string): EventAt => ({
  topic: row[12].startsWith(topicPrefix) ? row[12].slice(topicPrefix.length) : row[12],
  partition: row[13],
  offset: Number(row[14]),
  index: row[15],
});

export const viewOf = (row: AtLeast, { topicPrefix, sourceNames }: RowContext): EventView => ({
  id: formatEventId(positionOf(row, topicPrefix)),
  timestamp: rfc3339(BigInt(row[0])),
  received_at: new Date(Number(row[1])).toISOString(),
  level: levelName(row[2]),
  severity_number: row[2],
  source: sourceNames.get(row[3]) || row[3],
  source_id: row[3],
  service: row[4],
  host: row[5],
  message: row[6],
  trace_id: row[7],
  span_id: row[8],
  attributes: attributesOf(row[9], row[10], row[11]),
});

// Keeps a number's literal as the client sent it: 12345678901234567890 stays that.
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

const asSent = (type: string, text: string): unknown => {
  if (type === "0") return null;
  if (type !== "n" && type !== "b" && type !== "j") return text;
  try {
    const value: unknown = JSON.parse(text);
    return type === "n" ? rawJSON(text) : value;
  } catch {
    return text;
  }
};

/** Without a prototype, so an attribute named __proto__ is an attribute. */
export const attributesOf = (types: string, keys: readonly string[], values: readonly string[]) => {
  const attributes: Record<string, unknown> = Object.create(null);
  keys.forEach((key, i) => {
    attributes[key] = asSent(types[i] ?? "s", values[i] ?? "");
  });
  return attributes;
};
