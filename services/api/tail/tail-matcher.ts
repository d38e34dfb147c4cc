/** A query as a test on one live event, as ClickHouse would answer it for the stored one. */
import type { Event } from "@astralog/schemas";
import { type Field, parseQuery, type Query, type SqlNames, wordsOf } from "@astralog/schemas/query/index";
import { matchesPieces } from "@astralog/schemas/query/text";

type Matches = (event: Event, source: string) => boolean;

/** Throws QueryError. */
export const createMatcher = (q: string, now: number, names: SqlNames): Matches =>
  compile(parseQuery(q, { now }), names);

const compile = (query: Query, names: SqlNames): Matches => {
  switch (query.type) {
    case "all":
      return () => true;
    case "and":
    case "or": {
      const parts = query.parts.map((part) => compile(part, names));
      return query.type === "and"
        ? (event, source) => parts.every((part) => part(event, source))
        : (event, source) => parts.some((part) => part(event, source));
    }
    case "not": {
      const part = compile(query.part, names);
      return (event, source) => !part(event, source);
    }
    case "words": {
      const words = query.words.map(lowerAscii);
      return ({ message }) => holds(wordsOf(lowerAscii(message)), words);
    }
    case "contains": {
      const text = lowerAscii(query.text);
      return ({ message }) => lowerAscii(message).includes(text);
    }
    case "wordPattern": {
      const pieces = query.pieces.map(lowerAscii);
      return ({ message }) => wordsOf(lowerAscii(message)).some((word) => matchesPieces(word, pieces));
    }
    case "exists":
      return (event, source) => exists(query.field, event, source);
    case "equals":
      return ofField(query.field, names, (text) => sameText(text, query.value));
    case "pattern":
      return ofField(query.field, names, (text) => matchesPieces(text, query.pieces));
    case "levels":
      return ({ level }) => level >= query.min && level <= query.max;
    case "time":
      return ({ millis, nanos }) => within(BigInt(millis) * 1_000_000n + BigInt(nanos), query.min, query.max);
    case "range":
      return ({ attributes }) => {
        const text = attribute(attributes, query.path);
        const number = text === undefined || text.trim() === "" ? Number.NaN : Number(text);
        return !Number.isNaN(number) && within(number, query.min, query.max);
      };
  }
};

const within = <N extends number | bigint>(
  value: N,
  min: { value: N; inclusive: boolean } | undefined,
  max: { value: N; inclusive: boolean } | undefined,
): boolean =>
  (min === undefined || value > min.value || (min.inclusive && value === min.value)) &&
  (max === undefined || value < max.value || (max.inclusive && value === max.value));

/** Case is folded as the index folds it: ASCII letters only. */
const lowerAscii = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

const holds = (all: readonly string[], words: readonly string[]): boolean =>
  all.some((_, from) => words.every((word, i) => all[from + i] === word));

const attribute = (attributes: readonly string[], path: string): string | undefined => {
  for (let i = 0; i < attributes.length; i += 2) if (attributes[i] === path) return attributes[i + 1];
  return undefined;
};

/** Numbers are equal in each of their usual spellings: 500 and 500.0. */
const sameText = (text: string, value: string): boolean =>
  text === value || (decimal.test(text) && decimal.test(value) && Number(text) === Number(value));
const decimal = /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?$/;

const textOf = (field: Field, event: Event, source: string): string | undefined => {
  if (field.kind === "attribute") return attribute(event.attributes, field.path);
  if (field.kind === "source") return source;
  return field.kind === "level" || field.kind === "timestamp" ? undefined : event[field.kind];
};

const exists = (field: Field, event: Event, source: string): boolean => {
  if (field.kind === "level") return event.level > 0;
  if (field.kind === "timestamp") return true;
  const text = textOf(field, event, source);
  return field.kind === "attribute" ? text !== undefined : text !== "";
};

const ofField =
  (field: Field, names: SqlNames, test: (text: string) => boolean): Matches =>
  (event, source) => {
    const text = textOf(field, event, source);
    if (text === undefined) return false;
    return test(text) || (field.kind === "source" && test(names.sources.get(source) ?? text));
  };
