/** What became of the records a receipt names, from the ledger. */
import { formatReceipt, type ReceiptPart } from "@astralog/schemas";
import { createBinder } from "@astralog/schemas/query/index";
import { ownerSql, type Scope, type Sql } from "./scope.ts";

/** Records one look-up may name; the receiver puts far fewer into a receipt. */
export const maxReceiptParts = 200;

export interface ReceiptRecord {
  readonly record: string;
  readonly state: "stored" | "pending";
  /** Events accepted, as the receipt says while the record is pending. */
  readonly accepted: number;
  readonly stored: number;
  readonly dropped: Record<string, number>;
  readonly redactions: Record<string, number>;
  /** RFC 3339; null while the record is pending, like the two below. */
  readonly received_at: string | null;
  readonly stored_at: string | null;
  /** The redactor's rules that the record passed. */
  readonly ruleset: string | null;
}

export const receiptSql = (scope: Scope, parts: readonly ReceiptPart[]): Sql => {
  const { params, bind } = createBinder();
  const places = parts.map(
    (part) =>
      `(topic = ${bind("String", scope.topicPrefix + part.topic)} AND partition = ${bind("Int64", part.partition)} AND offset = ${bind("Int64", part.offset)})`,
  );
  return {
    query: `SELECT topic, partition, toString(offset), accepted, stored, dropped, redactions,
  toString(toUnixTimestamp64Milli(received_at)), toString(toUnixTimestamp64Milli(inserted_at)), ruleset
FROM tenant_batches WHERE ${ownerSql(scope, bind)} AND (${places.join(" OR ")})`,
    params,
  };
};

export type LedgerRow = [
  topic: string,
  partition: number,
  offset: string,
  accepted: number,
  stored: number,
  dropped: Record<string, number>,
  redactions: Record<string, number>,
  receivedAt: string,
  storedAt: string,
  ruleset: string,
];

const instant = (millis: string | undefined): string | null =>
  millis === undefined ? null : new Date(Number(millis)).toISOString();

export const receiptRecords = (
  parts: readonly ReceiptPart[],
  rows: readonly LedgerRow[],
  topicPrefix: string,
): ReceiptRecord[] => {
  const byPlace = new Map(rows.map((row) => [`${row[0]}/${row[1]}/${row[2]}`, row]));
  return parts.map((part) => {
    const row = byPlace.get(`${topicPrefix}${part.topic}/${part.partition}/${part.offset}`);
    return {
      record: formatReceipt([part]),
      state: row === undefined ? "pending" : "stored",
      accepted: row?.[3] ?? part.count,
      stored: row?.[4] ?? 0,
      dropped: row?.[5] ?? {},
      redactions: row?.[6] ?? {},
      received_at: instant(row?.[7]),
      stored_at: instant(row?.[8]),
      ruleset: row?.[9] ?? null,
    };
  });
};
