/** Escapes and stars in what stands in a query. `\` makes the next character itself; inside quotes a star is a star. */

/** The text between quotes, with the escapes resolved. */
export const unquote = (quoted: string): string => resolveEscapes(quoted.slice(1, -1));

const resolveEscapes = (text: string): string => text.replace(/\\([\s\S])/g, "$1");

/** The pieces between the unescaped stars of a bare value, escapes resolved. One piece: there was no star. */
export const piecesOf = (bare: string): string[] => {
  const pieces = [""];
  for (let i = 0; i < bare.length; i++) {
    const character = bare[i] ?? "";
    if (character === "*") pieces.push("");
    else pieces[pieces.length - 1] += character === "\\" ? (bare[++i] ?? "") : character;
  }
  return pieces;
};

/** Whether the whole text is the pieces, in order, with anything between them. */
export const matchesPieces = (text: string, pieces: readonly string[]): boolean => {
  const [first = "", ...rest] = pieces;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= text.length - last.length;
};
