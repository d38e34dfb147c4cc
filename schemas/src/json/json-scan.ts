/**
 * A strict JSON reader (RFC 8259) over bytes that makes no objects: it notes where each leaf of one event lies. So
 * numbers keep every digit, arrays keep their text, no name can reach a prototype, and a clean event is copied from the
 * request to Kafka without ever being a string.
 *
 * The bytes are known to be valid UTF-8. Property tests hold this equal to JSON.parse.
 */
import type { Name, NameNode, Names } from "./field-names.ts";
import { JsonTokens, quote } from "./json-tokens.ts";
import { maxDepth, maxFields, maxNameBytes } from "./limits.ts";

/** Kinds of a leaf: the letters of Event.attribute_types. */
export const kind = { string: 115, number: 110, boolean: 98, null: 48, json: 106 } as const;

export class JsonScanner extends JsonTokens {
  readonly names: Names;

  /** The leaves of the last event: name, kind, and the value's bytes (a string's without its quotes). */
  count = 0;
  readonly leafNames: Name[] = [];
  readonly kinds = new Uint8Array(maxFields);
  readonly starts = new Int32Array(maxFields);
  readonly ends = new Int32Array(maxFields);
  /** 1 where a string, or a string within an array, has a backslash. */
  readonly escaped = new Uint8Array(maxFields);

  private serial = 0;

  constructor(names: Names) {
    super();
    this.names = names;
  }

  /**
   * Reads the object at `at` as one event. False: it is not JSON, see `error`. True with `excess` set: it is JSON, but
   * not one we take.
   */
  object(): boolean {
    this.count = 0;
    this.excess = undefined;
    this.serial++;
    this.names.trim();
    return this.members(this.names.root, 1);
  }

  /** The members of the object that opens at `at`. */
  private members(parent: NameNode, depth: number): boolean {
    this.at++;
    let c = this.peek();
    if (c === 125) {
      this.at++;
      if (parent !== this.names.root) this.leaf(parent.name, kind.json, this.at - 2, this.at, 0, true);
      return true;
    }
    let before: NameNode | undefined;
    for (;;) {
      if (c !== quote) return this.fail("expected a member name in quotes", this.at);
      const guess = before === undefined ? parent.first : before.next;
      const node = guess !== undefined && this.matches(guess) ? guess : this.memberName(parent);
      if (node === undefined) return false;
      if (node !== guess) {
        if (before === undefined) parent.first = node;
        else before.next = node;
      }
      before = node;
      if (this.peek() !== 58) return this.fail("expected a colon", this.at);
      this.at++;
      if (!this.member(node, this.peek(), depth)) return false;
      c = this.peek();
      this.at++;
      if (c === 125) return true;
      if (c !== 44) return this.fail("expected a comma or the end of an object", this.at - 1);
      c = this.peek();
    }
  }

  /** Whether the member name that opens at `at` is this node's; if so, moves behind its closing quote. */
  private matches(node: NameNode): boolean {
    const { raw } = node;
    if (raw === undefined) return false;
    const { buffer } = this;
    const start = this.at + 1;
    const { length } = raw;
    if (start + length >= this.end || buffer[start + length] !== quote) return false;
    for (let i = 0; i < length; i++) if (buffer[start + i] !== raw[i]) return false;
    this.at = start + length + 1;
    return true;
  }

  private memberName(parent: NameNode): NameNode | undefined {
    const start = this.at + 1;
    if (!this.string()) return undefined;
    const stop = this.at - 1;
    const text = this.sawBackslash ? this.unescape(start, stop) : this.buffer.toString("utf8", start, stop);
    const before = parent === this.names.root ? 0 : Buffer.byteLength(parent.name.text) + 1;
    if (before + Buffer.byteLength(text) <= maxNameBytes) return this.names.child(parent, text);
    // Not worth remembering: the event is refused.
    this.excess ??= "name_too_long";
    return this.names.child(parent, "");
  }

  private member(node: NameNode, c: number, depth: number): boolean {
    const start = this.at;
    switch (c) {
      case quote: {
        if (!this.string()) return false;
        this.leaf(node.name, kind.string, start + 1, this.at - 1, this.sawBackslash ? 1 : 0, false);
        return true;
      }
      case 123:
        if (depth < maxDepth) return this.members(node, depth + 1);
        return this.skip(depth);
      case 91: {
        this.sawBackslash = false;
        if (!this.skip(depth)) return false;
        this.leaf(node.name, kind.json, start, this.at, this.sawBackslash ? 1 : 0, false);
        return true;
      }
      default: {
        if (!this.scalar(c)) return false;
        const letter = c === 110 ? kind.null : c === 116 || c === 102 ? kind.boolean : kind.number;
        this.leaf(node.name, letter, start, this.at, 0, false);
        return true;
      }
    }
  }

  /** Notes one leaf; a name that this event already has gets a suffix, so that both values are kept. */
  private leaf(name: Name, letter: number, start: number, end: number, escaped: number, emptyObject: boolean): void {
    const i = this.count;
    if (i >= maxFields) {
      this.excess ??= "too_many_fields";
      return;
    }
    let own = name;
    while (own.seen === this.serial) own = this.names.name(`${name.text}#${++name.copies}`);
    own.seen = this.serial;
    own.copies = 1;
    this.leafNames[i] = own;
    this.kinds[i] = letter;
    this.starts[i] = emptyObject ? -1 : start;
    this.ends[i] = end;
    this.escaped[i] = escaped;
    this.count = i + 1;
  }
}
