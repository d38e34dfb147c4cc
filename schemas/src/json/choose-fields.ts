/**
 * Which leaf of an event is its time, its message, its level and so on. Of several names for one field the first in the
 * list whose value fits is chosen; the rest stay attributes.
 */
import { type Level, levelOfNumber, levelOfText } from "./event-level.ts";
import { earliest, instant, latest, readTimeNumber, readTimeText, type TimeVerdict } from "./event-time.ts";
import { fields, ranks } from "./field-roles.ts";
import { type JsonScanner, kind } from "./json-scan.ts";

export const none = -1;
export const slots = { time: 0, message: 1, level: 2, service: 3, host: 4, trace: 5, span: 6 } as const;

const unranked = ranks;
const width = Math.log2(ranks);

/** Lower-case digit by hex digit, 0 for anything else. */
const hex = new Uint8Array(256);
for (const c of "0123456789abcdefABCDEF") hex[c.charCodeAt(0)] = c.toLowerCase().charCodeAt(0);

/** Levels that were read lately, by a fold of their bytes; levels have few spellings. */
const levelCacheSize = 256;

/** Why an object was not taken: the member and what was wrong with it. */
export interface FieldProblem {
  field: string;
  message: string;
}

export class FieldChooser {
  /** The leaf by slot, or none. */
  readonly chosen = new Int16Array(fields.length);
  millis = 0;
  nanos = 0;
  level = 0;
  /** Whether an id has a digit in upper case. */
  upperCase = false;
  problem: FieldProblem | undefined;
  private readonly scanner: JsonScanner;
  private readonly bestRank = new Uint8Array(fields.length);
  private readonly bestLeaf = new Int16Array(fields.length);
  private readonly levels: ({ text: Buffer; level: Level } | undefined)[] = new Array(levelCacheSize).fill(undefined);

  constructor(scanner: JsonScanner) {
    this.scanner = scanner;
  }

  /** Chooses among the leaves just scanned. `problem` says when the event cannot be taken. */
  choose(): void {
    const { chosen, bestRank, bestLeaf } = this;
    const { count, leafNames } = this.scanner;
    this.millis = 0;
    this.nanos = 0;
    this.level = 0;
    this.upperCase = false;
    this.problem = undefined;
    for (let slot = 0; slot < 7; slot++) {
      chosen[slot] = none;
      bestRank[slot] = unranked;
    }
    for (let i = 0; i < count; i++) {
      const role = (leafNames[i] as { role: number }).role;
      if (role < 0) continue;
      const slot = role >> width;
      const rank = role & (ranks - 1);
      if (rank < (bestRank[slot] as number)) {
        bestRank[slot] = rank;
        bestLeaf[slot] = i;
      }
    }
    for (let slot = 0; slot < 7; slot++) {
      if (bestRank[slot] === unranked) continue;
      const leaf = bestLeaf[slot] as number;
      if (this.fits(slot, leaf)) chosen[slot] = leaf;
      else this.tryOthers(slot, bestRank[slot] as number);
    }
  }

  /** The names behind `rank`, in their order. */
  private tryOthers(slot: number, rank: number): void {
    const { count, leafNames } = this.scanner;
    for (let next = rank + 1; next < ranks; next++) {
      const role = (slot << width) | next;
      const leaf = leafNames.findIndex((name, i) => i < count && name.role === role);
      if (leaf === none || !this.fits(slot, leaf)) continue;
      this.chosen[slot] = leaf;
      return;
    }
  }

  private fits(slot: number, leaf: number): boolean {
    const { scanner } = this;
    switch (slot) {
      case slots.time:
        return this.isTime(leaf);
      case slots.message:
        return scanner.kinds[leaf] === kind.string;
      case slots.level:
        return this.isLevel(leaf);
      case slots.trace:
        return this.isId(leaf, 32);
      case slots.span:
        return this.isId(leaf, 16);
      default:
        return scanner.kinds[leaf] === kind.string && scanner.starts[leaf] !== scanner.ends[leaf];
    }
  }

  private isTime(leaf: number): boolean {
    const verdict = this.readTime(leaf);
    if (verdict === "out_of_range")
      this.problem = {
        field: this.scanner.leafNames[leaf]?.text ?? "",
        message: `The time is outside what can be stored, ${earliest} to ${latest}. Correct the client's clock or unit.`,
      };
    if (verdict !== "time") return false;
    this.millis = instant.millis;
    this.nanos = instant.nanos;
    return true;
  }

  private readTime(leaf: number): TimeVerdict {
    const { scanner } = this;
    const start = scanner.starts[leaf] as number;
    const end = scanner.ends[leaf] as number;
    if (scanner.kinds[leaf] === kind.number) return readTimeNumber(scanner.buffer, start, end);
    if (scanner.kinds[leaf] !== kind.string) return "no_time";
    if (scanner.escaped[leaf] === 0) return readTimeText(scanner.buffer, start, end);
    const text = Buffer.from(scanner.unescape(start, end));
    return readTimeText(text, 0, text.length);
  }

  /** Whether the leaf is a level and its number says all; a level that says more is taken and its text kept. */
  private isLevel(leaf: number): boolean {
    const found = this.level === 0 ? this.readLevel(leaf) : undefined;
    if (found === undefined) return false;
    this.level = found.number;
    return found.whole;
  }

  private readLevel(leaf: number): Level | undefined {
    const { scanner, levels } = this;
    const { buffer } = scanner;
    const start = scanner.starts[leaf] as number;
    const end = scanner.ends[leaf] as number;
    if (end - start > 16 || end === start || scanner.escaped[leaf] === 1) return undefined;
    const letter = scanner.kinds[leaf];
    if (letter !== kind.string && letter !== kind.number) return undefined;
    const name = scanner.leafNames[leaf]?.text ?? "";
    if (letter === kind.number) {
      const number = levelOfNumber(name, Number(buffer.toString("latin1", start, end)));
      return number === undefined ? undefined : { number, whole: true };
    }
    let fold = 0;
    for (let i = start; i < end; i++) fold = (fold * 31 + (buffer[i] as number)) & (levelCacheSize - 1);
    const known = levels[fold];
    if (known !== undefined && sameBytes(known.text, buffer, start, end)) return known.level;
    const text = buffer.toString("utf8", start, end);
    const found = levelOfText(name, text);
    // Not digits: they mean different levels under different names.
    if (found !== undefined && !/^\d/.test(text)) levels[fold] = { text: Buffer.from(text), level: found };
    return found;
  }

  /** Whether a leaf is `length` hex digits and not all zero, which OpenTelemetry takes for no id. */
  private isId(leaf: number, length: number): boolean {
    const { scanner } = this;
    const { buffer } = scanner;
    const start = scanner.starts[leaf] as number;
    if (scanner.kinds[leaf] !== kind.string || (scanner.ends[leaf] as number) - start !== length) return false;
    let bits = 0;
    let changed = 0;
    for (let i = start; i < start + length; i++) {
      const c = buffer[i] as number;
      const digit = hex[c] as number;
      if (digit === 0) return false;
      bits |= digit ^ 48;
      changed |= digit ^ c;
    }
    if (changed !== 0) this.upperCase = true;
    return bits !== 0;
  }
}

const sameBytes = (a: Buffer, b: Buffer, start: number, end: number): boolean => {
  if (a.length !== end - start) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[start + i]) return false;
  return true;
};
