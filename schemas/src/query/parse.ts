/**
 * Text to AST. Everything that can be wrong with a query is said here, with its column; what comes out of here can be
 * compiled without further checks.
 */
import type { SyntaxNode } from "@lezer/common";
import type { Query } from "./ast.ts";
import type { Building } from "./building.ts";
import { diagnose } from "./diagnose.ts";
import { readField } from "./fields.ts";
import { parser } from "./grammar.ts";
import { queryLimits } from "./limits.ts";
import { messageQuery, wordPattern } from "./message.ts";
import { QueryError } from "./query-error.ts";
import { readRegex } from "./regex.ts";
import { opaqueEnd } from "./regex-token.ts";
import { piecesOf, unquote } from "./text.ts";

export interface ParseContext {
  /** Milliseconds since the epoch; relative times count from here. */
  readonly now: number;
}

/** Throws QueryError. Empty text means every event. */
export const parseQuery = (input: string, context: ParseContext): Query => {
  const { top, state } = readTree(input, context);
  const root = top.firstChild;
  if (root === null) return { type: "all" };
  const pipe = top.getChild("Pipe");
  if (pipe !== null) {
    throw new QueryError(
      "A pipe makes a table, and this place finds events.",
      pipe.from + 1,
      "Remove what begins with |, ask GET /query instead, or put the | in quotes to find the character.",
    );
  }
  return buildQuery(root, state);
};

/** Checked against every limit and free of errors of grammar. Throws QueryError. */
export const readTree = (input: string, context: ParseContext): { top: SyntaxNode; state: Building } => {
  const text = input.toWellFormed();
  if (text.length > queryLimits.characters) {
    throw new QueryError(
      `The query has ${text.length} characters; ${queryLimits.characters} is the limit.`,
      queryLimits.characters + 1,
      "Split it into several queries, or match with a wildcard.",
    );
  }
  checkDepth(text);
  const tree = parser.parse(text);
  const wrong = diagnose(text, tree);
  if (wrong !== undefined) throw wrong;
  return { top: tree.topNode, state: { text, now: context.now, terms: 0 } };
};

export const buildQuery = (node: SyntaxNode, state: Building): Query => build(node, state, 0);

const build = (node: SyntaxNode, state: Building, depth: number): Query => {
  switch (node.name) {
    case "And":
    case "Or":
      return chain(node, state, depth);
    case "Not": {
      if (depth >= queryLimits.depth) throw tooDeep(node.from);
      const operand = node.lastChild;
      return { type: "not", part: operand === null ? { type: "all" } : build(operand, state, depth + 1) };
    }
    case "Group": {
      const inner = node.getChild("(")?.nextSibling;
      return inner ? build(inner, state, depth) : { type: "all" };
    }
    default: {
      if (++state.terms > queryLimits.terms) {
        throw new QueryError(
          `The query has more than ${queryLimits.terms} terms.`,
          node.from + 1,
          "Split it into several queries, or match with a wildcard.",
        );
      }
      return node.name === "Field" ? readField(node, state) : words(node, state);
    }
  }
};

/** a b c comes as ((a b) c): walked down the left side without recursion, and flattened. */
const chain = (node: SyntaxNode, state: Building, depth: number): Query => {
  const type = node.name === "And" ? "and" : "or";
  const right: SyntaxNode[] = [];
  let left: SyntaxNode = node;
  while (left.name === node.name) {
    if (left.lastChild !== null) right.push(left.lastChild);
    if (left.firstChild === null) break;
    left = left.firstChild;
  }
  return { type, parts: [left, ...right.reverse()].map((part) => build(part, state, depth + 1)) };
};

const words = (node: SyntaxNode, state: Building): Query => {
  const raw = state.text.slice(node.from, node.to);
  if (raw.startsWith('"')) return messageQuery(unquote(raw), node.from);
  if (node.firstChild?.name === "Regex")
    return { type: "regex", field: { kind: "message" }, source: readRegex(raw, node.from) };
  const mistaken = /^([A-Za-z_][\w.]*)(>=|<=|>|<)([-\w.]+)$/.exec(raw);
  if (mistaken !== null) {
    throw new QueryError(
      "A comparison needs a colon after the field.",
      node.from + (mistaken[1]?.length ?? 0) + 1,
      `Write ${mistaken[1]}:${mistaken[2]}${mistaken[3]}, or put it in quotes to find the text.`,
    );
  }
  const pieces = piecesOf(raw);
  if (pieces.length === 1) return messageQuery(pieces[0] ?? "", node.from);
  return wordPattern(pieces, node.from);
};

const tooDeep = (at: number): QueryError =>
  new QueryError(`The query is nested deeper than ${queryLimits.depth}.`, at + 1, "Use fewer parentheses or NOTs.");

/** Before the parser sees it: nesting is the one thing whose cost could grow faster than the text. */
const checkDepth = (text: string): void => {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const end = opaqueEnd(text, i);
    if (end !== undefined) i = end - 1;
    else if (text[i] === ")") depth--;
    else if (text[i] === "(" && ++depth > queryLimits.depth) throw tooDeep(i);
  }
};
