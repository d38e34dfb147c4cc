/** OTLP logs in JSON: lowerCamelCase or the proto's own names, ids in hex, 64-bit numbers as text or numbers. */
import { levelFromText } from "@astralog/schemas";
import { settleDigits, type TimeVerdict } from "@astralog/schemas/json/index";
import {
  arrayLeaf,
  booleanLeaf,
  checkDepth,
  doubleLeaf,
  type KeyValues,
  type LogRecord,
  nothing,
  RecordProblem,
  type Surroundings,
  surroundings,
  textLeaf,
  type Value,
} from "./otlp-event.ts";

/** The text is not JSON, or not such a request. */
export class OtlpJsonError extends Error {
  override readonly name = "OtlpJsonError";
}

type Fields = Readonly<Record<string, unknown>>;

const bareLongNumber = /[:[,]\s*-?\d{16}/;

/** Parses the body; integers that a double cannot hold stay text. Throws an OtlpJsonError. */
export const parseOtlpJson = (text: string): Fields => {
  let value: unknown;
  try {
    value = bareLongNumber.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
  } catch (error) {
    throw new OtlpJsonError((error as Error).message.replace(/".*"/s, "…"));
  }
  return object(value, "the body");
};

const keepDigits = (_key: string, value: unknown, context?: { source?: string }): unknown =>
  typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "")
    ? context?.source
    : value;

const object = (value: unknown, what: string): Fields => {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new OtlpJsonError(`${what} must be an object`);
  return value as Fields;
};

/** The member by either of its names; absent and null are the same in protobuf's JSON. */
const member = (fields: Fields, camel: string, snake: string): unknown => {
  for (const name of [camel, snake]) if (Object.hasOwn(fields, name) && fields[name] !== null) return fields[name];
  return undefined;
};

const list = (fields: Fields, camel: string, snake: string): readonly unknown[] => {
  const value = member(fields, camel, snake) ?? [];
  if (!Array.isArray(value)) throw new OtlpJsonError(`${camel} must be an array`);
  return value;
};

const text = (fields: Fields, camel: string, snake: string): string => {
  const value = member(fields, camel, snake) ?? "";
  if (typeof value !== "string") throw new OtlpJsonError(`${camel} must be a string`);
  return value.toWellFormed();
};

/** A small number, also when it is written as text. */
const count = (fields: Fields, camel: string, snake: string): number => {
  const value = Number(member(fields, camel, snake) ?? 0);
  if (!Number.isSafeInteger(value)) throw new OtlpJsonError(`${camel} must be a whole number`);
  return value;
};

/** Visits each record with what surrounds it, in order. Throws an OtlpJsonError when the body is no such request. */
export function* jsonRecords(body: Fields): Generator<{ record: Fields; around: () => Surroundings }> {
  for (const resourceLogs of list(body, "resourceLogs", "resource_logs")) {
    const outer = object(resourceLogs, "an item of resourceLogs");
    const resource = attributesOf(object(member(outer, "resource", "resource") ?? {}, "resource"), 1);
    for (const scopeLogs of list(outer, "scopeLogs", "scope_logs")) {
      const inner = object(scopeLogs, "an item of scopeLogs");
      const scope = object(member(inner, "scope", "scope") ?? {}, "scope");
      let made: Surroundings | undefined;
      const around = () =>
        (made ??= surroundings(resource, {
          name: text(scope, "name", "name"),
          version: text(scope, "version", "version"),
          attributes: attributesOf(scope, 1),
        }));
      for (const record of list(inner, "logRecords", "log_records"))
        yield { record: object(record, "an item of logRecords"), around };
    }
  }
}

const attributesOf = (fields: Fields, depth: number): KeyValues =>
  keyValues(list(fields, "attributes", "attributes"), depth);

const keyValues = (items: readonly unknown[], depth: number): KeyValues =>
  items.map((item) => {
    const pair = object(item, "an attribute");
    return [text(pair, "key", "key"), anyValue(member(pair, "value", "value"), depth)] as const;
  });

const anyValue = (given: unknown, depth: number): Value => {
  checkDepth(depth);
  if (given === undefined || given === null) return nothing;
  const value = object(given, "a value");
  const of = (camel: string, snake: string): unknown => member(value, camel, snake);
  const string = of("stringValue", "string_value");
  if (string !== undefined) return textLeaf(String(string).toWellFormed());
  const boolean = of("boolValue", "bool_value");
  if (boolean !== undefined) return booleanLeaf(boolean === true);
  const int = of("intValue", "int_value");
  if (int !== undefined) {
    const digits = String(int);
    if (!/^-?\d{1,20}$/.test(digits)) throw new RecordProblem("value_malformed", "intValue is not a whole number.");
    return { letter: "n", text: digits };
  }
  const double = of("doubleValue", "double_value");
  if (double !== undefined) return doubleLeaf(Number(double));
  const array = of("arrayValue", "array_value");
  if (array !== undefined)
    return arrayLeaf(list(object(array, "arrayValue"), "values", "values").map((item) => anyValue(item, depth + 1)));
  const map = of("kvlistValue", "kvlist_value");
  if (map !== undefined) return keyValues(list(object(map, "kvlistValue"), "values", "values"), depth + 1);
  const bytes = of("bytesValue", "bytes_value");
  return bytes === undefined ? nothing : textLeaf(String(bytes));
};

/** Decodes one record. Throws an OtlpJsonError or a RecordProblem. */
export const jsonRecord = (fields: Fields): LogRecord => {
  const severity = member(fields, "severityNumber", "severity_number") ?? 0;
  return {
    severityNumber:
      typeof severity === "string" && severity.startsWith("SEVERITY_NUMBER_")
        ? (levelFromText(severity.slice(16)) ?? 0)
        : count(fields, "severityNumber", "severity_number"),
    severityText: text(fields, "severityText", "severity_text"),
    body: anyValue(member(fields, "body", "body"), 1),
    attributes: attributesOf(fields, 1),
    droppedAttributes: count(fields, "droppedAttributesCount", "dropped_attributes_count"),
    flags: count(fields, "flags", "flags"),
    traceId: text(fields, "traceId", "trace_id").toLowerCase(),
    spanId: text(fields, "spanId", "span_id").toLowerCase(),
    eventName: text(fields, "eventName", "event_name"),
    // Last, because the result lies in one place for all.
    time: timeOf(fields),
  };
};

const timeOf = (fields: Fields): TimeVerdict => {
  const digits = timeDigits(fields);
  return digits === "" ? "no_time" : settleDigits(digits);
};

/** The time's digits, or the observed time's; "" when there is neither. */
const timeDigits = (fields: Fields): string => {
  for (const value of [
    member(fields, "timeUnixNano", "time_unix_nano"),
    member(fields, "observedTimeUnixNano", "observed_time_unix_nano"),
  ]) {
    if (value === undefined || value === 0 || value === "0" || value === "") continue;
    const digits = String(value);
    if (!/^\d{1,20}$/.test(digits))
      throw new RecordProblem("time_out_of_range", "The time is no 64-bit number of nanoseconds.", "timeUnixNano");
    return digits;
  }
  return "";
};

/** Whether every record says when it happened or was seen. Throws an OtlpJsonError. */
export const allTimedJson = (body: Fields): boolean => {
  for (const { record } of jsonRecords(body)) {
    const timed = ["timeUnixNano", "time_unix_nano", "observedTimeUnixNano", "observed_time_unix_nano"].some(
      (name) => Object.hasOwn(record, name) && Number(record[name]) > 0,
    );
    if (!timed) return false;
  }
  return true;
};
