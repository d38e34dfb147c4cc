/** field:value, field:>=n, field:[a TO b] and field:*, by the kind of field. */
import type { SyntaxNode } from "@lezer/common";
import { levelFromText, levelName, levelRange } from "../levels.ts";
import { type Bound, builtInFields, type Field, type Query } from "./ast.ts";
import type { Building } from "./building.ts";
import { type Measure, readMeasure, unitOf } from "./duration.ts";
import { instantForms, parseInstant } from "./instant.ts";
import { checkStars, messageQuery, wordPattern } from "./message.ts";
import { QueryError } from "./query-error.ts";
import { readRegex } from "./regex.ts";
import { piecesOf, unquote } from "./text.ts";

const number = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/;

/** The field that goes by a name: one that every event has, else an attribute. */
export const fieldNamed = (name: string): Field => {
  const kind = builtInFields.find((builtIn) => builtIn === name);
  return kind === undefined ? { kind: "attribute", path: name } : { kind };
};

/** Throws QueryError. */
export const readField = (node: SyntaxNode, state: Building): Query => {
  const [nameNode, valueNode] = [node.firstChild, node.lastChild];
  if (nameNode === null || valueNode === null) throw new QueryError("A field has no value.", node.from + 1, "");
  const name = state.text.slice(nameNode.from, nameNode.to - 1);
  const field = fieldNamed(name.startsWith('"') ? unquote(name) : name);
  if (valueNode.from !== nameNode.to) {
    throw new QueryError(
      `A space follows ${name}:`,
      nameNode.to + 1,
      `Write ${name}:value without the space, or put the text in quotes.`,
    );
  }
  if (valueNode.name === "Comparison") return comparison(field, valueNode, state);
  if (valueNode.name === "Range") return range(field, valueNode, state);
  if (valueNode.name === "Regex") return regex(field, valueNode, state);
  const raw = state.text.slice(valueNode.from, valueNode.to);
  // A pasted address is text, not a field named http.
  if (raw.startsWith("//")) return messageQuery(`${name}:${raw}`, node.from);
  return value(field, raw, valueNode.from, state);
};

const value = (field: Field, raw: string, at: number, state: Building): Query => {
  const quoted = raw.startsWith('"');
  const pieces = quoted ? [unquote(raw)] : piecesOf(raw);
  if (pieces.length > 1 && pieces.every((piece) => piece === "")) return { type: "exists", field };
  const text = pieces[0] ?? "";
  switch (field.kind) {
    case "level": {
      const [min, max] = levels(pieces.join("*"), at);
      return { type: "levels", min, max };
    }
    case "timestamp": {
      const bound = { value: instant(pieces.join("*"), at, state), inclusive: true };
      return { type: "time", min: bound, max: bound };
    }
    case "message":
      return pieces.length === 1 ? messageQuery(text, at) : wordPattern(pieces, at);
    default: {
      checkStars(pieces, at);
      const hex = field.kind === "trace_id" || field.kind === "span_id";
      if (pieces.length > 1) return { type: "pattern", field, pieces: hex ? pieces.map(lower) : pieces };
      return { type: "equals", field, value: hex ? lower(text) : text };
    }
  }
};

const regex = (field: Field, node: SyntaxNode, state: Building): Query => {
  if (field.kind === "level" || field.kind === "timestamp" || field.kind === "source") {
    throw new QueryError(
      `${field.kind} cannot be matched with a regular expression.`,
      node.from + 1,
      field.kind === "source" ? "Write source:name or source:start*." : `Compare it: ${field.kind}:>=….`,
    );
  }
  return { type: "regex", field, source: readRegex(state.text.slice(node.from, node.to), node.from) };
};

const lower = (text: string): string => text.toLowerCase();

const comparison = (field: Field, node: SyntaxNode, state: Building): Query => {
  const [operatorNode, valueNode] = [node.firstChild, node.lastChild];
  const operator = operatorNode === null ? "" : state.text.slice(operatorNode.from, operatorNode.to);
  const bound = { node: valueNode ?? node, inclusive: operator.endsWith("=") };
  return between(field, operator.startsWith(">") ? { min: bound } : { max: bound }, node.from, state);
};

const range = (field: Field, node: SyntaxNode, state: Building): Query => {
  const [from, to] = node.getChildren("Bound");
  const open = (bound: SyntaxNode | undefined) => bound === undefined || state.text.slice(bound.from, bound.to) === "*";
  return between(
    field,
    {
      ...(from !== undefined && !open(from)
        ? { min: { node: from, inclusive: node.getChild("RangeOpen") !== null } }
        : {}),
      ...(to !== undefined && !open(to) ? { max: { node: to, inclusive: node.getChild("RangeClose") !== null } } : {}),
    },
    node.from,
    state,
  );
};

interface Ends {
  min?: { node: SyntaxNode; inclusive: boolean };
  max?: { node: SyntaxNode; inclusive: boolean };
}

const between = (field: Field, ends: Ends, at: number, state: Building): Query => {
  if (ends.min === undefined && ends.max === undefined) return { type: "exists", field };
  const text = (node: SyntaxNode) => {
    const raw = state.text.slice(node.from, node.to);
    return raw.startsWith('"') ? unquote(raw) : raw;
  };
  const bounds = <N>(read: (text: string, at: number) => N): { min?: Bound<N>; max?: Bound<N> } => ({
    ...(ends.min && { min: { value: read(text(ends.min.node), ends.min.node.from), inclusive: ends.min.inclusive } }),
    ...(ends.max && { max: { value: read(text(ends.max.node), ends.max.node.from), inclusive: ends.max.inclusive } }),
  });
  switch (field.kind) {
    case "level": {
      const { min, max } = bounds(levels);
      // "above warn" begins after warn's last number; an unspecified level is neither above nor below anything.
      const first = min === undefined ? 1 : min.inclusive ? min.value[0] : min.value[1] + 1;
      const last = max === undefined ? 24 : max.inclusive ? max.value[1] : max.value[0] - 1;
      return { type: "levels", min: first, max: last };
    }
    case "timestamp":
      return { type: "time", ...bounds((value, column) => instant(value, column, state)) };
    case "attribute":
      return attributeRange(field.path, bounds(numeric), at);
    default:
      throw new QueryError(
        `${field.kind} is text and has no order to compare by.`,
        at + 1,
        `Write ${field.kind}:value or ${field.kind}:start*.`,
      );
  }
};

const levels = (text: string, at: number): readonly [number, number] => {
  const name = lower(text);
  if (name === "unspecified" || name === "unknown" || name === "0") return [0, 0];
  const severity = /^\d{1,2}$/.test(name) ? Number(name) : levelFromText(name);
  if (severity === undefined || severity > 24) {
    throw new QueryError(
      `${JSON.stringify(text.slice(0, 24))} is no level.`,
      at + 1,
      "Write trace, debug, info, warn, error, fatal, or a number from 1 to 24.",
    );
  }
  const level = levelName(severity);
  // A name of the first number of its level means the whole level; a number or a finer name (notice, error3) only itself.
  const whole = level !== "" && !/^\d/.test(name) && levelRange(level)[0] === severity;
  return whole ? levelRange(level) : [severity, severity];
};

const instant = (text: string, at: number, state: Building): bigint => {
  const found = parseInstant(text, state.now);
  if (found !== undefined) return found;
  throw new QueryError(`${JSON.stringify(text.slice(0, 40))} is no time.`, at + 1, instantForms);
};

const numeric = (text: string, at: number): Measure | number => {
  if (number.test(text) && Number.isFinite(Number(text))) return Number(text);
  const measure = readMeasure(text);
  if (measure !== undefined) return measure;
  throw new QueryError(
    `${JSON.stringify(text.slice(0, 24))} is no number.`,
    at + 1,
    "Attributes compare as numbers, spans or sizes: latency_ms:>=500, latency:>1.5s, body:>10KB.",
  );
};

/** When one end is a span of time, both are: a plain number beside it counts in the field's own unit. */
const attributeRange = (
  path: string,
  ends: { min?: Bound<Measure | number>; max?: Bound<Measure | number> },
  at: number,
): Query => {
  const kinds = new Set(
    [ends.min?.value, ends.max?.value].flatMap((end) => (typeof end === "object" ? [end.kind] : [])),
  );
  if (kinds.size > 1) {
    throw new QueryError(
      "One end is a span of time and the other a size.",
      at + 1,
      "Give both ends in the same kind of unit.",
    );
  }
  const unit = kinds.has("duration") ? unitOf(path) : undefined;
  const plain = ({ value, inclusive }: Bound<Measure | number>): Bound<number> => ({
    value: typeof value === "object" ? value.value : value * (unit ?? 1),
    inclusive,
  });
  return {
    type: "range",
    path,
    ...(unit === undefined ? {} : { unit }),
    ...(ends.min && { min: plain(ends.min) }),
    ...(ends.max && { max: plain(ends.max) }),
  };
};
