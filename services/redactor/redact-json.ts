/**
 * JSON text in, the same JSON text out but for what is secret: keys, order, blanks and numbers stay as they were written,
 * for a line is evidence. Values under a secret's name go whole; every other string is redacted as text, and looked
 * into again when it is JSON itself.
 */

import type { NameDetector } from "./detector.ts";
import { detectorOfName } from "./names.ts";
import { type Counts, RedactionError, redactNamed, redactText } from "./redact-text.ts";

const deepest = 64;
const whitespace = /[ \t\r\n]*/y;
const string = /"(?:[^"\\]|\\.)*"/sy;
const scalar = /[^\s,\]}]+/y;

const take = (pattern: RegExp, text: string, at: number): number => {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
};

const looksLikeJson = (text: string): boolean =>
  /^\s*[[{]/.test(text.slice(0, 64)) && /[\]}]\s*$/.test(text.slice(-64));

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** Text as a log line or an attribute holds it: running text, or JSON. Throws RedactionError. */
export const redactValue = (text: string, counts: Counts, depth = 0): string => {
  if (!looksLikeJson(text) || !isJson(text)) return redactText(text, counts);
  if (depth > 8) throw new RedactionError("JSON within JSON, more than 8 deep");
  const walked = new Walk(text, counts, depth).run();
  // What the walk leaves may still be a secret to a reader of the whole, such as a key that spans two strings.
  return redactText(walked, counts);
};

class Walk {
  private at = 0;
  private out = "";
  private copied = 0;
  private nextEscape = -1;
  private readonly text: string;
  private readonly counts: Counts;
  private readonly depth: number;

  constructor(text: string, counts: Counts, depth: number) {
    this.text = text;
    this.counts = counts;
    this.depth = depth;
  }

  run(): string {
    this.value(undefined, 0);
    return this.out + this.text.slice(this.copied);
  }

  private skip(): void {
    this.at = take(whitespace, this.text, this.at);
  }

  /** Whether the string from `start` to here has an escape in it. */
  private escaped(start: number): boolean {
    if (this.nextEscape < start) {
      const found = this.text.indexOf("\\", start);
      this.nextEscape = found < 0 ? Number.POSITIVE_INFINITY : found;
    }
    return this.nextEscape < this.at;
  }

  private write(start: number, end: number, json: string): void {
    this.out += this.text.slice(this.copied, start) + json;
    this.copied = end;
  }

  /** One value. `named` is the detector of the key it stands under; a list hands it on to its items. */
  private value(named: NameDetector | undefined, level: number): void {
    if (level > deepest) throw new RedactionError(`JSON more than ${deepest} deep`);
    this.skip();
    const { text } = this;
    const start = this.at;
    if (text[start] === "{") return this.object(level);
    if (text[start] === "[") return this.list(named, level);
    if (text[start] === '"') {
      this.at = take(string, text, start);
      // What holds no escape stands in the whole text as it is, which is looked at when the walk is over.
      if (named === undefined && !this.escaped(start)) return;
      const value = JSON.parse(text.slice(start, this.at)) as string;
      const redacted =
        (named && redactNamed(value, named, this.counts)) ?? redactValue(value, this.counts, this.depth + 1);
      if (redacted !== value) this.write(start, this.at, JSON.stringify(redacted));
      return;
    }
    this.at = take(scalar, text, start);
    const value = text.slice(start, this.at);
    // Here, so that what takes a number's place is quoted. Nothing shorter is a secret by its form.
    const unnamed = value.length < 12 ? value : redactText(value, this.counts);
    const redacted = (named && redactNamed(value, named, this.counts)) ?? unnamed;
    if (redacted !== value) this.write(start, this.at, JSON.stringify(redacted));
  }

  private object(level: number): void {
    this.at++;
    for (;;) {
      this.skip();
      if (this.text[this.at] === "}") break;
      if (this.text[this.at] === ",") {
        this.at++;
        continue;
      }
      const start = this.at;
      this.at = take(string, this.text, start);
      if (this.at === start) throw new RedactionError("JSON that parses but cannot be walked");
      const key = JSON.parse(this.text.slice(start, this.at)) as string;
      const redacted = this.escaped(start) ? redactText(key, this.counts) : key;
      if (redacted !== key) this.write(start, this.at, JSON.stringify(redacted));
      this.skip();
      this.at++;
      this.value(detectorOfName(key), level + 1);
    }
    this.at++;
  }

  private list(named: NameDetector | undefined, level: number): void {
    this.at++;
    for (;;) {
      this.skip();
      if (this.text[this.at] === "]") break;
      if (this.text[this.at] === ",") {
        this.at++;
        continue;
      }
      this.value(named, level + 1);
    }
    this.at++;
  }
}
