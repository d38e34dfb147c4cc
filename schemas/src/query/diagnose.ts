/** Turns the first place where the grammar could not go on into words that help. */
import type { Tree } from "@lezer/common";
import { QueryError } from "./query-error.ts";
import { opaqueEnd } from "./regex-token.ts";

/** undefined when the tree holds no error. */
export const diagnose = (text: string, tree: Tree): QueryError | undefined => {
  const at = firstError(tree);
  if (at === undefined) return undefined;
  const quote = openQuote(text);
  if (quote !== undefined) {
    return new QueryError('This " is never closed.', quote + 1, 'Close the quote, or write \\" for a quote inside it.');
  }
  const rest = text.slice(at);
  const before = text.slice(0, at).trimEnd();
  const word = /^[^\s()]+/.exec(rest)?.[0] ?? "";
  if (/^(AND|OR|NOT)$/.test(word)) {
    return new QueryError(
      `${word} needs something on ${word === "NOT" ? "its right side" : "both sides"}.`,
      at + 1,
      `To find the word itself, write "${word}" in quotes.`,
    );
  }
  if (rest.startsWith(")") && !before.endsWith("(")) {
    return new QueryError("This ) was never opened.", at + 1, "Remove it, or write \\) to find the character.");
  }
  if (before.endsWith("(") && rest.startsWith(")")) {
    return new QueryError("These parentheses are empty.", at + 1, "Write something between them, or remove them.");
  }
  if (before.endsWith("|")) {
    return new QueryError(
      "A | has nothing behind it.",
      before.length,
      "Write for example | stats count(), or put the | in quotes.",
    );
  }
  const dangling = /(?:^|[\s(-])(AND|OR|NOT|-)$/.exec(before);
  if (dangling !== null) {
    const operator = dangling[1] ?? "";
    return new QueryError(
      `${operator} needs something on its right side.`,
      before.length - operator.length + 1,
      `Complete it, or write "${operator}" in quotes to find the text itself.`,
    );
  }
  const range = before.search(/[[{][^[\]{}]*$/);
  if (range > 0 && /:$/.test(before.slice(0, range))) {
    return new QueryError(
      "This range is not complete.",
      range + 1,
      "Write [10 TO 20], {10 TO 20}, [10 TO *] or [* TO 20].",
    );
  }
  if (/:[<>]=?$/.test(before) || /:[<>]=?$/.test(text.slice(0, at))) {
    return new QueryError("This comparison has no value.", at + 1, "Write for example latency_ms:>=500.");
  }
  if (before.endsWith(":")) {
    const field = /\S+$/.exec(before)?.[0] ?? "field:";
    return new QueryError(`${field} has no value.`, at + 1, `Write ${field}value, or ${field}* for any value.`);
  }
  const open = openParenthesis(text);
  if (rest.trim() === "" && open !== undefined) {
    return new QueryError("This ( is never closed.", open + 1, "Add ) at the end, or write \\( to find the character.");
  }
  if (rest.startsWith("\\")) {
    return new QueryError("A \\ stands before a space or the end.", at + 1, "Put the text in quotes.");
  }
  const shown = word === "" ? "the end" : JSON.stringify(word.slice(0, 24));
  return new QueryError(`Did not expect ${shown} here.`, at + 1, "To find it as text, put it in quotes.");
};

const firstError = (tree: Tree): number | undefined => {
  let at: number | undefined;
  tree.iterate({
    enter: (node) => {
      if (at === undefined && node.type.isError) at = node.from;
      return at === undefined;
    },
  });
  return at;
};

const openQuote = (text: string): number | undefined => {
  for (let i = 0; i < text.length; i++) {
    const end = opaqueEnd(text, i);
    if (end === undefined) continue;
    if (text[i] === '"' && !/^"(?:[^"\\]|\\[\s\S])*"$/.test(text.slice(i, end))) return i;
    i = end - 1;
  }
  return undefined;
};

const openParenthesis = (text: string): number | undefined => {
  const open: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const end = opaqueEnd(text, i);
    if (end !== undefined) i = end - 1;
    else if (text[i] === "(") open.push(i);
    else if (text[i] === ")") open.pop();
  }
  return open.at(-1);
};
