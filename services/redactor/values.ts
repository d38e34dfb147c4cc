/**
 * Where a value ends that follows `name=` in running text. Quotes are taken as they are written, escaped or not; without
 * them a value ends at a blank or at a separator that something follows which looks like the next pair.
 */
import type { Span } from "./detector.ts";

const quotes = "\"'`";
const longestQuoted = 16_384;
const longestElement = 4096;

const quoted = (text: string, at: number): Span | undefined => {
  let start = at;
  while (text[start] === "\\") start++;
  const escapes = start - at;
  const quote = text[start];
  if (quote === undefined || !quotes.includes(quote)) return undefined;
  start++;
  // '''text''' and """text"""
  while (text[start] === quote && text[start + 1] !== undefined && text[start - 2] === quote) start++;
  if (text[start] === quote && text[start + 1] === quote) start += 2;
  const limit = Math.min(text.length, start + longestQuoted);
  for (let i = start; i < limit; i++) {
    const char = text[i];
    if (char === "\n") return [start, i];
    if (char !== quote) continue;
    let before = 0;
    while (text[i - 1 - before] === "\\" && i - 1 - before >= start) before++;
    // The same depth of escaping closes; an even number of backslashes at depth 0 is text of its own.
    if (escapes === 0 ? before % 2 === 0 : before <= escapes) return [start, i - (escapes === 0 ? 0 : before)];
  }
  return [start, limit];
};

const endsHere = (text: string, at: number): boolean => {
  switch (text[at]) {
    case undefined:
    case '"':
    case "'":
    case "`":
    case "<":
    case "\\":
      return true;
    case "&":
      return /^&(?:[\w.%[\]-]+=|[a-z]{2,4};|#|$|\s)/.test(text.slice(at, at + 48));
    case ",":
    case ";":
    case "|":
      return /^.(?:$|[\s"'`]|[\w.-]+["']?[=:])/.test(text.slice(at, at + 48));
    case ")":
    case "]":
    case "}":
    case ">":
      return /^.(?:$|[^A-Za-z0-9!@#$%^*])/.test(text.slice(at, at + 2));
    case "%":
      return /^%(?:26|22|27|0[aAdD])/.test(text.slice(at, at + 3));
    default:
      return text.charCodeAt(at) <= 32;
  }
};

/** Remembers where the last one ended: every value that begins within it ends there, too, and is not walked again. */
let last = { text: "", start: 0, end: 0 };

const unquoted = (text: string, at: number): Span => {
  if (last.text === text && at >= last.start && at <= last.end) return [at, last.end];
  let end = at;
  while (end < text.length && !endsHere(text, end)) end++;
  last = { text, start: at, end };
  return [at, end];
};

const longestSentence = 512;

/** Prose runs on over blanks. Where it is too long it ends between two words, or the next name would lose its head. */
const sentence = (text: string, at: number): Span => {
  const limit = Math.min(text.length, at + longestSentence);
  let end = at;
  while (end < limit && !'",;|\n\r"}<\\'.includes(text[end] ?? "")) end++;
  if (end === limit && limit < text.length) {
    const blank = text.lastIndexOf(" ", end - 1);
    if (blank > at) end = blank;
    else return unquoted(text, at);
  }
  while (end > at && text.charCodeAt(end - 1) <= 32) end--;
  return [at, end];
};

/** The value at `at`, without its quotes. Empty when there is none. */
export const valueAt = (text: string, at: number, prose: boolean): Span => {
  const inQuotes = quoted(text, at);
  if (inQuotes !== undefined) return inQuotes;
  return prose ? sentence(text, at) : unquoted(text, at);
};

/** The text of an element whose start tag ends before `at`. */
export const elementText = (text: string, at: number): Span | undefined => {
  const length = text.slice(at, at + longestElement).indexOf("</");
  if (length < 0) return undefined;
  let [start, stop] = [at, at + length];
  while (start < stop && text.charCodeAt(start) <= 32) start++;
  while (stop > start && text.charCodeAt(stop - 1) <= 32) stop--;
  return text.slice(start, stop).includes("<") ? undefined : [start, stop];
};
