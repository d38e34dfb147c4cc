/**
 * From the leaves of one JSON object to one Avro Event. Known names become fields, the rest attributes in the client's
 * order. Values are copied as bytes from the request; only what has escapes becomes a string on the way.
 */
import { AvroWriter } from "../avro-bytes.ts";
import { FieldChooser, type FieldProblem, none, slots } from "./choose-fields.ts";
import { type JsonScanner, kind } from "./json-scan.ts";
import { arrayText } from "./json-text.ts";

export type { FieldProblem } from "./choose-fields.ts";

/** A native copy costs about 40 ns however short; below this a loop is cheaper. */
const shortBytes = 32;

export class EventMapper {
  /** The last event, Avro, from 0 to `at`. */
  readonly writer = new AvroWriter(1 << 16);
  private readonly scanner: JsonScanner;
  private readonly chooser: FieldChooser;
  private most = 0;

  constructor(scanner: JsonScanner) {
    this.scanner = scanner;
    this.chooser = new FieldChooser(scanner);
  }

  /** Writes the object just scanned. Returns what is wrong when it cannot be taken. */
  object(): FieldProblem | undefined {
    const { chooser, writer } = this;
    chooser.choose();
    if (chooser.problem !== undefined) return chooser.problem;
    writer.at = 0;
    this.most = this.mostBytes();
    writer.reserve(this.most);
    writer.nanoseconds(chooser.millis, chooser.nanos);
    writer.long(chooser.level);
    this.field(slots.service);
    this.field(slots.host);
    this.field(slots.message);
    this.id(slots.trace);
    this.id(slots.span);
    this.attributes();
    return undefined;
  }

  /** Writes an event that is only a message: a text, or bytes start to end. */
  line(text: string): void;
  line(buffer: Buffer, start: number, end: number): void;
  line(text: string | Buffer, start = 0, end = 0): void {
    const { writer } = this;
    writer.at = 0;
    writer.reserve(32 + end - start);
    // timestamp 0, level 0, service "", host ""
    for (let i = 0; i < 4; i++) writer.buffer[writer.at++] = 0;
    if (typeof text === "string") writer.string(text);
    else this.bytes(text, start, end);
    // trace_id "", span_id "", attribute_types "", no attributes
    writer.reserve(4);
    for (let i = 0; i < 4; i++) writer.buffer[writer.at++] = 0;
  }

  /** No fewer bytes than the event takes, but for values with escapes, which see to themselves. */
  private mostBytes(): number {
    const { count, leafNames, starts, ends } = this.scanner;
    let most = 64;
    for (let i = 0; i < count; i++)
      most += (leafNames[i] as { avro: Buffer }).avro.length + (ends[i] as number) - (starts[i] as number) + 6;
    return most;
  }

  private attributes(): void {
    const { scanner, writer } = this;
    const { chosen } = this.chooser;
    const { count, leafNames, kinds } = scanner;
    for (let slot = 0; slot < 7; slot++) {
      const leaf = chosen[slot] as number;
      if (leaf !== none) kinds[leaf] = 0;
    }
    let left = 0;
    // Trailing s's are left out: an event with text alone has no types at all.
    let letters = 0;
    for (let i = 0; i < count; i++) {
      if (kinds[i] === 0) continue;
      left++;
      if (kinds[i] !== kind.string) letters = left;
    }
    writer.long(letters);
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
        const { avro } = leafNames[i] as { avro: Buffer };
        this.copy(avro, 0, avro.length);
        this.value(i);
      }
    }
    writer.reserve(1);
    writer.buffer[writer.at++] = 0;
  }

  private field(slot: number): void {
    const leaf = this.chooser.chosen[slot] as number;
    if (leaf === none) this.writer.buffer[this.writer.at++] = 0;
    else this.value(leaf);
  }

  private id(slot: number): void {
    const { writer } = this;
    const from = writer.at + 1;
    this.field(slot);
    if (!this.chooser.upperCase) return;
    // Hex digits only, so this lower-cases letters and leaves digits.
    for (let i = from; i < writer.at; i++) writer.buffer[i] = (writer.buffer[i] as number) | 32;
  }

  private value(leaf: number): void {
    const { scanner, writer } = this;
    const start = scanner.starts[leaf] as number;
    const end = scanner.ends[leaf] as number;
    if (scanner.escaped[leaf] === 0) {
      if (start < 0) writer.string("{}");
      else this.bytes(scanner.buffer, start, end);
      return;
    }
    const isArray = scanner.kinds[leaf] === kind.json;
    writer.string(isArray ? arrayText(scanner.buffer.toString("utf8", start, end)) : scanner.unescape(start, end));
    // What this took may be more than was reserved for it.
    writer.reserve(this.most);
  }

  /** An Avro string of these bytes, for which there is room. */
  private bytes(source: Buffer, start: number, end: number): void {
    const { writer } = this;
    const length = end - start;
    if (length < 64) writer.buffer[writer.at++] = length * 2;
    else writer.long(length);
    this.copy(source, start, end);
  }

  /** For which there is room. */
  private copy(source: Buffer, start: number, end: number): void {
    const { writer } = this;
    const { buffer } = writer;
    let { at } = writer;
    if (end - start > shortBytes) {
      source.copy(buffer, at, start, end);
      writer.at = at + end - start;
      return;
    }
    for (let i = start; i < end; i++) buffer[at++] = source[i] as number;
    writer.at = at;
  }
}
