/**
 * Regular expressions: what RE2 and every other engine agree on, read here and written anew, so that the server and a
 * predicate in memory cannot understand one differently. No character of the user's reaches an engine but as [0-9A-Za-z]
 * or as \x{…}; `.` is any character, \d \w \s \b are ASCII, and so is the folding of /…/i.
 */
import { queryLimits } from "./limits.ts";
import { QueryError } from "./query-error.ts";
import { classes, complement, everything, folded, lastPoint, merged, type Ranges } from "./regex-ranges.ts";

const controls: Record<string, number> = { n: 10, t: 9, r: 13, f: 12, v: 11, a: 7 };

interface Reading {
  readonly text: string;
  readonly column: number;
  readonly fold: boolean;
  at: number;
  depth: number;
}

interface Piece {
  readonly source: string;
  /** About how many states it has in the engine's machine. */
  readonly cost: number;
}

/** RE2 source for /text/ or /text/i. `at` is where it stands in the query. Throws QueryError. */
export const readRegex = (token: string, at: number): string => {
  const end = token.lastIndexOf("/");
  const text = token.slice(1, end);
  const flagged = text.startsWith("(?i)");
  const reading: Reading = {
    text,
    column: at + 2,
    fold: flagged || token.endsWith("/i"),
    at: flagged ? 4 : 0,
    depth: 0,
  };
  if (text.length > queryLimits.regexCharacters) {
    throw wrong(reading, `A regular expression may have ${queryLimits.regexCharacters} characters.`, "Shorten it.");
  }
  const { source } = alternation(reading);
  if (reading.at < text.length) throw wrong(reading, "This ) was never opened.", "Write \\) to find the character.");
  return source;
};

/** Text as RE2 source that means nothing but itself. */
export const literalRegex = (text: string): string =>
  Array.from(text, (one) => character(one.codePointAt(0) ?? 0)).join("");

const wrong = ({ column, at }: Reading, message: string, suggestion: string): QueryError =>
  new QueryError(message, column + at, suggestion);

const alternation = (reading: Reading): Piece => {
  const branches = [sequence(reading)];
  while (reading.text[reading.at] === "|") {
    reading.at++;
    branches.push(sequence(reading));
  }
  return { source: branches.map(({ source }) => source).join("|"), cost: sum(branches) };
};

const sequence = (reading: Reading): Piece => {
  const pieces: Piece[] = [];
  while (reading.at < reading.text.length && !"|)".includes(reading.text[reading.at] ?? "")) {
    pieces.push(quantified(reading));
    if (sum(pieces) > queryLimits.regexStates) throw tooCostly(reading);
  }
  return { source: pieces.map(({ source }) => source).join(""), cost: sum(pieces) };
};

const sum = (pieces: readonly Piece[]): number => pieces.reduce((total, { cost }) => total + cost, 1);

const tooCostly = (reading: Reading): QueryError =>
  wrong(reading, "This regular expression is too large when its repeats are counted.", "Repeat less, or use * or +.");

const quantified = (reading: Reading): Piece => {
  const from = reading.at;
  const piece = atom(reading);
  const quantifier = /^(?:[*+?]|\{(\d{1,4})(?:(,)(\d{0,4}))?\})/.exec(reading.text.slice(reading.at));
  if (quantifier === null) return piece;
  if (/^(?:\^|\$|\\[bBAz])$/.test(reading.text.slice(from, reading.at))) {
    throw wrong(reading, "A place cannot be repeated.", "Remove the repeat.");
  }
  reading.at += quantifier[0].length;
  // Greedy or not finds the same texts.
  if (reading.text[reading.at] === "?") reading.at++;
  if (/^[*+?{]/.test(reading.text.slice(reading.at)) && reading.text[reading.at] !== "{") {
    throw wrong(reading, "Two repeats stand side by side.", "Put the first in parentheses, or remove one.");
  }
  const [all, least, comma, most] = quantifier;
  if (least === undefined) return { source: `(?:${piece.source})${all}`, cost: piece.cost + 1 };
  const [low, high] = [Number(least), most ? Number(most) : Number(least)];
  if (high < low || high > queryLimits.regexRepeats) {
    throw wrong(
      reading,
      `A repeat goes from fewer to more, at most ${queryLimits.regexRepeats}.`,
      "Use * or + instead.",
    );
  }
  const repeated = comma === undefined ? `{${low}}` : most ? `{${low},${high}}` : `{${low},}`;
  const cost = piece.cost * Math.max(1, high);
  if (cost > queryLimits.regexStates) throw tooCostly(reading);
  return { source: `(?:${piece.source})${repeated}`, cost };
};

const atom = (reading: Reading): Piece => {
  const start = reading.at;
  const one = String.fromCodePoint(reading.text.codePointAt(start) ?? 0);
  reading.at += one.length;
  switch (one) {
    case "(":
      return group(reading, start);
    case "[":
      return bracket(reading);
    case ".":
      return ranges(everything, false);
    case "^":
    case "$":
      return { source: one, cost: 1 };
    case "*":
    case "+":
    case "?":
      reading.at = start;
      throw wrong(reading, `There is nothing before ${one} to repeat.`, `Write \\${one} to find the character.`);
    case "\\":
      return escaped(reading);
    default:
      return literal(one.codePointAt(0) ?? 0, reading.fold);
  }
};

const group = (reading: Reading, start: number): Piece => {
  const opening = /^\?(?::|P?<[A-Za-z_]\w{0,31}>)/.exec(reading.text.slice(reading.at));
  if (opening !== null) reading.at += opening[0].length;
  else if (reading.text[reading.at] === "?") {
    reading.at = start;
    throw wrong(
      reading,
      "RE2 has no lookahead, lookbehind or flags inside an expression.",
      "Use (…), (?:…), or /…/i for any case.",
    );
  }
  if (++reading.depth > queryLimits.depth) throw wrong(reading, "The parentheses are nested too deep.", "Use fewer.");
  const inner = alternation(reading);
  reading.depth--;
  if (reading.text[reading.at] !== ")") {
    reading.at = start;
    throw wrong(reading, "This ( is never closed.", "Add ), or write \\( to find the character.");
  }
  reading.at++;
  return { source: `(?:${inner.source})`, cost: inner.cost };
};

const escaped = (reading: Reading): Piece => {
  const one = reading.text[reading.at] ?? "";
  const named = classes[one.toLowerCase()];
  if (named !== undefined) {
    reading.at++;
    return ranges(one === one.toLowerCase() ? named : complement(named), false);
  }
  if ("bBAz".includes(one) && one !== "") {
    reading.at++;
    return { source: { A: "^", z: "$" }[one] ?? `\\${one}`, cost: 1 };
  }
  return literal(escapedPoint(reading), reading.fold);
};

/** The character behind a backslash. */
const escapedPoint = (reading: Reading): number => {
  const rest = reading.text.slice(reading.at);
  const hex = /^(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|[xu]\{([0-9A-Fa-f]{1,6})\})/.exec(rest);
  if (hex !== null) {
    const point = Number.parseInt(hex[1] ?? hex[2] ?? hex[3] ?? "", 16);
    if (point > lastPoint || (point >= 0xd800 && point < 0xe000))
      throw wrong(reading, "This is no character.", "Use \\x{0} to \\x{10FFFF}.");
    reading.at += hex[0].length;
    return point;
  }
  const one = String.fromCodePoint(reading.text.codePointAt(reading.at) ?? 0);
  if (rest === "") throw wrong(reading, "A \\ stands at the end.", "Write \\\\ to find the character.");
  const control = controls[one];
  if (control === undefined && /^[0-9A-Za-z]$/.test(one)) {
    throw wrong(
      reading,
      /\d/.test(one) ? "RE2 has no references back to a group." : `\\${one} means nothing here.`,
      "Known are \\d \\w \\s \\b, their capitals, \\n \\t \\r \\xHH, and a \\ before punctuation.",
    );
  }
  reading.at += one.length;
  return control ?? one.codePointAt(0) ?? 0;
};

const bracket = (reading: Reading): Piece => {
  const start = reading.at - 1;
  const negated = reading.text[reading.at] === "^";
  if (negated) reading.at++;
  const found: (readonly [number, number])[] = [];
  for (let first = true; ; first = false) {
    const one = reading.text[reading.at];
    if (one === undefined || (one === "]" && first)) {
      reading.at = start;
      throw wrong(
        reading,
        one === undefined ? "This [ is never closed." : "These brackets are empty.",
        "Write \\[ to find the character.",
      );
    }
    if (one === "]") break;
    if (one === "[" && /^\[[:.=]/.test(reading.text.slice(reading.at))) {
      throw wrong(reading, "Named classes such as [:alpha:] are not known.", "Write a-zA-Z, \\d, \\w or \\s.");
    }
    found.push(...member(reading));
  }
  reading.at++;
  return ranges(negated ? complement(merged(folded(found, reading.fold))) : folded(found, reading.fold), false);
};

/** One member of a class: a character, a range, or \d and its like. */
const member = (reading: Reading): Ranges => {
  const named = /^\\([dwsDWS])/.exec(reading.text.slice(reading.at))?.[1];
  if (named !== undefined) {
    reading.at += 2;
    const these = classes[named.toLowerCase()] ?? [];
    return named === named.toLowerCase() ? these : complement(these);
  }
  const low = memberPoint(reading);
  if (reading.text[reading.at] !== "-" || (reading.text[reading.at + 1] ?? "]") === "]") return [[low, low]];
  reading.at++;
  const high = memberPoint(reading);
  if (high < low) throw wrong(reading, "This range goes backwards.", "Write the smaller character first.");
  return [[low, high]];
};

const memberPoint = (reading: Reading): number => {
  if (reading.text[reading.at] === "\\") {
    reading.at++;
    return escapedPoint(reading);
  }
  const point = reading.text.codePointAt(reading.at) ?? 0;
  reading.at += point > 0xffff ? 2 : 1;
  return point;
};

const literal = (point: number, fold: boolean): Piece => ranges([[point, point]], fold);

const ranges = (list: Ranges, fold: boolean): Piece => {
  const all = merged(folded(list, fold));
  const [only] = all;
  // No character at all: what no text can match.
  if (only === undefined) return { source: "[^\\x{0}-\\x{10ffff}]", cost: 1 };
  if (all.length === 1 && only[0] === only[1]) return { source: character(only[0]), cost: 1 };
  const source = all.map(([low, high]) => (low === high ? character(low) : `${character(low)}-${character(high)}`));
  return {
    source: `[${source.join("")}]`,
    cost: 1 + all.length + (only === undefined || (all.at(-1)?.[1] ?? 0) > 0x7f ? 6 : 0),
  };
};

const character = (point: number): string =>
  /^[0-9A-Za-z]$/.test(String.fromCodePoint(point)) ? String.fromCodePoint(point) : `\\x{${point.toString(16)}}`;
