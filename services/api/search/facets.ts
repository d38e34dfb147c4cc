/** The most frequent values of fields among the events that a query finds, and how many events have the field at all. */
import { levelName } from "@astralog/schemas";
import type { Field } from "@astralog/schemas/query/index";
import { type Bind, type Scope, type Sql, scoped, type Window } from "./scope.ts";

export interface FacetsRequest extends Window {
  readonly q: string;
  readonly now: number;
  readonly fields: readonly Field[];
  /** Values of each field. */
  readonly limit: number;
}

/** `events` counts what the query finds, `having` those of them that have the field. */
export type FacetRow = [field: number, value: string, count: string, having: string, events: string];

/** The field as text; "" where an event does not have it. Levels by their first number. */
const valueSql = (field: Field, bind: Bind): string => {
  switch (field.kind) {
    case "attribute":
      return `attributes[${bind("String", field.path)}]`;
    case "level":
      return "if(level = 0, '', toString(intDiv(level + 3, 4) * 4 - 3))";
    case "timestamp":
      return "toString(timestamp)";
    default:
      return `toString(${field.kind})`;
  }
};

/** One pass over the events, however many fields. */
export const facetsSql = (request: FacetsRequest, scope: Scope): Sql => {
  const { where, bind, params } = scoped(scope, request, request);
  const values = request.fields.map((field, i) => `${valueSql(field, bind)} AS v${i}`);
  const names = request.fields.map((_, i) => `v${i}`);
  // Which set a row belongs to: grouping() is 0 in the bit of the one column that the set has.
  const which = `multiIf(${names.map((name, i) => `grouping(${name}) = 0, ${i}`).join(", ")}, ${names.length})`;
  const shown = `multiIf(${names.map((name, i) => `field = ${i}, ${name}`).join(", ")}, '')`;
  return {
    query: `SELECT field, value, toString(n), toString(having), toString(events) FROM (
  SELECT ${which} AS field, ${shown} AS value, count() AS n,
    sumIf(n, value != '') OVER (PARTITION BY field) AS having, sum(n) OVER (PARTITION BY field) AS events
  FROM (SELECT ${values.join(", ")} FROM tenant_events WHERE ${where})
  GROUP BY GROUPING SETS (${names.map((name) => `(${name})`).join(", ")})
) ORDER BY field, value = '', n DESC, value LIMIT ${Math.floor(request.limit)} BY field`,
    params,
  };
};

export interface Facet {
  readonly field: string;
  /** Share of the events found that have the field, 0 to 1. */
  readonly coverage: number;
  readonly values: readonly { readonly value: string; readonly count: number }[];
}

const nameOf = (field: Field): string => (field.kind === "attribute" ? field.path : field.kind);

const shown = (field: Field, value: string, names: ReadonlyMap<string, string>): string => {
  if (field.kind === "level") return levelName(Number(value));
  return field.kind === "source" ? names.get(value) || value : value;
};

export const facetsOf = (
  fields: readonly Field[],
  rows: readonly FacetRow[],
  sourceNames: ReadonlyMap<string, string>,
): Facet[] =>
  fields.map((field, i) => {
    const mine = rows.filter(([index]) => index === i);
    const [, , , having = "0", events = "0"] = mine[0] ?? [];
    return {
      field: nameOf(field),
      coverage: Number(events) === 0 ? 0 : Number(having) / Number(events),
      values: mine
        .filter(([, value]) => value !== "")
        .map(([, value, count]) => ({ value: shown(field, value, sourceNames), count: Number(count) })),
    };
  });
