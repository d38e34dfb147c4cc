/**
 * From one JSON value to one Avro Event, with the limits that hold for it. The receiver's POST /v1/events and the
 * redactor's native topics read JSON through here, so both doors mean the same by it.
 */
import { EventMapper } from "./event-fields.ts";
import { Names } from "./field-names.ts";
import { type Field, makeRoles } from "./field-roles.ts";
import { JsonScanner } from "./json-scan.ts";
import { arrayText } from "./json-text.ts";
import type { Excess } from "./json-tokens.ts";
import { maxDepth, maxEventBytes, maxFields, maxNameBytes } from "./limits.ts";

export interface JsonReader {
  readonly scanner: JsonScanner;
  readonly mapper: EventMapper;
}

/** `named` are fields whose member the caller names itself; `remembered` bounds the member names kept for speed. */
export const makeReader = (named: Partial<Record<Field, string>> = {}, remembered?: number): JsonReader => {
  const scanner = new JsonScanner(new Names(makeRoles(named), remembered));
  return { scanner, mapper: new EventMapper(scanner) };
};

/** Why a value that is JSON is no event that we take. */
export interface Unfit {
  readonly code: string;
  readonly message: string;
  /** The member at fault, when it is one. */
  readonly field?: string;
}

const excessText: Record<Excess, string> = {
  too_deep: `The event nests deeper than ${maxDepth}.`,
  too_many_fields: `The event has more than ${maxFields} attributes.`,
  name_too_long: `An attribute's dotted name is longer than ${maxNameBytes} bytes.`,
};

export const tooLarge = (bytes: number): Unfit => ({
  code: "event_too_large",
  message: `The event has ${bytes} bytes; at most ${maxEventBytes} are taken.`,
});

/** Reads over the value that opens with `c` at the scanner's place; false when it is not JSON. */
export const scanValue = (scanner: JsonScanner, c: number): boolean =>
  c === 123 ? scanner.object() : scanner.value(0);

/** Maps the value just scanned, which opened with `c` and lies from start to end. The event stands in the mapper's writer. */
export const mapValue = ({ scanner, mapper }: JsonReader, c: number, start: number, end: number): Unfit | undefined => {
  const { buffer } = scanner;
  if (end - start > maxEventBytes) return tooLarge(end - start);
  if (scanner.excess !== undefined) return { code: scanner.excess, message: excessText[scanner.excess] };
  if (c === 123) {
    const problem = mapper.object();
    if (problem !== undefined) return { code: "time_out_of_range", ...problem };
  } else if (c === 34) {
    if (scanner.sawBackslash) mapper.line(scanner.unescape(start + 1, end - 1));
    else mapper.line(buffer, start + 1, end - 1);
  } else if (scanner.sawBackslash) mapper.line(arrayText(buffer.toString("utf8", start, end)));
  else mapper.line(buffer, start, end);
  return undefined;
};
