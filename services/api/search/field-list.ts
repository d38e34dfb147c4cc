/** Which fields the events of a time have, of what type, and how many events have each. */
import { type Scope, type Sql, scoped, type Window } from "./scope.ts";

/** More distinct names than this are hardly fields but data that slipped into names; the most frequent are shown. */
export const maxFields = 1_000;

export type FieldRow = [name: string, kinds: string[], having: string];

const builtIn: readonly (readonly [name: string, kind: string, condition: string])[] = [
  ["timestamp", "time", "1"],
  ["level", "level", "has_level"],
  ["source", "string", "1"],
  ["service", "string", "has_service"],
  ["host", "string", "has_host"],
  // Read for its presence alone it would be most of what this query reads; an event hardly ever lacks it.
  ["message", "string", "1"],
  ["trace_id", "string", "has_trace"],
  ["span_id", "string", "has_span"],
];

/**
 * Events that came from one piece of code have the same names and types, so they are counted by those first: a few
 * hundred rows instead of one per attribute. The row of `timestamp`, which every event has, says how many events there are.
 */
export const fieldListSql = (window: Window, scope: Scope): Sql => {
  const { where, params } = scoped(scope, window, undefined);
  const fixed = builtIn.map(([name, kind, condition], i) => `(${i}, '${name}', '${kind}', ${condition})`).join(", ");
  const own = `arrayMap((name, i) -> (${builtIn.length}, toString(name), substring(types, i, 1), 1), names, arrayEnumerate(names))`;
  return {
    query: `SELECT one.2 AS name, groupUniqArray(one.3), toString(sum(n) AS having) FROM (
  SELECT arrayJoin(arrayConcat([${fixed}], ${own})) AS one, n FROM (
    SELECT attributes.keys AS names, toString(attribute_types) AS types, level > 0 AS has_level, service != '' AS has_service,
      host != '' AS has_host, trace_id != '' AS has_trace, span_id != '' AS has_span, count() AS n
    FROM tenant_events WHERE ${where} GROUP BY names, types, has_level, has_service, has_host, has_trace, has_span)
) WHERE one.4 GROUP BY one.1 AS place, name ORDER BY place, having DESC, name LIMIT ${maxFields}`,
    params,
  };
};

export interface FieldInfo {
  readonly name: string;
  /** `mixed` when different events have it in different types. */
  readonly type: "time" | "level" | "string" | "number" | "boolean" | "json" | "null" | "mixed";
  /** Share of the events that have it, 0 to 1. */
  readonly coverage: number;
}

const typeOf: Record<string, FieldInfo["type"]> = {
  time: "time",
  level: "level",
  n: "number",
  b: "boolean",
  j: "json",
  "0": "null",
};

/** Built-in fields first, then by how many events have them. */
export const fieldsOf = (rows: readonly FieldRow[]): FieldInfo[] => {
  const events = Number(rows[0]?.[2] ?? 0);
  return rows.map(([name, kinds, having]) => {
    const types = new Set(kinds.map((kind) => typeOf[kind] ?? "string"));
    // A null says nothing about what the field is otherwise.
    if (types.size > 1) types.delete("null");
    const [type = "string"] = types;
    return { name, type: types.size > 1 ? "mixed" : type, coverage: Number(having) / events };
  });
};
