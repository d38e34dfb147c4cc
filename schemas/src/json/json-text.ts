/** JSON text whose strings hold no escape that is not needed: what a scan for secrets sees is what a reader sees. */

const strings = /"(?:[^"\\]|\\.)*"/g;

/** The same JSON with each string's escapes undone as far as JSON allows; all else, numbers too, as it was. */
export const arrayText = (text: string): string =>
  text.replace(strings, (literal) => (literal.includes("\\") ? JSON.stringify(JSON.parse(literal)) : literal));
