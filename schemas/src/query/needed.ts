/**
 * Texts of which one must stand in an event's bytes if a query is to be true of it: whoever has many queries need not ask
 * those whose texts are nowhere. Texts are in lower case as words.ts has it, and are found whatever the case.
 */
import type { Field, Query } from "./ast.ts";
import { equalSpellings } from "./spellings.ts";
import { lowerAscii } from "./words.ts";

/** Shorter ones stand everywhere. */
const shortest = 3;
/** More of them would cost more to look for than they save. */
const most = 16;

/** Undefined: it may be true of any event. */
export const neededTexts = (query: Query): readonly string[] | undefined => {
  switch (query.type) {
    case "and":
      return query.parts.map(neededTexts).reduce((best, texts) => (weight(texts) > weight(best) ? texts : best));
    case "or": {
      const parts = query.parts.map(neededTexts);
      const all = new Set(parts.flatMap((texts) => texts ?? []));
      return parts.includes(undefined) || all.size > most ? undefined : [...all];
    }
    case "words":
      return known([longest(query.words)]);
    case "contains":
      return known([query.text]);
    case "wordPattern":
      return known([longest(query.pieces)]);
    case "equals":
      return known(isText(query.field) ? equalSpellings(query.value) : []) ?? nameOf(query.field);
    case "pattern":
      return known(isText(query.field) ? [longest(query.pieces)] : []) ?? nameOf(query.field);
    case "regex":
      return known(isText(query.field) ? branchesOf(query.source).map(longest) : []) ?? nameOf(query.field);
    case "exists":
      return nameOf(query.field);
    case "range":
      return known([query.path]);
    default:
      return undefined;
  }
};

/** These stand in the bytes as they are read. */
const isText = ({ kind }: Field): boolean => ["attribute", "message", "service", "host"].includes(kind);

/** An attribute that is asked for has its name there. */
const nameOf = (field: Field): readonly string[] | undefined =>
  field.kind === "attribute" ? known([field.path]) : undefined;

const longest = (texts: readonly string[]): string =>
  texts.reduce((best, text) => (text.length > best.length ? text : best), "");

/** By its shortest text: that one stands in most events. */
const weight = (texts: readonly string[] | undefined): number =>
  texts === undefined ? 0 : Math.min(...texts.map(({ length }) => length));

/** U+FFFD is also what bytes that are no text are read as. */
const known = (texts: readonly string[]): readonly string[] | undefined =>
  texts.length === 0 || texts.length > most || texts.some((text) => text.length < shortest || text.includes("\ufffd"))
    ? undefined
    : texts.map(lowerAscii);

/** What RE2 source that regex.ts has written is made of. A letter in both cases is that letter. */
const token =
  /\\x\{([0-9a-f]+)\}|\\[A-Za-z]|([0-9A-Za-z])|\[([A-Z])([a-z])\]|\[[^\]]*\]|(\()|(\))|(\|)|([*+?]|\{[0-9,]*\})|./gs;

/** For each alternative the texts that stand in whatever it matches, outside of groups. */
const branchesOf = (source: string): string[][] => {
  const branches: string[][] = [[]];
  let run = "";
  let depth = 0;
  const end = (): void => {
    branches.at(-1)?.push(run);
    run = "";
  };
  for (const [, hex, plain, upper, lower, opens, closes, or] of source.matchAll(token)) {
    const point = hex === undefined ? undefined : Number.parseInt(hex, 16);
    const letter =
      plain ??
      (upper !== undefined && upper.toLowerCase() === lower ? lower : undefined) ??
      (point !== undefined && point < 0x80 ? String.fromCharCode(point) : undefined);
    if (depth === 0 && letter !== undefined) run += letter;
    else end();
    if (opens !== undefined) depth++;
    if (closes !== undefined) depth--;
    if (or !== undefined && depth === 0) branches.push([]);
  }
  end();
  return branches;
};
