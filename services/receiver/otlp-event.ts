/**
 * From OpenTelemetry's log record to an Event, however it was encoded. The record's own attributes keep their names;
 * the resource's keep theirs too and step back behind `resource.` where both have one; a body that is a map lies under
 * `body.`, the scope under `scope.`.
 */
import { type Event, levelFromText, levelName } from "@astralog/schemas";
import { earliest, instant, latest, maxDepth, maxFields, type TimeVerdict } from "@astralog/schemas/json/index";

/** A value as the text it is stored as, with its letter of attribute_types. */
export interface Leaf {
  readonly letter: "s" | "n" | "b" | "0" | "j";
  readonly text: string;
}
export type KeyValues = readonly (readonly [string, Value])[];
export type Value = Leaf | KeyValues;

export const isLeaf = (value: Value): value is Leaf => !Array.isArray(value);

export const nothing: Leaf = { letter: "0", text: "null" };
export const textLeaf = (text: string): Leaf => ({ letter: "s", text });
export const booleanLeaf = (value: boolean): Leaf => ({ letter: "b", text: String(value) });
/** NaN and the infinities are no numbers in JSON, so they are text. */
export const doubleLeaf = (value: number): Leaf =>
  Number.isFinite(value) ? { letter: "n", text: Object.is(value, -0) ? "-0" : String(value) } : textLeaf(String(value));
export const arrayLeaf = (items: readonly Value[]): Leaf => ({
  letter: "j",
  text: `[${items.map(jsonText).join(",")}]`,
});

const jsonText = (value: Value): string => {
  if (!isLeaf(value)) return `{${value.map(([key, item]) => `${JSON.stringify(key)}:${jsonText(item)}`).join(",")}}`;
  return value.letter === "s" ? JSON.stringify(value.text) : value.text;
};

/** Thrown when one record cannot be taken; the others of its request can. */
export class RecordProblem extends Error {
  override readonly name = "RecordProblem";
  readonly code: string;
  readonly field: string | undefined;
  constructor(code: string, message: string, field?: string) {
    super(message);
    this.code = code;
    this.field = field;
  }
}

/** To be called with the depth of each nested value. Throws a RecordProblem. */
export const checkDepth = (depth: number): void => {
  if (depth >= maxDepth) throw new RecordProblem("too_deep", `The record nests deeper than ${maxDepth}.`);
};

/** Flat pairs with their letters. */
interface Flat {
  readonly pairs: string[];
  letters: string;
}

const flatten = (into: Flat, prefix: string, values: KeyValues): void => {
  for (const [key, value] of values) {
    const name = prefix + key;
    if (isLeaf(value)) {
      into.pairs.push(name, value.text);
      into.letters += value.letter;
    } else if (value.length === 0) {
      into.pairs.push(name, "{}");
      into.letters += "j";
    } else flatten(into, `${name}.`, value);
  }
};

/** What all records of a scope share, flattened once. */
export interface Surroundings {
  readonly service: string;
  readonly host: string;
  readonly flat: Flat;
}

export const surroundings = (
  resource: KeyValues,
  scope: { name: string; version: string; attributes: KeyValues },
): Surroundings => {
  const named = (wanted: string): string => {
    const value = resource.find(([key]) => key === wanted)?.[1];
    return value !== undefined && isLeaf(value) && value.letter === "s" ? value.text : "";
  };
  const service = named("service.name");
  const host = named("host.name");
  const flat: Flat = { pairs: [], letters: "" };
  flatten(
    flat,
    "",
    resource.filter(([key]) => !(key === "service.name" && service !== "") && !(key === "host.name" && host !== "")),
  );
  const about: [string, Value][] = [];
  if (scope.name !== "") about.push(["name", textLeaf(scope.name)]);
  if (scope.version !== "") about.push(["version", textLeaf(scope.version)]);
  flatten(flat, "scope.", [...about, ...scope.attributes]);
  return { service, host, flat };
};

export interface LogRecord {
  /** What event-time.ts said of the time, or of the observed time where there is none; its result is in `instant`. */
  time: TimeVerdict;
  severityNumber: number;
  severityText: string;
  body: Value;
  attributes: KeyValues;
  droppedAttributes: number;
  flags: number;
  /** Hex in lower case; "" for none. */
  traceId: string;
  spanId: string;
  eventName: string;
}

const messageNames = new Set(["message", "msg", "log", "text"]);

/** Throws a RecordProblem. The event is only good until the next call. */
export const toEvent = (record: LogRecord, { service, host, flat: around }: Surroundings): Event => {
  if (record.time === "out_of_range")
    throw new RecordProblem(
      "time_out_of_range",
      `The time is outside what can be stored, ${earliest} to ${latest}.`,
      "timeUnixNano",
    );
  const known = record.time === "time";
  const own: Flat = { pairs: [], letters: "" };
  flatten(own, "", record.attributes);

  let message = "";
  const { body } = record;
  if (isLeaf(body)) message = body.letter === "0" ? "" : body.text;
  else {
    const found = body.find(([key, value]) => messageNames.has(key) && isLeaf(value) && value.letter === "s");
    if (found !== undefined) message = (found[1] as Leaf).text;
    flatten(own, "body.", found === undefined ? body : body.filter((pair) => pair !== found));
  }

  const { severityNumber, severityText } = record;
  const numbered = severityNumber >= 1 && severityNumber <= 24;
  const level = numbered ? severityNumber : (levelFromText(severityText) ?? 0);
  const extra: [string, Value][] = [];
  if (severityText !== "" && severityText.toLowerCase() !== levelName(level))
    extra.push(["severity_text", textLeaf(severityText)]);
  if (severityNumber !== 0 && !numbered) extra.push(["severity_number", { letter: "n", text: String(severityNumber) }]);
  if (record.eventName !== "") extra.push(["event_name", textLeaf(record.eventName)]);
  if (record.flags !== 0) extra.push(["trace_flags", { letter: "n", text: String(record.flags) }]);
  if (record.droppedAttributes !== 0)
    extra.push(["dropped_attributes_count", { letter: "n", text: String(record.droppedAttributes) }]);
  const trace = id(record.traceId, 32, "trace_id", extra);
  const span = id(record.spanId, 16, "span_id", extra);
  flatten(own, "", extra);

  return {
    millis: known ? instant.millis : 0,
    nanos: known ? instant.nanos : 0,
    level,
    service,
    host,
    message,
    trace_id: trace,
    span_id: span,
    attributes: distinct(own.pairs, around.pairs),
    attribute_types: (own.letters + around.letters).replace(/s+$/, ""),
  };
};

const id = (text: string, length: number, name: string, extra: [string, Value][]): string => {
  if (text === "" || /^0+$/.test(text)) return "";
  if (text.length === length && /^[0-9a-f]+$/.test(text)) return text;
  extra.push([name, textLeaf(text)]);
  return "";
};

/** Both lists, with a new name for whatever would stand twice: nothing is lost. */
const distinct = (own: readonly string[], around: readonly string[]): string[] => {
  if (own.length + around.length > maxFields * 2)
    throw new RecordProblem("too_many_fields", `The record has more than ${maxFields} attributes.`);
  const seen = new Set<string>();
  const pairs: string[] = [];
  const add = (name: string, value: string, second: string): void => {
    let free = seen.has(name) ? second : name;
    for (let n = 2; seen.has(free); n++) free = `${second}#${n}`;
    seen.add(free);
    pairs.push(free, value);
  };
  for (let i = 0; i < own.length; i += 2) add(own[i] as string, own[i + 1] as string, own[i] as string);
  for (let i = 0; i < around.length; i += 2)
    add(around[i] as string, around[i + 1] as string, `resource.${around[i] as string}`);
  return pairs;
};
