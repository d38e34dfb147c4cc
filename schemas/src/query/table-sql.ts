/** A condition on the columns that stages before it made. */
import type { Bound, Field, Query } from "./ast.ts";
import { nameOfField } from "./pipeline.ts";
import type { Expression } from "./pipeline-sql.ts";
import { QueryError } from "./query-error.ts";
import { type Bind, likeSql, type SqlNames } from "./sql.ts";
import { didYouMean } from "./suggest.ts";

/** Throws QueryError for what no table can answer. */
export const tableCondition = (
  query: Query,
  columns: ReadonlyMap<string, Expression>,
  bind: Bind,
  names: SqlNames,
): string => {
  const inner = (part: Query) => tableCondition(part, columns, bind, names);
  const column = (field: Field): Expression => columnNamed(nameOfField(field), columns);
  switch (query.type) {
    case "all":
      return "1";
    case "and":
    case "or":
      return `(${query.parts.map(inner).join(query.type === "and" ? " AND " : " OR ")})`;
    case "not":
      return `NOT (${inner(query.part)})`;
    case "exists": {
      const { sql, type } = column(query.field);
      return type === "text" ? `${sql} != ''` : type === "level" ? `${sql} > 0` : `isNotNull(${sql})`;
    }
    case "equals": {
      const { sql, type } = column(query.field);
      const ids =
        type === "source" ? [...names.sources].flatMap(([id, name]) => (name === query.value ? [id] : [])) : [];
      return `toString(${sql}) IN (${[query.value, ...ids].map((value) => bind("String", value)).join(", ")})`;
    }
    case "pattern":
      return `toString(${column(query.field).sql}) LIKE ${bind("String", likeSql(query.pieces))}`;
    case "regex":
      return `match(toString(${column(query.field).sql}), ${bind("String", query.source)})`;
    case "levels":
      return `${columnNamed("level", columns).sql} BETWEEN ${bind("UInt8", query.min)} AND ${bind("UInt8", query.max)}`;
    case "range": {
      const { sql, type } = columnNamed(query.path, columns);
      const value = type === "text" ? `toFloat64OrNull(${sql})` : `toFloat64(${sql})`;
      const scale = query.unit ?? 1;
      const end = (bound: Bound<number> | undefined, sign: string) =>
        bound === undefined
          ? []
          : [`${value} ${sign}${bound.inclusive ? "=" : ""} ${bind("Float64", bound.value / scale)}`];
      return `ifNull(${[...end(query.min, ">"), ...end(query.max, "<")].join(" AND ") || "1"}, 0)`;
    }
    default:
      throw new QueryError(
        "Behind a stage that makes a table there are columns, and no message to find words in.",
        1,
        "Write column:value or column:>5, or move the words before the first pipe.",
      );
  }
};

const columnNamed = (name: string, columns: ReadonlyMap<string, Expression>): Expression => {
  const found = columns.get(name) ?? columns.get(`${name}()`);
  if (found !== undefined) return found;
  throw new QueryError(
    `The stages before leave no column ${JSON.stringify(name.slice(0, 40))}.`,
    1,
    didYouMean(name, [...columns.keys()]),
  );
};
