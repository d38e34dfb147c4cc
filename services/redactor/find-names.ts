/** Finds in running text what is assigned to a name that says it is secret. */
import RE2 from "re2";
import { asciiFold } from "./ascii-fold.ts";
import { looksStronglyRandom } from "./checks.ts";
import type { NameDetector, Span } from "./detector.ts";
import { assigns, detectorOfName, mentionsSecret, namePattern } from "./names.ts";
import { checkTime } from "./time-budget.ts";
import { elementText, valueAt } from "./values.ts";

const name = new RE2(asciiFold(namePattern), "g");
/** The beginning of a longer value stands for it. */
const longestChecked = 512;

export interface NamedSecret {
  detector: NameDetector;
  span: Span;
}

const isNamePart = (char: string | undefined): boolean => char !== undefined && /[\p{L}\p{N}_$.-]/u.test(char);

/** `id/pw: a/b` names a pair, and its value is not the password alone. */
const namesPair = (before: string): boolean =>
  /(?:[^\x00-\x7f]|\b(?:id|user|username|userid|login|account|name|email)\b) ?[/&] ?$/i.test(before);

const secretAt = (
  text: string,
  nameStart: number,
  nameEnd: number,
  sign: string,
  at: number,
): NamedSecret | undefined => {
  let start = nameStart;
  while (start > 0 && nameStart - start < 80 && isNamePart(text[start - 1])) start--;
  const identifier = text.slice(start, nameEnd);
  const exact = detectorOfName(identifier);
  const detector = exact ?? mentionsSecret(identifier);
  if (detector === undefined) return undefined;
  if (namesPair(text.slice(Math.max(0, start - 16), start))) return undefined;
  let span: Span | undefined;
  if (sign === ">") {
    // Only `<name>value</name>`.
    if (!/<(?:[\w-]+:)?$/.test(text.slice(Math.max(0, start - 40), start))) return undefined;
    span = elementText(text, at);
  } else {
    const next = text[at];
    if (sign.endsWith("=") && (next === "=" || next === "~")) return undefined;
    if (sign === "," && !/^\\*["'`]/.test(text.slice(at, at + 4))) return undefined;
    span = valueAt(text, at, detector.prose === true);
  }
  if (span === undefined || span[1] <= span[0]) return undefined;
  const value = text.slice(span[0], Math.min(span[1], span[0] + longestChecked));
  const goes = exact === undefined ? looksStronglyRandom(value) : detector.takesText(value);
  return goes ? { detector, span } : undefined;
};

export function* namedSecrets(text: string): Generator<NamedSecret> {
  name.lastIndex = 0;
  for (let match = name.exec(text); match !== null; match = name.exec(text)) {
    checkTime();
    const end = match.index + match[0].length;
    assigns.lastIndex = end;
    const { rest = "", sign } = assigns.exec(text)?.groups ?? {};
    if (sign === undefined) continue;
    const found = secretAt(text, match.index, end + rest.length, sign, assigns.lastIndex);
    if (found === undefined) continue;
    yield found;
    name.lastIndex = Math.max(end, found.span[1]);
  }
}
