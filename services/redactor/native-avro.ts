/**
 * A record of a native topic in the Confluent wire format, written under any registered schema that resolves to Event or
 * EventBatch. Each event is decoded and written anew, so nothing that was put together by hand in bytes goes further.
 */
import {
  AvroError,
  AvroReader,
  type Event,
  type EventBatchRecord,
  type EventRecord,
  frameBytes,
  readBatchHeader,
  readEventFrom,
  types,
} from "@astralog/schemas";
import type { Type } from "avsc";
import { Poison, type Writer } from "./verdict.ts";

/** Reads a framed value's events. Throws Poison or AvroError. */
export type ReadEvents = (value: Buffer) => Iterable<Event>;

const readers = new WeakMap<Writer, ReadEvents>();

/** Throws Poison when the writer's schema is neither kind. */
export const eventsReader = (writer: Writer, id: number): ReadEvents => {
  const known = readers.get(writer);
  if (known !== undefined) return known;
  const made = readerOf(writer, id);
  readers.set(writer, made);
  return made;
};

const readerOf = (writer: Writer, id: number): ReadEvents => {
  const fingerprint = writer.fingerprint();
  if (fingerprint.equals(types.Event.fingerprint())) return readOwnEvent;
  if (fingerprint.equals(types.EventBatch.fingerprint())) return readOwnBatch;
  const name = writer.name?.slice(writer.name.lastIndexOf(".") + 1);
  if (name !== "Event" && name !== "EventBatch")
    throw new Poison("wrong_schema", `schema id ${id} is of ${writer.name ?? "no record"}`);
  if (hasEndlessItems(writer))
    throw new Poison("wrong_schema", `schema id ${id} has an array whose items take no bytes`);
  const reader = types[name];
  let resolver: ReturnType<Type["createResolver"]>;
  try {
    // Whose namespace it is says nothing about its fields.
    resolver = reader.createResolver(writer, { ignoreNamespaces: true });
  } catch {
    throw new Poison("wrong_schema", `schema id ${id} does not resolve to ${name}`);
  }
  return (value) => {
    let record: unknown;
    try {
      record = reader.fromBuffer(value.subarray(frameBytes), resolver);
    } catch (error) {
      throw new Poison("undecodable", `under schema id ${id}: ${error instanceof Error ? error.name : "unknown"}`);
    }
    const records = name === "Event" ? [record as EventRecord] : (record as EventBatchRecord).events;
    return records.map(eventOf);
  };
};

const million = 1_000_000n;

/** A writer's int comes as a number where a long is a bigint. */
const eventOf = ({ timestamp, attributes, ...rest }: EventRecord): Event => {
  const time = BigInt(timestamp);
  const nanos = ((time % million) + million) % million;
  return {
    ...rest,
    millis: Number((time - nanos) / million),
    nanos: Number(nanos),
    attributes: Object.entries(attributes).flat(),
  };
};

function* readOwnEvent(value: Buffer): Generator<Event> {
  const reader = new AvroReader(value, frameBytes);
  yield readEventFrom(reader);
  if (reader.at !== value.length) throw new AvroError("bytes follow the event", reader.at);
}

function* readOwnBatch(value: Buffer): Generator<Event> {
  const reader = new AvroReader(value, readBatchHeader(value).eventsAt);
  for (let count = reader.block(); count > 0; count = reader.block())
    for (let i = 0; i < count; i++) yield readEventFrom(reader);
  if (reader.at !== value.length) throw new AvroError("bytes follow the last event", reader.at);
}

/** A few bytes could announce billions of such items, and reading over them would take minutes. */
const hasEndlessItems = (type: Type, seen = new Set<Type>()): boolean => {
  if (seen.has(type)) return false;
  seen.add(type);
  const parts = partsOf(type);
  if (type.typeName === "array" && parts.some((part) => isEmpty(part))) return true;
  return parts.some((part) => hasEndlessItems(part, seen));
};

const isEmpty = (type: Type, within = new Set<Type>()): boolean => {
  if (type.typeName === "null") return true;
  if (type.typeName === "fixed") return (type as unknown as { size: number }).size === 0;
  if (type.typeName !== "record" && type.typeName !== "error") return false;
  if (within.has(type)) return true;
  within.add(type);
  return partsOf(type).every((part) => isEmpty(part, within));
};

const partsOf = (type: Type): Type[] => {
  const {
    fields = [],
    types: branches = [],
    itemsType,
    valuesType,
  } = type as unknown as {
    fields?: { type: Type }[];
    types?: Type[];
    itemsType?: Type;
    valuesType?: Type;
  };
  return [...fields.map((field) => field.type), ...branches, itemsType, valuesType].filter(
    (part) => part !== undefined,
  );
};
