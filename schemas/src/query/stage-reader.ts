/** Goes through what stands in one stage, piece by piece, and says what is missing or too much. */
import type { SyntaxNode } from "@lezer/common";
import type { Field } from "./ast.ts";
import type { Building } from "./building.ts";
import { fieldNamed } from "./fields.ts";
import { queryLimits } from "./limits.ts";
import { QueryError } from "./query-error.ts";
import { didYouMean } from "./suggest.ts";
import { unquote } from "./text.ts";

export interface Reader {
  readonly state: Building;
  readonly stage: SyntaxNode;
  readonly items: readonly SyntaxNode[];
  /** Columns that the stages before made; undefined while rows are events. */
  readonly columns: readonly string[] | undefined;
  at: number;
}

export const childrenOf = (node: SyntaxNode): SyntaxNode[] => {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
};

export const textOf = ({ state }: Reader, node: SyntaxNode): string => state.text.slice(node.from, node.to);
export const peek = (reader: Reader): SyntaxNode | undefined => reader.items[reader.at];
const isText = (reader: Reader, node: SyntaxNode | undefined, text: string): boolean =>
  node !== undefined && textOf(reader, node) === text;

export const takeText = (reader: Reader, text: string): boolean => {
  if (!isText(reader, peek(reader), text)) return false;
  reader.at++;
  return true;
};

export const unexpected = (reader: Reader, node: SyntaxNode): QueryError =>
  new QueryError(
    `Did not expect ${JSON.stringify(textOf(reader, node).slice(0, 24))} here.`,
    node.from + 1,
    usage[textOf(reader, reader.stage.firstChild ?? reader.stage)] ?? "",
  );

/** What each stage looks like; also the shortest of their documentation. */
export const usage: Readonly<Record<string, string>> = {
  where: "Write | where level:error.",
  stats: "Write | stats count(), p95(latency_ms) by service, bin(1m).",
  top: "Write | top 10 service.",
  sort: "Write | sort latency_ms desc, service.",
  fields: "Write | fields timestamp, service, message.",
  dedup: "Write | dedup user_id.",
  patterns: "Write | patterns.",
  limit: "Write | limit 100.",
};

/** At least one, parted by commas. */
export const list = <T>(reader: Reader, read: (reader: Reader) => T): T[] => {
  const found = [read(reader)];
  while (takeText(reader, ",")) found.push(read(reader));
  if (found.length > queryLimits.columns) {
    throw new QueryError(`A stage may name ${queryLimits.columns} things.`, reader.stage.from + 1, "Name fewer.");
  }
  return found;
};

export const missing = (reader: Reader, what: string): QueryError =>
  new QueryError(
    `${what} is missing.`,
    (peek(reader)?.from ?? reader.stage.to) + 1,
    usage[textOf(reader, reader.stage.firstChild ?? reader.stage)] ?? "",
  );

/** A name, a quoted name, or a call as it stands in an earlier column's name. */
export const named = (reader: Reader, allowCall: boolean): { name: string; node: SyntaxNode } => {
  const node = peek(reader);
  if (node === undefined || !(node.name === "Name" || node.name === "Quoted" || (allowCall && node.name === "Call"))) {
    throw missing(reader, "A field");
  }
  reader.at++;
  const text = textOf(reader, node);
  return {
    name: node.name === "Quoted" ? unquote(text) : node.name === "Call" ? text.replace(/\s+/g, "") : text,
    node,
  };
};

export const field = (reader: Reader): Field => {
  const { name, node } = named(reader, reader.columns !== undefined);
  return columnOrField(reader, name, node);
};

/** Behind stats only its columns are there; before it, any name may be an attribute. */
export const columnOrField = ({ columns }: Reader, name: string, node: SyntaxNode): Field => {
  if (columns === undefined) return fieldNamed(name);
  const meant = columns.includes(name) ? name : columns.find((column) => column === `${name}()`);
  if (meant !== undefined) return { kind: "attribute", path: meant };
  throw new QueryError(
    `The stages before leave no column ${JSON.stringify(name.slice(0, 40))}.`,
    node.from + 1,
    didYouMean(name, columns),
  );
};
