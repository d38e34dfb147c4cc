/**
 * Rows to the bytes of a file, as many as there are and never more than a few blocks in memory. A file that could not be
 * finished is never ended: the connection breaks without its last chunk, which every HTTP client reports.
 */
import { pipeline } from "node:stream/promises";
import type { EventRow, RowContext } from "../search/event-rows.ts";
import { viewOf } from "../search/event-rows.ts";
import { csvLine } from "./csv.ts";

export const csvHeader = csvLine([
  ...["id", "timestamp", "received_at", "level", "severity_number", "source", "source_id", "service", "host"],
  ...["message", "trace_id", "span_id", "attributes"],
]);

export const csvRow = (row: EventRow, context: RowContext): string => {
  const { attributes, severity_number: severity, ...view } = viewOf(row, context);
  return csvLine([
    ...[view.id, view.timestamp, view.received_at, view.level, String(severity), view.source, view.source_id],
    ...[view.service, view.host, view.message, view.trace_id, view.span_id, JSON.stringify(attributes)],
  ]);
};

export const jsonRow = (row: EventRow, context: RowContext): string => `${JSON.stringify(viewOf(row, context))}\n`;

/** Each block of rows as one piece of text; `head` comes first. */
export async function* textOf(
  blocks: AsyncIterable<readonly { json<T>(): T }[]>,
  head: string,
  toText: (row: EventRow) => string,
): AsyncGenerator<string> {
  if (head !== "") yield head;
  for await (const rows of blocks) {
    let text = "";
    for (const row of rows) text += toText(row.json<EventRow>());
    yield text;
  }
}

/** True when everything was written; else the connection is broken off. */
export const sendWhole = async (
  pieces: AsyncIterable<string | Uint8Array>,
  response: NodeJS.WritableStream & { destroy(): unknown },
): Promise<Error | undefined> => {
  try {
    await pipeline(pieces, response);
    return undefined;
  } catch (error) {
    response.destroy();
    return error as Error;
  }
};
