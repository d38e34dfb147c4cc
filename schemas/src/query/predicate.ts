/**
 * AST to a predicate over one event in memory, for live tail, alerts and rules. It decides exactly as sql.ts does on the
 * server (services/api/search/equal.real.test.ts holds both against each other), so what a tail shows a search finds.
 *
 * Regular expressions come as RE2 source; who runs the predicate brings the engine, and should bring RE2: it takes time
 * in proportion to the text, whatever the expression.
 */
import type { Event } from "../event-batch.ts";
import type { Bound, Field, Query } from "./ast.ts";
import { nanosecondsIn, numberIn } from "./duration.ts";
import { equalSpellings } from "./spellings.ts";
import { matchesPieces } from "./text.ts";
import { wordPatternRegex } from "./word-pattern.ts";
import { lowerAscii, wordsOf } from "./words.ts";

export interface EventInMemory extends Event {
  /** The source's id. */
  readonly source: string;
  /** The value of the first attribute of that name, where that is known without reading all of them. */
  attribute?(name: string): string | undefined;
}

export interface PredicateContext {
  /** Source id to name, of the tenant. */
  readonly sources: ReadonlyMap<string, string>;
  /** Compiles RE2 source to a test for "somewhere in this text". */
  readonly regex: (source: string) => (text: string) => boolean;
}

export type Predicate = (event: EventInMemory) => boolean;

export const toPredicate = (query: Query, context: PredicateContext): Predicate => {
  switch (query.type) {
    case "all":
      return () => true;
    case "and": {
      const parts = query.parts.map((part) => toPredicate(part, context));
      return (event) => parts.every((part) => part(event));
    }
    case "or": {
      const parts = query.parts.map((part) => toPredicate(part, context));
      return (event) => parts.some((part) => part(event));
    }
    case "not": {
      const part = toPredicate(query.part, context);
      return (event) => !part(event);
    }
    case "words":
      return hasWords(query.words.map(lowerAscii));
    case "contains": {
      const text = lowerAscii(query.text);
      return ({ message }) => fold(message).lower.includes(text);
    }
    case "wordPattern": {
      const test = context.regex(wordPatternRegex(query.pieces));
      return ({ message }) => test(fold(message).lower);
    }
    case "regex": {
      const test = context.regex(query.source);
      const read = textOf(query.field);
      return (event) => {
        const text = read(event);
        return text !== undefined && test(text);
      };
    }
    case "exists":
      return exists(query.field);
    case "equals":
      return equals(query.field, query.value, context);
    case "pattern":
      return pattern(query.field, query.pieces, context);
    case "levels":
      return ({ level }) => level >= query.min && level <= query.max;
    case "time": {
      const inside = within(query.min, query.max);
      return ({ millis, nanos }) => inside(BigInt(millis) * 1_000_000n + BigInt(nanos));
    }
    case "range": {
      const inside = within(query.min, query.max);
      const { path, unit } = query;
      return (event) => {
        const text = attributeOf(event, path) ?? "";
        return inside(unit === undefined ? numberIn(text) : nanosecondsIn(text, unit));
      };
    }
  }
};

/** NaN is inside no range, since every comparison with it is false. */
const within =
  <N extends number | bigint>(min: Bound<N> | undefined, max: Bound<N> | undefined) =>
  (value: N): boolean =>
    (min === undefined || (min.inclusive ? value >= min.value : value > min.value)) &&
    (max === undefined || (max.inclusive ? value <= max.value : value < max.value));

/** Many rules look at one event, one after the other: it is folded and split for all of them once. */
const folded = { message: "", lower: "", words: undefined as string[] | undefined };
const fold = (message: string): typeof folded => {
  if (folded.message !== message) {
    folded.message = message;
    folded.lower = lowerAscii(message);
    folded.words = undefined;
  }
  return folded;
};

/** As the text index has it: the words next to each other, whole. */
const hasWords =
  (words: readonly string[]): Predicate =>
  ({ message }) => {
    const [first = ""] = words;
    const { lower } = fold(message);
    if (!lower.includes(first)) return false;
    const there = (folded.words ??= wordsOf(lower));
    for (let at = there.indexOf(first); at >= 0; at = there.indexOf(first, at + 1)) {
      if (words.every((word, i) => there[at + i] === word)) return true;
    }
    return false;
  };

/** The first of a name, as a map is read on the server. */
export const attributeOf = (event: EventInMemory, path: string): string | undefined => {
  if (event.attribute !== undefined) return event.attribute(path);
  const { attributes } = event;
  for (let i = 0; i < attributes.length; i += 2) if (attributes[i] === path) return attributes[i + 1];
  return undefined;
};

const textOf = (field: Field): ((event: EventInMemory) => string | undefined) => {
  switch (field.kind) {
    case "attribute":
      return (event) => attributeOf(event, field.path);
    case "level":
    case "timestamp":
      return () => undefined;
    default: {
      const { kind } = field;
      return (event) => event[kind];
    }
  }
};

const exists = (field: Field): Predicate => {
  if (field.kind === "level") return ({ level }) => level > 0;
  if (field.kind === "timestamp") return () => true;
  const read = textOf(field);
  if (field.kind === "attribute") return (event) => read(event) !== undefined;
  return (event) => read(event) !== "";
};

const equals = (field: Field, value: string, { sources }: PredicateContext): Predicate => {
  const read = textOf(field);
  if (field.kind === "source") {
    return ({ source }) => source === value || (sources.get(source) ?? source) === value;
  }
  const wanted = new Set(field.kind === "attribute" ? equalSpellings(value) : [value]);
  return (event) => {
    const text = read(event);
    return text !== undefined && wanted.has(text);
  };
};

const pattern = (field: Field, pieces: readonly string[], { sources }: PredicateContext): Predicate => {
  const read = textOf(field);
  if (field.kind === "source") {
    return ({ source }) => {
      const name = sources.get(source);
      return name !== undefined && (matchesPieces(source, pieces) || matchesPieces(name, pieces));
    };
  }
  return (event) => {
    const text = read(event);
    return text !== undefined && matchesPieces(text, pieces);
  };
};
