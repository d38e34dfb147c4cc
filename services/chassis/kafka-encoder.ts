/**
 * kafkajs writes a request from the inside out and copies all of it at each of eight levels, into zeroed buffers of the
 * next power of two: for a record of 400 kB that is 4 MB of memory to clear, copy and collect. Here its Encoder keeps
 * large pieces by reference and makes one flat copy where bytes are asked for. The bytes are the same.
 */
import { createRequire } from "node:module";
import { crc32c } from "@node-rs/crc32";

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
  writeInt8(value: number): Encoder;
  writeInt16(value: number): Encoder;
  writeInt32(value: number): Encoder;
  writeUInt32(value: number): Encoder;
  writeInt64(value: unknown): Encoder;
  writeArray(values: readonly Encoder[], type: "object"): Encoder;
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
export const kafkaEncoder = (): { new (): Encoder; prototype: Encoder } => require("kafkajs/src/protocol/encoder.js");

/** What kafkajs gives its record batch; what it leaves out has the protocol's "none" as default. */
export interface Batch {
  compression?: number;
  firstOffset?: unknown;
  firstTimestamp?: unknown;
  maxTimestamp?: unknown;
  partitionLeaderEpoch?: number;
  lastOffsetDelta?: number;
  transactional?: boolean;
  producerId?: unknown;
  producerEpoch?: number;
  firstSequence?: number;
  records?: readonly Encoder[];
}
export type MakeBatch = (batch: Batch) => Promise<Encoder>;

const magic = 2;
/** Bytes from the partition leader's epoch to the checksum, both included. */
const headBytes = 9;

/** An uncompressed record batch, its checksum taken piece by piece; any other is left to `others`. */
export const batchInPieces =
  (make: new () => Encoder, others: MakeBatch): MakeBatch =>
  (batch) => {
    const { compression = 0, transactional = false, records = [] } = batch;
    if (compression !== 0 || transactional) return others(batch);
    const body = new make()
      .writeInt16(0)
      .writeInt32(batch.lastOffsetDelta ?? 0)
      .writeInt64(batch.firstTimestamp ?? Date.now())
      .writeInt64(batch.maxTimestamp ?? Date.now())
      .writeInt64(batch.producerId ?? -1)
      .writeInt16(batch.producerEpoch ?? 0)
      .writeInt32(batch.firstSequence ?? 0)
      .writeArray(records, "object");
    let checksum = 0;
    for (const piece of body.pieces ?? []) checksum = crc32c(piece, checksum);
    checksum = crc32c(body.buf.subarray(body.tail ?? 0, body.offset), checksum);
    return Promise.resolve(
      new make()
        .writeInt64(batch.firstOffset ?? 0)
        .writeInt32(headBytes + body.size())
        .writeInt32(batch.partitionLeaderEpoch ?? 0)
        .writeInt8(magic)
        .writeUInt32(checksum)
        .writeEncoder(body),
    );
  };

/** Changes the installed kafkajs: before its first request, which is when it reads what is changed here. */
export const sendPieces = (): void => {
  const encoder = kafkaEncoder();
  keepPieces(encoder.prototype);
  const module = require("kafkajs/src/protocol/recordBatch/v0/index.js") as { RecordBatch: MakeBatch };
  module.RecordBatch = batchInPieces(encoder, module.RecordBatch);
};
