/** Protobuf's wire format, as much of it as OTLP needs: a reader that never leaves its bounds, and a small writer. */
import { isUtf8 } from "node:buffer";

/** The bytes are not protobuf, or not of the message they should be. */
export class ProtobufError extends Error {
  override readonly name = "ProtobufError";
}

/** One message: bytes `at` to `end` of `buffer`. Call next() until it is 0; after each, read or skip the field. */
export class ProtobufReader {
  readonly buffer: Buffer;
  at: number;
  end: number;
  private wire = 0;
  /** The halves of the last 64-bit number, unsigned. */
  low = 0;
  high = 0;

  constructor(buffer: Buffer, at: number, end: number) {
    this.buffer = buffer;
    this.at = at;
    this.end = end;
  }

  /** The number of the next field, or 0 at the end. */
  next(): number {
    if (this.at >= this.end) return 0;
    const tag = this.varint();
    this.wire = tag & 7;
    if (tag < 8) throw new ProtobufError("a field has number 0");
    return tag >>> 3;
  }

  /** A varint's lower 32 bits, unsigned; the upper ones stand in `high`. */
  varint(): number {
    const { buffer, end } = this;
    let low = 0;
    let high = 0;
    for (let i = 0; i < 10; i++) {
      if (this.at >= end) break;
      const byte = buffer[this.at++] as number;
      const bits = byte & 127;
      if (i < 4) low |= bits << (7 * i);
      else if (i === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (7 * i - 32);
      if (byte < 128) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return this.low;
      }
    }
    throw new ProtobufError("a number does not end");
  }

  /** The field as a varint; the value as a signed 64-bit number is int64(). */
  number(): number {
    this.expect(0);
    return this.varint();
  }

  /** The last varint read, as int64. */
  int64(): bigint {
    return BigInt.asIntN(64, (BigInt(this.high) << 32n) | BigInt(this.low));
  }

  /** The field as fixed64: its halves stand in `low` and `high`. */
  fixed64(): void {
    this.expect(1);
    const at = this.advance(8);
    this.low = this.buffer.readUInt32LE(at);
    this.high = this.buffer.readUInt32LE(at + 4);
  }

  double(): number {
    this.expect(1);
    return this.buffer.readDoubleLE(this.advance(8));
  }

  fixed32(): number {
    this.expect(5);
    return this.buffer.readUInt32LE(this.advance(4));
  }

  /** Where the field's bytes lie. */
  bytes(): { start: number; end: number } {
    this.expect(2);
    const size = this.varint();
    const start = this.advance(size);
    return { start, end: start + size };
  }

  /** The field as a message of its own. */
  message(): ProtobufReader {
    const { start, end } = this.bytes();
    return new ProtobufReader(this.buffer, start, end);
  }

  string(): string {
    const { start, end } = this.bytes();
    const text = this.buffer.toString("utf8", start, end);
    if (text.includes("\ufffd") && !isUtf8(this.buffer.subarray(start, end)))
      throw new ProtobufError("a string is not UTF-8");
    return text;
  }

  skip(): void {
    switch (this.wire) {
      case 0:
        this.varint();
        return;
      case 1:
        this.advance(8);
        return;
      case 2:
        this.advance(this.varint());
        return;
      case 5:
        this.advance(4);
        return;
      default:
        throw new ProtobufError("a field has a wire type that is not used");
    }
  }

  private expect(wire: number): void {
    if (this.wire !== wire) throw new ProtobufError("a field has another type than it should");
  }

  private advance(size: number): number {
    const { at } = this;
    if (this.high > 0 && this.wire === 2) throw new ProtobufError("a field runs over the end");
    if (at + size > this.end) throw new ProtobufError("a field runs over the end");
    this.at = at + size;
    return at;
  }
}

const varintBytes = (value: number): number[] => {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return bytes;
};

/** A varint field. */
export const numberField = (field: number, value: number): Buffer =>
  Buffer.from([...varintBytes(field * 8), ...varintBytes(value)]);

/** A field of bytes, a string or a message. */
export const bytesField = (field: number, value: string | Buffer): Buffer => {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([Buffer.from([...varintBytes(field * 8 + 2), ...varintBytes(bytes.length)]), bytes]);
};
