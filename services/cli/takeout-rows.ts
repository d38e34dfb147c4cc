/** The events of a takeout's Parquet files, as they were stored: to the nanosecond, and with attributes in their order. */
import { zstdDecompressSync } from "node:zlib";
import { parquetMetadata, parquetReadObjects } from "hyparquet";

/** Its rows, by its own footer. */
export const countRows = (body: Buffer): number => Number(parquetMetadata(bufferOf(body)).num_rows);

const bufferOf = (body: Buffer): ArrayBuffer =>
  body.buffer.slice(body.byteOffset, body.byteOffset + body.byteLength) as ArrayBuffer;

export interface TakenEvent {
  /** Nanoseconds since the epoch, in decimal. */
  readonly timestamp: string;
  readonly level: number;
  readonly service: string;
  readonly host: string;
  readonly message: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly attribute_types: string;
  /** key, value, key, value … */
  readonly attributes: readonly string[];
}

/** Events that were accepted together. */
export interface TakenRecord {
  /** Where they lay: topic/partition/offset. */
  readonly origin: string;
  /** Milliseconds since the epoch. */
  readonly received_at: number;
  readonly events: readonly TakenEvent[];
}

const columns = [
  ...["timestamp", "received_at", "level", "service", "host", "message", "trace_id", "span_id", "attribute_types"],
  ...["attributes", "attribute_keys", "topic", "partition", "offset", "idx"],
];

const parsers = {
  timestampFromMilliseconds: (millis: bigint) => millis * 1_000_000n,
  timestampFromMicroseconds: (micros: bigint) => micros * 1_000n,
  timestampFromNanoseconds: (nanos: bigint) => nanos,
  dateFromDays: (days: number) => days,
  stringFromBytes: (bytes: Uint8Array | undefined) => (bytes === undefined ? "" : Buffer.from(bytes).toString("utf8")),
};

const text = (value: unknown): string =>
  typeof value === "string" ? value : value === null ? "" : String(value ?? "");

/** The records of a file, in its order, which has the events of each beside each other. */
export const readRecords = async (body: Buffer): Promise<TakenRecord[]> => {
  const rows = await parquetReadObjects({
    ...{ file: bufferOf(body), columns, parsers: parsers as never },
    compressors: { ZSTD: (input) => zstdDecompressSync(input) },
  });
  const records: { origin: string; received_at: number; events: TakenEvent[] }[] = [];
  for (const row of rows) {
    const origin = `${text(row.topic)}/${row.partition}/${row.offset}`;
    const values = (row.attributes ?? {}) as Record<string, unknown>;
    const event: TakenEvent = {
      timestamp: String(row.timestamp),
      level: Number(row.level),
      ...{ service: text(row.service), host: text(row.host), message: text(row.message) },
      ...{ trace_id: text(row.trace_id), span_id: text(row.span_id), attribute_types: text(row.attribute_types) },
      attributes: ((row.attribute_keys ?? []) as unknown[]).flatMap((key) => [text(key), text(values[text(key)])]),
    };
    const last = records.at(-1);
    if (last?.origin === origin) last.events.push(event);
    else records.push({ origin, received_at: Number((row.received_at as bigint) / 1_000_000n), events: [event] });
  }
  return records;
};
