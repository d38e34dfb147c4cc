/**
 * Avro's primitives over one growing buffer, and a reader that refuses what runs over its end. Only what Event and
 * EventBatch need. Strings are UTF-8; a lone surrogate is written as U+FFFD.
 */

/** The bytes are not what their schema says. `at` is the byte offset where that was seen. */
export class AvroError extends Error {
  override readonly name = "AvroError";
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const limb = 2 ** 20;

export class AvroWriter {
  buffer: Buffer;
  at = 0;

  constructor(capacity: number) {
    this.buffer = Buffer.allocUnsafe(capacity);
  }

  /** Makes room for `more` bytes. */
  reserve(more: number): void {
    if (this.at + more <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.at + more));
    this.buffer.copy(grown, 0, 0, this.at);
    this.buffer = grown;
  }

  /** An int or long that fits a double exactly. */
  long(value: number): void {
    if (value < 0) return this.bigLong(BigInt(value));
    this.reserve(10);
    this.varint(value * 2);
  }

  bigLong(value: bigint): void {
    this.reserve(10);
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    while (rest > 127n) {
      this.buffer[this.at++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.buffer[this.at++] = Number(rest);
  }

  /** millis × 10⁶ + nanos as a long, without a bigint on the way: this runs once per event. */
  nanoseconds(millis: number, nanos: number): void {
    if (millis < 0) return this.bigLong(BigInt(millis) * 1_000_000n + BigInt(nanos));
    // v = high·2²⁰ + low; doubled for zigzag, low fills exactly three groups of seven bits.
    const low = (millis % limb) * 1_000_000 + nanos;
    const carry = Math.floor(low / limb);
    const high = Math.floor(millis / limb) * 1_000_000 + carry;
    const groups = (low - carry * limb) * 2;
    this.reserve(10);
    if (high === 0) return this.varint(groups);
    const { buffer } = this;
    buffer[this.at++] = (groups & 127) | 128;
    buffer[this.at++] = ((groups >>> 7) & 127) | 128;
    buffer[this.at++] = (groups >>> 14) | 128;
    this.varint(high);
  }

  string(value: string): void {
    const { length } = value;
    this.reserve(length * 3 + 5);
    const { buffer } = this;
    if (length < 24) {
      // A native call costs more than a short loop; anything beyond ASCII falls through to it.
      let at = this.at + 1;
      let i = 0;
      for (; i < length; i++) {
        const code = value.charCodeAt(i);
        if (code > 127) break;
        buffer[at++] = code;
      }
      if (i === length) {
        buffer[this.at] = length * 2;
        this.at = at;
        return;
      }
    }
    // Guess the size of the length from the character count, and move the text in the rare case that it was wrong.
    const guess = varintSize(length * 2);
    const written = buffer.write(value, this.at + guess, "utf8");
    const size = varintSize(written * 2);
    if (size !== guess) buffer.copyWithin(this.at + size, this.at + guess, this.at + guess + written);
    this.varint(written * 2);
    this.at += written;
  }

  bytes(source: Buffer, start: number, end: number): void {
    this.reserve(end - start);
    source.copy(this.buffer, this.at, start, end);
    this.at += end - start;
  }

  private varint(value: number): void {
    const { buffer } = this;
    let rest = value;
    while (rest > 0x7fffffff) {
      buffer[this.at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      buffer[this.at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    buffer[this.at++] = rest;
  }
}

const varintSize = (value: number): number =>
  value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : value < 268_435_456 ? 4 : 5;

export class AvroReader {
  readonly buffer: Buffer;
  at: number;

  constructor(buffer: Buffer, at = 0) {
    this.buffer = buffer;
    this.at = at;
  }

  /** An int or long up to ±2⁵²; throws beyond. */
  long(): number {
    const { buffer } = this;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = buffer[this.at++];
      if (byte === undefined) throw new AvroError("ends within a number", this.at);
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      }
      scale *= 128;
    }
    throw new AvroError("a number is too large here", this.at);
  }

  bigLong(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.buffer[this.at++];
      if (byte === undefined) throw new AvroError("ends within a number", this.at);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) {
        if (value > 0xffff_ffff_ffff_ffffn) break;
        return (value >> 1n) ^ -(value & 1n);
      }
    }
    throw new AvroError("a number has more than 64 bits", this.at);
  }

  /** Of what `nanoseconds` has read last: those within the millisecond. */
  nanos = 0;

  /** Reads a long of nanoseconds as milliseconds, without a bigint on the way as far as it is later than 1970. */
  nanoseconds(): number {
    const { buffer, at } = this;
    const [a = 0, b = 0, c = 0] = [buffer[at], buffer[at + 1], buffer[at + 2]];
    if ((a & b & c & 128) === 0 || (a & 1) === 1) {
      const value = this.bigLong();
      const nanos = ((value % 1_000_000n) + 1_000_000n) % 1_000_000n;
      this.nanos = Number(nanos);
      return Number((value - nanos) / 1_000_000n);
    }
    // As AvroWriter has it: three groups are low's twenty bits and the sign; the rest is high.
    const low = ((a & 127) | ((b & 127) << 7) | ((c & 127) << 14)) >>> 1;
    let high = 0;
    let scale = 1;
    this.at = at + 3;
    for (;;) {
      const byte = buffer[this.at++];
      if (byte === undefined) throw new AvroError("ends within a number", this.at);
      high += (byte & 127) * scale;
      if (byte < 128) break;
      scale *= 128;
      if (this.at - at > 9) throw new AvroError("a number has more than 64 bits", this.at);
    }
    const whole = Math.floor(high / 1_000_000);
    const rest = (high - whole * 1_000_000) * limb + low;
    const more = Math.floor(rest / 1_000_000);
    this.nanos = rest - more * 1_000_000;
    return whole * limb + more;
  }

  skipLong(): void {
    const { buffer } = this;
    for (let i = 0; i < 10; i++) {
      const byte = buffer[this.at++];
      if (byte === undefined) throw new AvroError("ends within a number", this.at);
      if (byte < 128) return;
    }
    throw new AvroError("a number has more than 64 bits", this.at);
  }

  string(): string {
    const end = this.span();
    const start = this.at;
    this.at = end;
    return this.buffer.toString("utf8", start, end);
  }

  skipString(): void {
    this.at = this.span();
  }

  /** The same, and gives where the text begins; it ends where the reader stands then. */
  skipText(): number {
    const end = this.span();
    const start = this.at;
    this.at = end;
    return start;
  }

  /** Reads a length and returns the end of what it covers. */
  private span(): number {
    const length = this.long();
    const end = this.at + length;
    if (length < 0 || end > this.buffer.length) throw new AvroError("a string runs over the end", this.at);
    return end;
  }

  /** Items in the next block of an array or map; 0 ends it. A block may carry its size in bytes, which is read over. */
  block(): number {
    const count = this.long();
    if (count >= 0) return count;
    this.skipLong();
    return -count;
  }
}
