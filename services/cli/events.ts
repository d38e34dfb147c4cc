/**
 * A line as an event of a newline-delimited JSON body. A JSON line goes as the bytes it came in, so that no number or
 * order is changed; a line of text becomes the message of an event.
 */
import { Failure } from "./failure.ts";

export type LineFormat = "json" | "text";

/** JSON when the line is one JSON object; anything else is text. Decided by an input's first line. */
export const detectFormat = (line: Buffer): LineFormat => {
  if (line[0] !== 0x7b) return "text";
  try {
    JSON.parse(line.toString("utf8"));
    return "json";
  } catch {
    return "text";
  }
};

/** `k=v` pairs as an object. Throws Failure naming the pair that is none. */
export const parseFields = (pairs: readonly string[]): Record<string, string> => {
  const fields: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) throw new Failure(`--field takes name=value, not "${pair}".`, "For example: --field region=eu-1", 2);
    fields[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return fields;
};

/**
 * Makes the function that turns a line into an event. `fields` are given to every event and come first: where an event
 * has a field of that name itself, its own comes later and holds.
 */
export const eventWriter = (fields: Record<string, string>): ((line: Buffer, format: LineFormat) => Buffer) => {
  const given = JSON.stringify(fields).slice(1, -1);
  const opening = Buffer.from(given === "" ? "{" : `{${given},`);
  const openingAlone = Buffer.from(`{${given}`);
  const hasFields = given !== "";
  return (line, format) => {
    if (format === "text") return Buffer.from(JSON.stringify({ ...fields, message: line.toString("utf8") }));
    if (!hasFields) return line;
    let at = 1;
    while (at < line.length && isSpace(line[at])) at++;
    // Not an object: the receiver says so, with its index. An empty one takes no comma.
    if (line[0] !== 0x7b) return line;
    return Buffer.concat([line[at] === 0x7d ? openingAlone : opening, line.subarray(1)]);
  };
};

const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09;
