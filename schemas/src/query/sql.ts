/**
 * AST to a ClickHouse condition. What a user wrote reaches the server as bound parameters only: the SQL text is made of
 * the constants in this file.
 *
 * Words, phrases and patterns ask lower(message), which is what the text index on the message is made of, so the answer
 * is the same whether the server reads the index or the text.
 */
import type { Bound, Field, Query } from "./ast.ts";
import { durationUnits } from "./duration.ts";
import { equalSpellings } from "./spellings.ts";
import { sliceLength, sliceSql } from "./sql-time.ts";
import { matchesPieces } from "./text.ts";
import { wordPatternRegex } from "./word-pattern.ts";
import { lowerAscii } from "./words.ts";

export type SqlParams = Record<string, string | number | readonly string[]>;

export interface Compiled {
  /** A condition over the table `events`. */
  readonly sql: string;
  readonly params: SqlParams;
}

export interface SqlNames {
  /** Source id to name, of the tenant that asks: queries name sources, rows hold ids. */
  readonly sources: ReadonlyMap<string, string>;
}

/** Collects parameters; `bind` returns the placeholder. */
export const createBinder = (prefix = "p") => {
  const params: SqlParams = {};
  let count = 0;
  return {
    params,
    bind: (
      type: "String" | "Float64" | "UInt8" | "Int64" | "Array(String)",
      value: string | number | readonly string[],
    ): string => {
      const name = `${prefix}${count++}`;
      params[name] = value;
      return `{${name}:${type}}`;
    },
  };
};

export type Bind = ReturnType<typeof createBinder>["bind"];

export const toSql = (query: Query, names: SqlNames): Compiled => {
  const { params, bind } = createBinder();
  return { sql: conditionSql(query, bind, names), params };
};

export const conditionSql = (query: Query, bind: Bind, names: SqlNames): string => {
  switch (query.type) {
    case "all":
      return "1";
    case "and":
    case "or":
      return `(${query.parts.map((part) => conditionSql(part, bind, names)).join(query.type === "and" ? " AND " : " OR ")})`;
    case "not":
      return `NOT (${conditionSql(query.part, bind, names)})`;
    case "words":
      return `${query.words.length === 1 ? "hasAllTokens" : "hasPhrase"}(lower(message), ${bind("String", lowerAscii(query.words.join(" ")))})`;
    case "contains":
      return `lower(message) LIKE ${bind("String", `%${escapeLike(lowerAscii(query.text))}%`)}`;
    case "wordPattern":
      return wordPattern(query.pieces, bind);
    case "exists":
      return exists(query.field, bind);
    case "equals":
      return equals(query.field, query.value, bind, names);
    case "pattern":
      return pattern(query.field, query.pieces, bind, names);
    case "levels":
      return `level BETWEEN ${bind("UInt8", query.min)} AND ${bind("UInt8", query.max)}`;
    case "time":
      // The second of each is implied, and is what the table's key understands.
      return `(${[
        ends(
          "timestamp",
          query.min,
          query.max,
          (value) => `fromUnixTimestamp64Nano(${bind("Int64", `${value}`)}, 'UTC')`,
        ),
        ends(sliceSql, sliceOf(query.min), sliceOf(query.max), (value) => bind("Int64", `${value}`)),
      ].join(" AND ")})`;
    case "regex":
      return regex(query.field, query.source, bind);
    case "range": {
      const text = columnSql({ kind: "attribute", path: query.path }, bind);
      const number = query.unit === undefined ? `toFloat64OrNull(${text})` : nanoseconds(text, query.unit, bind);
      // The first is implied, and is what the index on names understands.
      return `(${exists({ kind: "attribute", path: query.path }, bind)} AND ifNull(${ends(number, query.min, query.max, (value) => bind("Float64", value))}, 0))`;
    }
  }
};

const sliceOf = (bound: Bound<bigint> | undefined): Bound<bigint> | undefined =>
  bound && { value: bound.value / sliceLength, inclusive: true };

const unitNames = Object.keys(durationUnits);

/** "12.5ms" or a plain number in the field's unit, as nanoseconds. */
const nanoseconds = (text: string, unit: number, bind: Bind): string => {
  const ending = `extract(${text}, ${bind("String", `(?:${unitNames.join("|")})$`)})`;
  const number = `toFloat64OrNull(substring(${text}, 1, length(${text}) - length(${ending})))`;
  const factors = unitNames.map((name) => durationUnits[name]?.toFixed(1)).join(", ");
  return `${number} * transform(${ending}, ${bind("Array(String)", unitNames)}, [${factors}], ${bind("Float64", unit)})`;
};

const regex = (field: Field, source: string, bind: Bind): string => {
  const matches = `match(${columnSql(field, bind)}, ${bind("String", source)})`;
  return field.kind === "attribute" ? `(${exists(field, bind)} AND ${matches})` : matches;
};

export const columnSql = (field: Field, bind: Bind): string =>
  field.kind === "attribute" ? `attributes[${bind("String", field.path)}]` : field.kind;

const exists = (field: Field, bind: Bind): string => {
  switch (field.kind) {
    case "attribute":
      return `mapContains(attributes, ${bind("String", field.path)})`;
    case "level":
      return "level > 0";
    case "timestamp":
      return "1";
    default:
      return `${field.kind} != ''`;
  }
};

const equals = (field: Field, value: string, bind: Bind, names: SqlNames): string => {
  if (field.kind === "source") return oneOf(sourcesLike([value], names), value, bind);
  if (field.kind !== "attribute") return `${field.kind} = ${bind("String", value)}`;
  const stored = columnSql(field, bind);
  if (value === "") return `(${exists(field, bind)} AND ${stored} = '')`;
  const [only, ...more] = equalSpellings(value);
  if (more.length === 0) return `${stored} = ${bind("String", only ?? value)}`;
  return `${stored} IN (${[only ?? value, ...more].map((spelling) => bind("String", spelling)).join(", ")})`;
};

const pattern = (field: Field, pieces: readonly string[], bind: Bind, names: SqlNames): string => {
  if (field.kind === "source") return oneOf(sourcesLike(pieces, names), pieces.join("*"), bind);
  const matches = `${columnSql(field, bind)} LIKE ${bind("String", likeSql(pieces))}`;
  return field.kind === "attribute" ? `(${exists(field, bind)} AND ${matches})` : matches;
};

const sourcesLike = (pieces: readonly string[], names: SqlNames): string[] =>
  [...names.sources].filter(([id, name]) => matchesPieces(id, pieces) || matchesPieces(name, pieces)).map(([id]) => id);

const oneOf = (ids: readonly string[], otherwise: string, bind: Bind): string =>
  `source IN (${(ids.length > 0 ? ids : [otherwise]).map((id) => bind("String", id)).join(", ")})`;

/** The index narrows by the longest piece, the expression decides. */
const wordPattern = (pieces: readonly string[], bind: Bind): string => {
  const longest = pieces.reduce((best, piece) => (piece.length > best.length ? piece : best), "");
  return `(lower(message) LIKE ${bind("String", `%${escapeLike(lowerAscii(longest))}%`)} AND match(lower(message), ${bind("String", wordPatternRegex(pieces))}))`;
};

export const likeSql = (pieces: readonly string[]): string => pieces.map(escapeLike).join("%");

const escapeLike = (text: string): string => text.replace(/[\\%_]/g, "\\$&");

const ends = <N>(
  value: string,
  min: Bound<N> | undefined,
  max: Bound<N> | undefined,
  bound: (value: N) => string,
): string => {
  const parts: string[] = [];
  if (min !== undefined) parts.push(`${value} ${min.inclusive ? ">=" : ">"} ${bound(min.value)}`);
  if (max !== undefined) parts.push(`${value} ${max.inclusive ? "<=" : "<"} ${bound(max.value)}`);
  return parts.length === 0 ? "1" : `(${parts.join(" AND ")})`;
};
