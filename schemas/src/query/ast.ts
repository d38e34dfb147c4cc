/**
 * What a query means, free of how it was written and of what runs it. Every back end (SQL here, a predicate in memory
 * for live tail and alerts) reads this and nothing else.
 *
 * Truth has two values: a comparison with a missing or unreadable field is false, and so its NOT is true.
 */

/** Fields that every event has. Anything else is an attribute, by dotted path. */
export const builtInFields = [
  "service",
  "host",
  "level",
  "source",
  "message",
  "trace_id",
  "span_id",
  "timestamp",
] as const;
export type BuiltInField = (typeof builtInFields)[number];

export type TextField = Exclude<BuiltInField, "level" | "timestamp" | "message">;

export type Field =
  | { readonly kind: TextField | "message" | "level" | "timestamp" }
  | { readonly kind: "attribute"; readonly path: string };

export interface Bound<N> {
  readonly value: N;
  readonly inclusive: boolean;
}

export type Query =
  | { readonly type: "all" }
  | { readonly type: "and" | "or"; readonly parts: readonly Query[] }
  | { readonly type: "not"; readonly part: Query }
  /** The message holds these words next to each other, in any case. */
  | { readonly type: "words"; readonly words: readonly string[] }
  /** The message holds this text, in any case: for what has no word in it, such as "!!". */
  | { readonly type: "contains"; readonly text: string }
  /** The message holds a word that begins, goes on and ends so; the stars stood between the pieces. */
  | { readonly type: "wordPattern"; readonly pieces: readonly string[] }
  | { readonly type: "exists"; readonly field: Field }
  | { readonly type: "equals"; readonly field: Field; readonly value: string }
  /** The whole value is the pieces with anything between them. */
  | { readonly type: "pattern"; readonly field: Field; readonly pieces: readonly string[] }
  /** Severity numbers, 1 to 24 (0 is unspecified), both ends included. */
  | { readonly type: "levels"; readonly min: number; readonly max: number }
  /** Nanoseconds since the epoch. */
  | { readonly type: "time"; readonly min?: Bound<bigint>; readonly max?: Bound<bigint> }
  /** Somewhere in the field's text; `source` is RE2, made by regex.ts. */
  | { readonly type: "regex"; readonly field: Field; readonly source: string }
  /**
   * An attribute read as a number; text that is none is outside every range. With `unit` it is read as a span of time:
   * bounds are nanoseconds, text may name its own unit, and a plain number has `unit` nanoseconds.
   */
  | {
      readonly type: "range";
      readonly path: string;
      readonly unit?: number;
      readonly min?: Bound<number>;
      readonly max?: Bound<number>;
    };
