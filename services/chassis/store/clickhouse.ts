/** What storing needs of a ClickHouse, ours or a customer's, and what its failures mean. */
import { ClickHouseError } from "@clickhouse/client";

export interface Insert {
  query: string;
  /** Stands in system.processes while the insert runs, so that another sink can see it. */
  queryId: string;
  body: Buffer;
  params: Record<string, unknown>;
  /** How many rows, about. */
  rows: number;
}

export interface ClickHouse {
  /** Rows written. When this throws, the rows may be there, may be half there, or may yet come. */
  insert(insert: Insert): Promise<number>;
  rows<T>(query: string, params: Record<string, unknown>): Promise<T[]>;
  command(query: string, params: Record<string, unknown>): Promise<void>;
  close(): Promise<void>;
}

/**
 * refused: these data will never pass. fenced: another claim was written since. unclear: the server failed without a code
 * of its own, as it does when its Avro reader meets broken bytes, but also when a disk is full; the bytes must be looked
 * at. trouble: everything else, which is tried again for as long as it takes.
 */
export type Failure = "refused" | "fenced" | "unclear" | "trouble";

// ClickHouse's codes for data that are not what they should be. Limits, lacks and lost connections are not among them:
// those pass, and a batch must not be given up for them.
const refusing = new Set([
  "ATTEMPT_TO_READ_AFTER_EOF",
  "CANNOT_CONVERT_TYPE",
  "CANNOT_PARSE_INPUT_ASSERTION_FAILED",
  "CANNOT_PARSE_NUMBER",
  "CANNOT_PARSE_TEXT",
  "CANNOT_READ_ALL_DATA",
  "CANNOT_READ_ARRAY_FROM_TEXT",
  "CANNOT_READ_MAP_FROM_TEXT",
  "DECIMAL_OVERFLOW",
  "ILLEGAL_COLUMN",
  "INCORRECT_DATA",
  "SIZES_OF_ARRAYS_DONT_MATCH",
  "TOO_LARGE_ARRAY_SIZE",
  "TOO_LARGE_STRING_SIZE",
  "TYPE_MISMATCH",
  "UNEXPECTED_END_OF_FILE",
  "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE",
]);

export const failureOf = (error: unknown): Failure => {
  if (!(error instanceof ClickHouseError)) return error instanceof Error && !("code" in error) ? "unclear" : "trouble";
  if (error.type === "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO") return "fenced";
  return error.type !== undefined && refusing.has(error.type) ? "refused" : "trouble";
};

/** The code's name: all of an error that may be shown, since a message can quote data. */
export const failureCode = (error: unknown): string =>
  error instanceof ClickHouseError
    ? (error.type ?? error.code)
    : ((error as { code?: string }).code ?? (error instanceof Error ? error.name : "unknown"));

/**
 * Parts smaller than this are written without their skip indexes, which the next merge builds: each part is synced file by
 * file, and half of them were indexes (at 10 k events/s 635 -> 430 ms to searchable at p99). To read such a part whole costs
 * a search little.
 */
export const fewRows = 20_000;

/** What every insert and question of ours is asked with. */
export const storeSettings = {
  async_insert: 0,
  max_execution_time: 60,
  // Retention may differ from row to row, and each day of expiry is a partition.
  max_partitions_per_insert_block: "0",
  input_format_avro_allow_missing_fields: 1,
  output_format_json_quote_64bit_integers: 0,
  date_time_output_format: "iso",
} as const;
