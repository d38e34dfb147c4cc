/** Text of one stage behind a pipe to what it means. Every mistake is said with its column and what was probably meant. */
import type { SyntaxNode } from "@lezer/common";
import { builtInFields, type Field } from "./ast.ts";
import type { Building } from "./building.ts";
import { durationUnits } from "./duration.ts";
import { queryLimits } from "./limits.ts";
import {
  type Aggregate,
  aggregateNames,
  type Group,
  nameOfField,
  type Sorting,
  type Stage,
  stageNames,
} from "./pipeline.ts";
import { QueryError } from "./query-error.ts";
import {
  childrenOf,
  columnOrField,
  field,
  list,
  missing,
  named,
  peek,
  type Reader,
  takeText,
  textOf,
  unexpected,
} from "./stage-reader.ts";
import { didYouMean } from "./suggest.ts";
import { unquote } from "./text.ts";

/** Throws QueryError. */
export const readStage = (stage: SyntaxNode, state: Building, columns: readonly string[] | undefined): Stage[] => {
  const [name, ...items] = childrenOf(stage);
  const reader: Reader = { state, stage, items, columns, at: 0 };
  const read = name === undefined ? undefined : readers[textOf(reader, name)];
  if (name === undefined || read === undefined) {
    const word = name === undefined ? "" : textOf(reader, name);
    throw new QueryError(
      `There is no stage ${JSON.stringify(word.slice(0, 24))}.`,
      (name ?? stage).from + 1,
      `${didYouMean(word, [...stageNames])} To find the character |, put it in quotes.`,
    );
  }
  const stages = read(reader);
  const left = reader.items[reader.at];
  if (left !== undefined) throw unexpected(reader, left);
  return stages;
};

const count = (reader: Reader, most: number): number | undefined => {
  const node = peek(reader);
  if (node?.name !== "Number") return undefined;
  reader.at++;
  const text = textOf(reader, node);
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value;
  throw new QueryError(`${text} is not a number of rows.`, node.from + 1, `Give a whole number from 1 to ${most}.`);
};

const sorting = (reader: Reader): Sorting => {
  const minus = takeText(reader, "-");
  const by = field(reader);
  const descending = takeText(reader, "desc") || minus;
  if (!descending) takeText(reader, "asc");
  return { field: by, descending };
};

const group = (reader: Reader): Group => {
  const node = peek(reader);
  if (node?.name === "Call" && reader.columns === undefined) {
    const [name, argument] = callOf(reader, node);
    if (name !== "bin" || argument === undefined) {
      throw new QueryError(
        `${name}(…) does not group.`,
        node.from + 1,
        "Group by fields, or by bin(1m), bin(1h), bin(7d).",
      );
    }
    reader.at++;
    return { column: textOf(reader, node).replace(/\s+/g, ""), bin: span(reader, argument) };
  }
  const by = field(reader);
  if (by.kind === "timestamp" || by.kind === "message") {
    throw new QueryError(
      `${by.kind} differs in each event.`,
      (node?.from ?? 0) + 1,
      by.kind === "timestamp" ? "Group by bin(1m)." : "Use | patterns for messages that are alike.",
    );
  }
  return { column: nameOfField(by), field: by };
};

const span = (reader: Reader, node: SyntaxNode): bigint => {
  const [, number = "", unit = ""] = /^(\d{1,6})(ms|[smhd])$/.exec(textOf(reader, node)) ?? [];
  const nanos = BigInt(Number(number) * (durationUnits[unit] ?? 0));
  if (nanos > 0n) return nanos;
  throw new QueryError(
    "bin(…) needs a span of time.",
    node.from + 1,
    "Write bin(500ms), bin(10s), bin(1m), bin(1h) or bin(1d).",
  );
};

const callOf = (reader: Reader, node: SyntaxNode): readonly [name: string, argument: SyntaxNode | undefined] => {
  const [name, , ...rest] = childrenOf(node);
  const [argument, ...more] = rest.slice(0, -1);
  if (more[0] !== undefined)
    throw new QueryError("A function takes one field.", more[0].from + 1, "Write one call for each field.");
  return [name === undefined ? "" : textOf(reader, name), argument];
};

const known = [...aggregateNames, "p50", "p90", "p95", "p99"];

const aggregate = (reader: Reader): Aggregate => {
  const node = peek(reader);
  if (node?.name !== "Call") {
    if (node?.name === "Name") {
      throw new QueryError(
        `${textOf(reader, node)} is no function call.`,
        node.from + 1,
        `${didYouMean(textOf(reader, node), known)} Write for example count().`,
      );
    }
    throw missing(reader, "A function");
  }
  reader.at++;
  const [name, argument] = callOf(reader, node);
  const percentile = /^p([1-9]\d?)$/.exec(name)?.[1];
  const plain = aggregateNames.find((one) => one === name);
  if (plain === undefined && percentile === undefined) {
    throw new QueryError(
      `There is no function ${JSON.stringify(name.slice(0, 24))}.`,
      node.from + 1,
      didYouMean(name, known),
    );
  }
  if ((argument === undefined) !== (plain === "count")) {
    throw new QueryError(
      plain === "count" ? "count() counts events and takes no field." : `${name}(…) needs a field.`,
      (argument ?? node).from + 1,
      plain === "count" ? "To count where a field is, write field:* before the pipe." : `Write ${name}(latency_ms).`,
    );
  }
  const of = argument === undefined ? undefined : argumentField(reader, argument);
  if (of !== undefined && plain !== "count_distinct") checkNumeric(of, name, argument ?? node);
  const named = takeText(reader, "as") ? asName(reader) : undefined;
  return {
    column: named ?? textOf(reader, node).replace(/\s+/g, ""),
    function: plain ?? { share: Number(percentile) / 100 },
    of,
  };
};

const argumentField = (reader: Reader, node: SyntaxNode): Field => {
  if (node.name !== "Name" && node.name !== "Quoted") throw unexpected(reader, node);
  const text = textOf(reader, node);
  return columnOrField(reader, node.name === "Quoted" ? unquote(text) : text, node);
};

const checkNumeric = (of: Field, name: string, node: SyntaxNode): void => {
  if (of.kind === "attribute" || of.kind === "level" || (of.kind === "timestamp" && (name === "min" || name === "max")))
    return;
  throw new QueryError(
    `${of.kind} is no number that ${name}(…) could take.`,
    node.from + 1,
    `Give an attribute, or count_distinct(${of.kind}). Fields of every event are ${builtInFields.join(", ")}.`,
  );
};

const asName = (reader: Reader): string => named(reader, false).name;

/** Implied by what top keeps in the end, and what the index on names understands. */
const attributeThere = (group: Group): Stage[] =>
  "field" in group && group.field.kind === "attribute"
    ? [{ type: "where", query: { type: "exists", field: group.field } }]
    : [];

const readers: Readonly<Record<string, (reader: Reader) => Stage[]>> = {
  stats: (reader) => {
    const aggregates = list(reader, aggregate);
    const by = takeText(reader, "by") ? list(reader, group) : [];
    const columns = [...by, ...aggregates].map(({ column }) => column);
    const twice = columns.find((column, i) => columns.indexOf(column) !== i);
    if (twice !== undefined) {
      throw new QueryError(`Two columns are called ${twice}.`, reader.stage.from + 1, "Name one of them with as.");
    }
    return [{ type: "stats", aggregates, by }];
  },
  top: (reader) => {
    const limit = count(reader, queryLimits.rows) ?? 10;
    const by = list(reader, group);
    const column = "count()";
    return [
      ...(reader.columns === undefined ? by.flatMap(attributeThere) : []),
      { type: "stats", aggregates: [{ column, function: "count", of: undefined }], by },
      ...by.flatMap((one): Stage[] =>
        "field" in one
          ? [{ type: "where", query: { type: "exists", field: { kind: "attribute", path: one.column } } }]
          : [],
      ),
      {
        type: "sort",
        by: [
          { field: { kind: "attribute", path: column }, descending: true },
          ...by.map((one) => ({ field: { kind: "attribute", path: one.column } as const, descending: false })),
        ],
      },
      { type: "limit", count: limit },
    ];
  },
  sort: (reader) => {
    takeText(reader, "by");
    return [{ type: "sort", by: list(reader, sorting) }];
  },
  fields: (reader) => [{ type: "fields", fields: list(reader, field) }],
  dedup: (reader) => {
    takeText(reader, "by");
    return [{ type: "dedup", fields: list(reader, field) }];
  },
  patterns: (reader) => {
    if (reader.columns !== undefined) {
      throw new QueryError(
        "patterns reads messages, and the stages before leave none.",
        reader.stage.from + 1,
        "Put it first.",
      );
    }
    return [{ type: "patterns" }];
  },
  limit: (reader) => {
    const rows = count(reader, queryLimits.rows);
    if (rows === undefined) throw missing(reader, "A number");
    return [{ type: "limit", count: rows }];
  },
};
