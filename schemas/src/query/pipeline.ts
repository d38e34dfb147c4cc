/** What a query with pipes means: which events, and what is made of them, stage by stage. */
import type { Field, Query } from "./ast.ts";

export const aggregateNames = ["count", "count_distinct", "sum", "avg", "min", "max"] as const;
export type AggregateName = (typeof aggregateNames)[number];

export interface Aggregate {
  /** What its column is called: as it was written, or as `as` says. */
  readonly column: string;
  /** A percentile is its share, 0.01 to 0.99. */
  readonly function: AggregateName | { readonly share: number };
  /** Of count alone there is none. */
  readonly of: Field | undefined;
}

export type Group =
  | { readonly column: string; readonly field: Field }
  /** Stretches of time; nanoseconds. */
  | { readonly column: string; readonly bin: bigint };

/** A field of the events, or a column that an earlier stage made: then `field` is an attribute of that name. */
export interface Sorting {
  readonly field: Field;
  readonly descending: boolean;
}

export type Stage =
  | { readonly type: "where"; readonly query: Query }
  | { readonly type: "stats"; readonly aggregates: readonly Aggregate[]; readonly by: readonly Group[] }
  | { readonly type: "sort"; readonly by: readonly Sorting[] }
  | { readonly type: "fields"; readonly fields: readonly Field[] }
  | { readonly type: "dedup"; readonly fields: readonly Field[] }
  | { readonly type: "patterns" }
  | { readonly type: "limit"; readonly count: number };

export interface Pipeline {
  readonly filter: Query;
  readonly stages: readonly Stage[];
}

export const stageNames = ["where", "stats", "top", "sort", "fields", "dedup", "patterns", "limit"] as const;

/** Whether an earlier stage turned events into rows with columns of their own. */
export const makesTable = ({ type }: Stage): boolean => type === "stats" || type === "patterns";

export const nameOfField = (field: Field): string => (field.kind === "attribute" ? field.path : field.kind);
