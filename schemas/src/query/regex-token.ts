/**
 * Where a /regular expression/ ends. It is one only when what follows its second slash is a space, a parenthesis, a pipe
 * or the end: so /health and /api/v2 stay the words they look like. No grammar of tokens can look ahead like that.
 */
import { ExternalTokenizer } from "@lezer/lr";

/** Twice what an expression may have, so that one that is too long is called so and not taken for words. */
const furthest = 1024;

/** `term` is the number that the grammar gave to Regex. */
export const createRegexTokens = (term: number): ExternalTokenizer =>
  new ExternalTokenizer((input) => {
    if (input.next !== 0x2f) return;
    let text = "";
    for (let i = 0; i < furthest && input.peek(i) >= 0 && input.peek(i) !== 0x0a; i++)
      text += String.fromCharCode(input.peek(i));
    const end = regexEnd(text, 0);
    if (end !== undefined) input.acceptToken(term, end);
  });

/** The index behind the expression that begins with the slash at `from`, with its `i`; undefined when there is none. */
export const regexEnd = (text: string, from: number): number | undefined => {
  let inClass = false;
  for (let i = from + 1; i < text.length; i++) {
    const character = text[i];
    if (character === "\n") return undefined;
    if (character === "\\") i++;
    else if (character === "[") inClass = true;
    else if (character === "]") inClass = false;
    else if (character === "/" && !inClass && i > from + 1) {
      const end = text[i + 1] === "i" ? i + 2 : i + 1;
      return /^[\s)|]?$/.test(text[end] ?? "") ? end : undefined;
    }
  }
  return undefined;
};

/** Where in a query a piece that is opaque to its grammar ends: an escape, a quoted text, a regular expression. */
export const opaqueEnd = (text: string, at: number): number | undefined => {
  const character = text[at];
  if (character === "\\") return at + 2;
  if (character === '"') {
    for (let i = at + 1; i < text.length; i++) {
      if (text[i] === "\\") i++;
      else if (text[i] === '"') return i + 1;
    }
    return text.length;
  }
  if (character === "/" && /^[\s():|-]?$/.test(text[at - 1] ?? "")) return regexEnd(text, at);
  return undefined;
};
