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
 * Makes the function that turns a line into an event. `fields` are for events that lack them; the rest of a JSON line
 * keeps its bytes.
 */
export const eventWriter = (fields: Record<string, string>): ((line: Buffer, format: LineFormat) => Buffer) => {
  const given = Object.entries(fields);
  return (line, format) => {
    if (format === "text") return Buffer.from(JSON.stringify({ ...fields, message: line.toString("utf8") }));
    if (given.length === 0) return line;
    const names = membersOf(line);
    // Not an object: the receiver says so, with its index.
    if (names === undefined) return line;
    const missing = given.filter(([name]) => !names.has(name));
    if (missing.length === 0) return line;
    const start = line.indexOf("{") + 1;
    const opening = `{${JSON.stringify(Object.fromEntries(missing)).slice(1, -1)}${names.size === 0 ? "" : ","}`;
    return Buffer.concat([Buffer.from(opening), line.subarray(start)]);
  };
};

const membersOf = (line: Buffer): Set<string> | undefined => {
  try {
    const event: unknown = JSON.parse(line.toString("utf8"));
    return typeof event === "object" && event !== null && !Array.isArray(event)
      ? new Set(Object.keys(event))
      : undefined;
  } catch {
    return undefined;
  }
};
