/**
 * kafkajs writes a request from the inside out and copies all of it at each of eight levels, into zeroed buffers of the
 * next power of two: for a record of 400 kB that is 4 MB of memory to clear, copy and collect. Here its Encoder keeps
 * large pieces by reference and makes one flat copy where bytes are asked for. The bytes are the same.
 */
import { createRequire } from "node:module";

/** kafkajs's Encoder, as far as this touches it: bytes are written at `offset` of `buf`. */
export interface Encoder {
  buf: Buffer;
  offset: number;
  /** Pieces that stand before the tail, which is what `buf` holds from `tail` to `offset`. */
  pieces?: Buffer[];
  piecesBytes?: number;
  tail?: number;
  readonly buffer: Buffer;
  size(): number;
  ensureAvailable(length: number): void;
  writeInt32(value: number): Encoder;
  writeBufferInternal(bytes: Buffer): void;
  writeBytes(value: unknown): Encoder;
  writeEncoder(value: Encoder): Encoder;
  writeEncoderArray(values: readonly Encoder[]): Encoder;
}

/** Below this a copy is cheaper than one more piece. */
const pieceBytes = 4_096;

const endTail = (encoder: Encoder, pieces: Buffer[]): void => {
  const tail = encoder.tail ?? 0;
  if (encoder.offset > tail) {
    pieces.push(encoder.buf.subarray(tail, encoder.offset));
    encoder.piecesBytes = (encoder.piecesBytes ?? 0) + encoder.offset - tail;
    encoder.tail = encoder.offset;
  }
};

/** Makes the Encoder class whose prototype this is keep its large pieces by reference. */
export const keepPieces = (prototype: Encoder): void => {
  const { writeBytes } = prototype;
  Object.defineProperties(prototype, {
    ensureAvailable: {
      value(this: Encoder, length: number) {
        if (this.offset + length <= this.buf.length) return;
        const tail = this.tail ?? 0;
        const held = this.offset - tail;
        const grown = Buffer.allocUnsafe(Math.max(512, (held + length) * 2));
        this.buf.copy(grown, 0, tail, this.offset);
        this.buf = grown;
        this.tail = 0;
        this.offset = held;
      },
    },
    writeBufferInternal: {
      value(this: Encoder, bytes: Buffer) {
        if (bytes.length < pieceBytes) {
          this.ensureAvailable(bytes.length);
          bytes.copy(this.buf, this.offset);
          this.offset += bytes.length;
          return;
        }
        const pieces = (this.pieces ??= []);
        endTail(this, pieces);
        pieces.push(bytes);
        this.piecesBytes = (this.piecesBytes ?? 0) + bytes.length;
      },
    },
    writeBytes: {
      value(this: Encoder, value: unknown) {
        if (!Buffer.isBuffer(value)) return writeBytes.call(this, value);
        this.writeInt32(value.length);
        this.writeBufferInternal(value);
        return this;
      },
    },
    writeEncoder: {
      value(this: Encoder, value: Encoder) {
        return this.writeEncoderArray([value]);
      },
    },
    writeEncoderArray: {
      value(this: Encoder, values: readonly Encoder[]) {
        for (const value of values) {
          for (const piece of value.pieces ?? []) this.writeBufferInternal(piece);
          this.writeBufferInternal(value.buf.subarray(value.tail ?? 0, value.offset));
        }
        return this;
      },
    },
    size: {
      value(this: Encoder) {
        return (this.piecesBytes ?? 0) + this.offset - (this.tail ?? 0);
      },
    },
    buffer: {
      get(this: Encoder) {
        if (this.pieces === undefined) return this.buf.subarray(0, this.offset);
        endTail(this, this.pieces);
        if (this.pieces.length > 1) this.pieces = [Buffer.concat(this.pieces, this.piecesBytes)];
        return this.pieces[0];
      },
    },
  });
};

const require = createRequire(import.meta.url);

/** The class of the installed kafkajs. */
export const kafkaEncoder = (): { prototype: Encoder } => require("kafkajs/src/protocol/encoder.js");
