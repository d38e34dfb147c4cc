/**
 * A pipeline to one SELECT. Rows are events until a stage makes a table of them; each stage either narrows the statement
 * that is being written or takes it as the source of the next. Columns are called c0, c1 … in SQL whatever users call them.
 */
import type { Field, Query } from "./ast.ts";
import { fieldNamed } from "./fields.ts";
import { queryLimits } from "./limits.ts";
import { type Aggregate, type Group, nameOfField, type Sorting, type Stage } from "./pipeline.ts";
import { type Bind, columnSql, conditionSql, type SqlNames } from "./sql.ts";
import { minuteLength, minuteSql } from "./sql-time.ts";
import { tableCondition } from "./table-sql.ts";

/** Level and source come as numbers and ids, to be named by who shows them; times as nanoseconds in text. */
export type ColumnType = "time" | "level" | "source" | "number" | "text";

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

export interface Expression {
  readonly sql: string;
  readonly type: ColumnType;
}

interface Rows {
  readonly source: string;
  readonly conditions: readonly string[];
  /** undefined while rows are events. */
  readonly columns: ReadonlyMap<string, Expression> | undefined;
  readonly order: readonly string[];
  readonly limit: number | undefined;
  /** What is shown in the end; undefined is everything a table has, or an event's usual columns. */
  readonly shown: readonly Field[] | undefined;
}

export interface PipelineSql {
  readonly query: string;
  readonly columns: readonly Column[];
  /** Rows that the answer may have; the statement gives one more when there are more. */
  readonly limit: number;
}

/** Events that patterns looks at: enough for every frequent one, and done in a second. */
export const patternSample = 100_000;
const eventLimit = 1_000;
/** Runs of letters and digits with a digit in them, and what joins such runs: numbers, ids, times, addresses. */
const variable = "[0-9A-Za-z]*[0-9][0-9A-Za-z]*(?:[.:_-][0-9A-Za-z]*[0-9][0-9A-Za-z]*)*";

/** `conditions` say who may see what and when; they stand in the innermost statement. Throws QueryError. */
export const pipelineSql = (
  stages: readonly Stage[],
  conditions: readonly string[],
  bind: Bind,
  names: SqlNames,
): PipelineSql => {
  let rows: Rows = {
    source: "tenant_events",
    conditions,
    columns: undefined,
    order: [],
    limit: undefined,
    shown: undefined,
  };
  for (const stage of stages) rows = after(stage, rows, bind, names);
  const limit = Math.min(rows.limit ?? (rows.columns === undefined ? eventLimit : queryLimits.rows), queryLimits.rows);
  const shown = shownOf(rows, bind);
  const order = rows.order.length > 0 ? rows.order : rows.columns === undefined ? ["timestamp DESC"] : [];
  return {
    query: `SELECT ${shown.map(({ sql, type }) => (type === "time" ? `toString(${sql})` : sql)).join(", ")} FROM ${body({ ...rows, order })} LIMIT ${limit + 1}`,
    columns: shown.map(({ name, type }) => ({ name, type })),
    limit,
  };
};

const usual = ["timestamp", "level", "service", "message"] as const;

const shownOf = (rows: Rows, bind: Bind): (Expression & { name: string })[] => {
  const fields: readonly Field[] =
    rows.shown ??
    (rows.columns === undefined
      ? usual.map((kind) => ({ kind }))
      : [...rows.columns.keys()].map((path) => ({ kind: "attribute", path })));
  return fields.map((field) => ({ name: nameOfField(field), ...expression(field, rows, bind) }));
};

const body = ({ source, conditions, order }: Rows): string =>
  `${source}${conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`}${order.length === 0 ? "" : ` ORDER BY ${order.join(", ")}`}`;

/** The rows so far as the source of another statement. */
const wrapped = (rows: Rows, more = ""): Rows => ({
  ...rows,
  source: `(SELECT * FROM ${body(rows)}${more}${rows.limit === undefined ? "" : ` LIMIT ${rows.limit}`})`,
  conditions: [],
  limit: undefined,
});

const settled = (rows: Rows): Rows => (rows.limit === undefined ? rows : wrapped(rows));

const after = (stage: Stage, rows: Rows, bind: Bind, names: SqlNames): Rows => {
  switch (stage.type) {
    case "where": {
      const before = settled(rows);
      return { ...before, conditions: [...before.conditions, condition(stage.query, before, bind, names)] };
    }
    case "stats":
      return stats(stage.aggregates, stage.by, settled(rows), bind);
    case "sort": {
      const before = settled(rows);
      const order = stage.by.flatMap((one) => sortable(one, before, bind));
      return { ...before, order };
    }
    case "fields":
      return { ...rows, shown: stage.fields };
    case "dedup": {
      const before = settled(rows);
      const order = before.order.length > 0 || before.columns !== undefined ? before.order : ["timestamp DESC"];
      const keys = stage.fields.map((field) => expression(field, before, bind).sql);
      return wrapped({ ...before, order }, ` LIMIT 1 BY ${keys.join(", ")}`);
    }
    case "patterns":
      return patterns(settled(rows), bind);
    case "limit":
      return { ...rows, limit: Math.min(stage.count, rows.limit ?? stage.count) };
  }
};

const condition = (query: Query, rows: Rows, bind: Bind, names: SqlNames): string =>
  rows.columns === undefined ? conditionSql(query, bind, names) : tableCondition(query, rows.columns, bind, names);

const expression = (field: Field, rows: Rows, bind: Bind): Expression => {
  const name = nameOfField(field);
  const column = rows.columns?.get(name);
  if (column !== undefined) return column;
  const meant = fieldNamed(name);
  switch (meant.kind) {
    case "timestamp":
      return { sql: "toUnixTimestamp64Nano(timestamp)", type: "time" };
    case "level":
    case "source":
      return { sql: meant.kind, type: meant.kind };
    default:
      return { sql: columnSql(meant, bind), type: "text" };
  }
};

const numeric = (field: Field, rows: Rows, bind: Bind): string => {
  const { sql, type } = expression(field, rows, bind);
  return type === "text" ? `toFloat64OrNull(${sql})` : sql;
};

/** Numbers in their order before text in its, and what is missing at the end, whichever way. */
const sortable = ({ field, descending }: Sorting, rows: Rows, bind: Bind): string[] => {
  const { sql, type } = expression(field, rows, bind);
  const way = descending ? "DESC" : "ASC";
  if (type !== "text" || field.kind !== "attribute") return [`${sql} ${way}`];
  const number = `toFloat64OrNull(${sql})`;
  return [`${number} IS NULL ASC`, `${number} ${way}`, `${sql} = '' ASC`, `${sql} ${way}`];
};

const stats = (aggregates: readonly Aggregate[], by: readonly Group[], rows: Rows, bind: Bind): Rows => {
  const groups = by.map(
    (group): Expression => ("bin" in group ? { sql: bin(group.bin), type: "time" } : whole(group.field, rows, bind)),
  );
  const values = aggregates.map((one) => aggregateSql(one, rows, bind));
  const all = [...groups, ...values];
  const selected = all.map(({ sql }, i) => `${sql} AS c${i}`).join(", ");
  const grouped = by.length === 0 ? "" : ` GROUP BY ${by.map((_, i) => `c${i}`).join(", ")}`;
  const columns = [...by, ...aggregates].map(
    ({ column }, i) => [column, { sql: `c${i}`, type: all[i]?.type ?? "text" }] as const,
  );
  return {
    source: `(SELECT ${selected} FROM ${body({ ...rows, order: [] })}${grouped})`,
    conditions: [],
    columns: new Map(columns),
    // Time first, as it goes; else the rows with most in them.
    order:
      by.length === 0
        ? []
        : by
            .flatMap((group, i) => ("bin" in group ? [`c${i} ASC`] : []))
            .concat(`c${by.length} DESC`, ...by.map((_, i) => `c${i} ASC`)),
    limit: undefined,
    shown: undefined,
  };
};

/** A level groups with its neighbours of the same name, under its first number. */
const whole = (field: Field, rows: Rows, bind: Bind): Expression => {
  const one = expression(field, rows, bind);
  return one.type === "level" && rows.columns === undefined
    ? { ...one, sql: "if(level = 0, 0, intDiv(level + 3, 4) * 4 - 3)" }
    : one;
};

/** In minutes where it can, which is what the counts that are kept beside the events know. */
const bin = (span: bigint): string =>
  span % minuteLength === 0n
    ? `intDiv(${minuteSql}, ${span / minuteLength}) * ${span}`
    : `intDiv(toUnixTimestamp64Nano(timestamp), ${span}) * ${span}`;

const aggregateSql = ({ function: name, of }: Aggregate, rows: Rows, bind: Bind): Expression => {
  if (of === undefined) return { sql: "count()", type: "number" };
  if (name === "count_distinct")
    return { sql: `uniq(nullIf(toString(${expression(of, rows, bind).sql}), ''))`, type: "number" };
  const value = numeric(of, rows, bind);
  if (typeof name !== "string") return { sql: `quantileTDigest(${name.share})(${value})`, type: "number" };
  return { sql: `${name}(${value})`, type: expression(of, rows, bind).type === "time" ? "time" : "number" };
};

const patterns = (rows: Rows, bind: Bind): Rows => ({
  source: `(SELECT replaceRegexpAll(message, ${bind("String", variable)}, '<*>') AS c0, count() AS c1, round(count() / sum(count()) OVER (), 4) AS c2, any(message) AS c3
FROM (SELECT message FROM ${body({ ...rows, order: [] })} LIMIT ${patternSample}) GROUP BY c0)`,
  conditions: [],
  columns: new Map<string, Expression>([
    ["pattern", { sql: "c0", type: "text" }],
    ["count()", { sql: "c1", type: "number" }],
    ["share", { sql: "c2", type: "number" }],
    ["example", { sql: "c3", type: "text" }],
  ]),
  order: ["c1 DESC", "c0 ASC"],
  limit: undefined,
  shown: undefined,
});
