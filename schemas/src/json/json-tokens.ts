/**
 * A strict JSON reader (RFC 8259) over bytes: its tokens, and whole values that are only read over. The bytes are known to
 * be valid UTF-8.
 */
import { maxDepth, refusedDepth } from "./limits.ts";

/** Why an event that is good JSON cannot be taken. */
export type Excess = "too_deep" | "too_many_fields" | "name_too_long";

const plain = new Uint8Array(256).fill(1, 32);
plain[34] = plain[92] = 0;

export const quote = 34;
const backslash = 92;

export class JsonTokens {
  buffer: Buffer = Buffer.alloc(0);
  at = 0;
  end = 0;
  /** Whether a line feed may stand between tokens: not where it ends an event. */
  multiline = true;
  excess: Excess | undefined;
  /** Whether the string, or the value, read last has an escape. */
  sawBackslash = false;

  /** What is wrong at byte `errorAt`, in words; set when a method returned false. */
  error = "";
  errorAt = 0;
  /** Whether the nesting alone condemns the whole body. */
  hostile = false;

  private readonly stack = new Uint8Array(refusedDepth);

  /** Points at bytes start to end of `buffer`. */
  over(buffer: Buffer, start: number, end: number): void {
    this.buffer = buffer;
    this.at = start;
    this.end = end;
    this.hostile = false;
  }

  /** Moves to the next byte that is not white space and returns it, or -1 at the end. */
  peek(): number {
    const { buffer, end, multiline } = this;
    let i = this.at;
    for (; i < end; i++) {
      const c = buffer[i] as number;
      if (c > 32 || (c !== 32 && c !== 13 && c !== 9 && (c !== 10 || !multiline))) {
        this.at = i;
        return c;
      }
    }
    this.at = i;
    return -1;
  }

  /** Reads over the value at `at`, whatever it is. `depth` is how deep it stands. Sets `excess` as object() does. */
  value(depth: number): boolean {
    this.excess = undefined;
    return this.skip(depth);
  }

  protected fail(message: string, at: number): false {
    this.error = message;
    this.errorAt = at;
    return false;
  }

  /** The string that opens at `at`; moves behind its closing quote. `sawBackslash` says whether it has escapes. */
  protected string(): boolean {
    const { buffer, end } = this;
    let i = this.at + 1;
    this.sawBackslash = false;
    for (;;) {
      while (i < end && plain[buffer[i] as number] === 1) i++;
      if (i >= end) return this.fail("a string does not end", i);
      const c = buffer[i] as number;
      if (c === quote) {
        this.at = i + 1;
        return true;
      }
      if (c !== backslash) return this.fail("a control character stands unescaped in a string", i);
      this.sawBackslash = true;
      const size = escapeSize(buffer, i + 1, end);
      if (size === 0) return this.fail("an escape is none of JSON's", i);
      i += size + 1;
    }
  }

  protected scalar(c: number): boolean {
    if (c === 116) return this.word("true");
    if (c === 102) return this.word("false");
    if (c === 110) return this.word("null");
    return this.number(c);
  }

  private word(text: string): boolean {
    const start = this.at;
    for (let i = 0; i < text.length; i++) {
      if (start + i >= this.end || this.buffer[start + i] !== text.charCodeAt(i))
        return this.fail("expected a value", start);
    }
    this.at = start + text.length;
    return true;
  }

  private number(first: number): boolean {
    const { buffer, end } = this;
    const start = this.at;
    let i = start;
    let c = first;
    if (c === 45) c = ++i < end ? (buffer[i] as number) : -1;
    if (c < 48 || c > 57)
      return this.fail(first === -1 ? "the text ends where a value should be" : "expected a value", i);
    i++;
    if (c !== 48) i = digits(buffer, i, end);
    if (i < end && buffer[i] === 46) {
      const from = ++i;
      i = digits(buffer, i, end);
      if (i === from) return this.fail("expected a digit behind the point", i);
    }
    if (i < end && ((buffer[i] as number) | 32) === 101) {
      i++;
      if (i < end && (buffer[i] === 43 || buffer[i] === 45)) i++;
      const from = i;
      i = digits(buffer, i, end);
      if (i === from) return this.fail("expected a digit in the exponent", i);
    }
    this.at = i;
    return true;
  }

  /** Reads over one value without recursion, however deep. */
  protected skip(depth: number): boolean {
    const { stack } = this;
    let level = 0;
    let backslashes = false;
    let c = this.peek();
    for (;;) {
      // A value is due here.
      if (c === 91 || c === 123) {
        if (level + depth >= refusedDepth) {
          this.hostile = true;
          return this.fail(`nesting is deeper than ${refusedDepth}`, this.at);
        }
        if (level + depth >= maxDepth) this.excess ??= "too_deep";
        stack[level++] = c;
        this.at++;
        const next = this.peek();
        if (next === c + 2) {
          this.at++;
          level--;
        } else {
          if (c === 123) {
            if (!this.skipName(next)) return false;
            backslashes ||= this.sawBackslash;
          }
          c = this.peek();
          continue;
        }
      } else if (c === quote) {
        if (!this.string()) return false;
        backslashes ||= this.sawBackslash;
      } else if (!this.scalar(c)) return false;

      // A value has ended.
      for (;;) {
        if (level === 0) {
          this.sawBackslash = backslashes;
          return true;
        }
        const open = stack[level - 1] as number;
        c = this.peek();
        this.at++;
        if (c === open + 2) {
          level--;
          continue;
        }
        if (c !== 44) return this.fail("expected a comma or the end of an array or object", this.at - 1);
        c = this.peek();
        if (open === 123) {
          if (!this.skipName(c)) return false;
          backslashes ||= this.sawBackslash;
          c = this.peek();
        }
        break;
      }
    }
  }

  private skipName(c: number): boolean {
    if (c !== quote) return this.fail("expected a member name in quotes", this.at);
    if (!this.string()) return false;
    if (this.peek() !== 58) return this.fail("expected a colon", this.at);
    this.at++;
    return true;
  }

  /** The text of the string whose inside lies from start to end. A lone surrogate becomes U+FFFD. */
  unescape(start: number, end: number): string {
    return (JSON.parse(this.buffer.toString("utf8", start - 1, end + 1)) as string).toWellFormed();
  }
}

const digits = (buffer: Buffer, start: number, end: number): number => {
  let i = start;
  while (i < end && (buffer[i] as number) >= 48 && (buffer[i] as number) <= 57) i++;
  return i;
};

/** Bytes of the escape whose letter stands at `i`; 0 when it is none. */
const escapeSize = (buffer: Buffer, i: number, end: number): number => {
  if (i >= end) return 0;
  switch (buffer[i]) {
    case 34:
    case 47:
    case 92:
    case 98:
    case 102:
    case 110:
    case 114:
    case 116:
      return 1;
    case 117: {
      if (i + 4 >= end) return 0;
      for (let j = 1; j <= 4; j++) {
        const c = buffer[i + j] as number;
        if (!((c >= 48 && c <= 57) || (c >= 97 && c <= 102) || (c >= 65 && c <= 70))) return 0;
      }
      return 5;
    }
    default:
      return 0;
  }
};
