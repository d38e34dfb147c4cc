/**
 * From the leaves of one JSON object to one Avro Event. Known names become fields, the rest attributes in the client's
 * order. Values are copied as bytes from the request; only what has escapes becomes a string on the way.
 */
import { AvroWriter } from "@astralog/schemas";
import { type Level, levelOfNumber, levelOfText } from "./event-level.ts";
import { earliest, instant, latest, readTimeNumber, readTimeText, type TimeVerdict } from "./event-time.ts";
import { fields, ranks } from "./field-roles.ts";
import { type JsonScanner, kind } from "./json-scan.ts";
import { arrayText } from "./json-text.ts";

const none = -1;
const [time, message, level, service, host, trace, span] = fields.map((_, slot) => slot) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];

/** Longer copies are cheaper by a native call. */
const shortBytes = 48;

/** Why an object was not taken: the member and what was wrong with it. */
export interface FieldProblem {
  field: string;
  message: string;
}

export class EventMapper {
  /** The last event, Avro, from 0 to `at`. */
  readonly writer = new AvroWriter(1 << 16);
  private readonly scanner: JsonScanner;
  private readonly slots = new Int16Array(fields.length * ranks).fill(none);
  private readonly chosen = new Int16Array(fields.length);
  private readonly levels = new Map<string, Level>();

  constructor(scanner: JsonScanner) {
    this.scanner = scanner;
  }

  /** Writes the object just scanned. Returns what is wrong when it cannot be taken. */
  object(): FieldProblem | undefined {
    const { scanner, slots, chosen, writer } = this;
    const { count, leafNames, kinds } = scanner;
    chosen.fill(none);
    let roles = 0;
    for (let i = 0; i < count; i++) {
      const role = leafNames[i]?.role ?? none;
      if (role >= 0) {
        slots[role] = i;
        roles |= 1 << ((role / ranks) | 0);
      }
    }
    let timeMillis = 0;
    let timeNanos = 0;
    let levelNumber = 0;
    let problem: FieldProblem | undefined;
    for (let slot = 0; slot < fields.length; slot++) {
      if ((roles & (1 << slot)) === 0) continue;
      for (let rank = 0, at = slot * ranks; rank < ranks; rank++, at++) {
        const leaf = slots[at] as number;
        if (leaf === none) continue;
        slots[at] = none;
        if (chosen[slot] !== none) continue;
        if (slot === time) {
          const verdict = this.readTime(leaf);
          if (verdict === "out_of_range") problem = outOfRange(leafNames[leaf]?.text ?? "");
          if (verdict !== "time") continue;
          timeMillis = instant.millis;
          timeNanos = instant.nanos;
        } else if (slot === level) {
          const found = this.readLevel(leaf);
          if (found === undefined || levelNumber !== 0) continue;
          levelNumber = found.number;
          if (!found.whole) continue;
        } else if (slot === trace || slot === span) {
          if (!this.isId(leaf, slot === trace ? 32 : 16)) continue;
        } else if (kinds[leaf] !== kind.string || ((slot === service || slot === host) && this.isEmpty(leaf))) continue;
        chosen[slot] = leaf;
      }
    }
    if (problem !== undefined) return problem;

    writer.at = 0;
    writer.nanoseconds(timeMillis, timeNanos);
    writer.long(levelNumber);
    this.chosenText(service);
    this.chosenText(host);
    this.chosenText(message);
    this.chosenId(trace);
    this.chosenId(span);
    this.attributes();
    return undefined;
  }

  /** Writes an event that is only a message: a text, or bytes start to end. */
  line(text: string): void;
  line(buffer: Buffer, start: number, end: number): void;
  line(text: string | Buffer, start = 0, end = 0): void {
    const { writer } = this;
    writer.at = 0;
    // timestamp 0, level 0, service "", host ""
    writer.reserve(4);
    for (let i = 0; i < 4; i++) writer.buffer[writer.at++] = 0;
    if (typeof text === "string") writer.string(text);
    else this.bytes(text, start, end);
    // trace_id "", span_id "", attribute_types "", no attributes
    writer.reserve(4);
    for (let i = 0; i < 4; i++) writer.buffer[writer.at++] = 0;
  }

  private attributes(): void {
    const { scanner, writer, chosen } = this;
    const { count, leafNames, kinds } = scanner;
    let taken = 0;
    for (let slot = 0; slot < chosen.length; slot++) {
      const leaf = chosen[slot] as number;
      if (leaf === none) continue;
      kinds[leaf] = 0;
      taken++;
    }
    const left = count - taken;
    // Trailing s's are left out: an event with text alone has no types at all.
    let letters = 0;
    for (let i = 0, place = 0; i < count; i++) {
      if (kinds[i] === 0) continue;
      place++;
      if (kinds[i] !== kind.string) letters = place;
    }
    writer.long(letters);
    writer.reserve(letters);
    for (let i = 0, place = 0; place < letters; i++) {
      const letter = kinds[i] as number;
      if (letter === 0) continue;
      writer.buffer[writer.at++] = letter;
      place++;
    }
    if (left > 0) {
      writer.long(left);
      for (let i = 0; i < count; i++) {
        if (kinds[i] === 0) continue;
        const avro = (leafNames[i] as { avro: Buffer }).avro;
        this.copy(avro, 0, avro.length);
        this.value(i);
      }
    }
    writer.long(0);
  }

  private value(leaf: number): void {
    const { scanner } = this;
    const start = scanner.starts[leaf] as number;
    const end = scanner.ends[leaf] as number;
    if (scanner.escaped[leaf] === 0) {
      if (start < 0) this.writer.string("{}");
      else this.bytes(scanner.buffer, start, end);
    } else if (scanner.kinds[leaf] === kind.json)
      this.writer.string(arrayText(scanner.buffer.toString("utf8", start, end)));
    else this.writer.string(scanner.unescape(start, end));
  }

  private chosenText(slot: number): void {
    const leaf = this.chosen[slot] as number;
    if (leaf === none) this.writer.long(0);
    else this.value(leaf);
  }

  private chosenId(slot: number): void {
    const leaf = this.chosen[slot] as number;
    if (leaf === none) return this.writer.long(0);
    const { writer } = this;
    const from = writer.at + 1;
    this.value(leaf);
    // Hex digits only, so this lower-cases letters and leaves digits.
    for (let i = from; i < writer.at; i++) writer.buffer[i] = (writer.buffer[i] as number) | 32;
  }

  /** An Avro string of these bytes. */
  private bytes(source: Buffer, start: number, end: number): void {
    this.writer.long(end - start);
    this.copy(source, start, end);
  }

  private copy(source: Buffer, start: number, end: number): void {
    const { writer } = this;
    if (end - start > shortBytes) return writer.bytes(source, start, end);
    writer.reserve(end - start);
    const { buffer } = writer;
    let { at } = writer;
    for (let i = start; i < end; i++) buffer[at++] = source[i] as number;
    writer.at = at;
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

  private readLevel(leaf: number): Level | undefined {
    const { scanner, levels } = this;
    const start = scanner.starts[leaf] as number;
    const end = scanner.ends[leaf] as number;
    const name = scanner.leafNames[leaf]?.text ?? "";
    if (end - start > 16 || scanner.escaped[leaf] === 1) return undefined;
    if (scanner.kinds[leaf] === kind.string) {
      const text = scanner.buffer.toString("utf8", start, end);
      const known = levels.get(text);
      if (known !== undefined) return known;
      const found = levelOfText(name, text);
      // Not digits: they mean different levels under different names.
      if (found !== undefined && levels.size < 256 && !/^\d/.test(text)) levels.set(text, found);
      return found;
    }
    if (scanner.kinds[leaf] !== kind.number) return undefined;
    const number = levelOfNumber(name, Number(scanner.buffer.toString("latin1", start, end)));
    return number === undefined ? undefined : { number, whole: true };
  }

  private isEmpty(leaf: number): boolean {
    return this.scanner.starts[leaf] === this.scanner.ends[leaf];
  }

  /** Whether a leaf is `length` hex digits and not all zero, which OpenTelemetry takes for no id. */
  private isId(leaf: number, length: number): boolean {
    const { scanner } = this;
    const start = scanner.starts[leaf] as number;
    const end = scanner.ends[leaf] as number;
    if (scanner.kinds[leaf] !== kind.string || end - start !== length) return false;
    let zero = true;
    for (let i = start; i < end; i++) {
      const c = scanner.buffer[i] as number;
      if (!((c >= 48 && c <= 57) || (c >= 97 && c <= 102) || (c >= 65 && c <= 70))) return false;
      if (c !== 48) zero = false;
    }
    return !zero;
  }
}

const outOfRange = (field: string): FieldProblem => ({
  field,
  message: `The time is outside what can be stored, ${earliest} to ${latest}. Correct the client's clock or unit.`,
});
