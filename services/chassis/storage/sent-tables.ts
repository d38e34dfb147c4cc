/** Objects that go along with a statement of ClickHouse's, as tables that are there for it alone: it cannot read what is encrypted. */
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";

export interface SentTable {
  /** As the statement names it. */
  readonly table: string;
  readonly parquet: Buffer;
}

export interface SentTables {
  readonly tables: readonly SentTable[];
  /** Names and types of the columns that are read of each. */
  readonly columns: string;
}

/** What `exec` of the client takes beside the statement and its parameters. */
export const sentTables = ({ tables, columns }: SentTables) => {
  const boundary = `astralog-${randomBytes(24).toString("hex")}`;
  const parts = tables.flatMap(({ table, parquet }) => [
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${table}"; filename="${table}"\r\n\r\n`),
    ...[parquet, Buffer.from("\r\n")],
  ]);
  return {
    values: Readable.from([...parts, Buffer.from(`--${boundary}--\r\n`)]),
    http_headers: { "Content-Type": `multipart/form-data; boundary=${boundary}` },
    settings: Object.fromEntries(
      tables.flatMap(({ table }) => [
        [`${table}_format`, "Parquet"],
        [`${table}_structure`, columns],
      ]),
    ) as Record<string, string>,
  };
};
