/**
 * Content-Encoding, undone under a cap. A small body is inflated at once: that costs half of what a stream does and
 * blocks for a few milliseconds at most. A large one goes through a stream, and one that grows suspiciously is first
 * only measured, so that a bomb never holds memory.
 */
import {
  brotliDecompressSync,
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from "node:zlib";
import type { Lease } from "./in-flight.ts";
import { Refusal } from "./refusals.ts";

const mebi = 2 ** 20;
/** Up to so many compressed bytes, and inflated ones, at once on the main thread. */
const atOnce = { compressed: mebi / 4, inflated: 8 * mebi };
/** Logs compress 5 to 30 times; beyond this, and beyond atOnce, the size is measured before it is kept. */
const suspiciousRatio = 50;

// Windows larger than 8 MiB are for archives; the decoder would take as much memory before the first byte.
const zstd = { params: { [constants.ZSTD_d_windowLogMax]: 23 } };

const isZlib = (body: Buffer): boolean =>
  body.length >= 2 && ((body[0] as number) & 15) === 8 && body.readUInt16BE(0) % 31 === 0;

type Options = { chunkSize: number; maxOutputLength?: number };

/** How to inflate, by the encoding's name. `deflate` is zlib by its definition and raw by a habit of some clients. */
const coders = {
  gzip: () => ({ sync: gunzipSync, stream: (o: Options) => createGunzip(o) }),
  deflate: (body: Buffer) =>
    isZlib(body)
      ? { sync: inflateSync, stream: (o: Options) => createInflate(o) }
      : { sync: inflateRawSync, stream: (o: Options) => createInflateRaw(o) },
  br: () => ({ sync: brotliDecompressSync, stream: (o: Options) => createBrotliDecompress(o) }),
  zstd: () => ({
    sync: (body: Buffer, o: Options) => zstdDecompressSync(body, { ...o, ...zstd }),
    stream: (o: Options) => createZstdDecompress({ ...o, ...zstd }),
  }),
} as const;

export type Encoding = keyof typeof coders;

/** The one encoding of a body, or undefined for none. Throws a Refusal for an unknown one and for several. */
export const encodingOf = (header: string | undefined): Encoding | undefined => {
  const name = (header ?? "").trim().toLowerCase();
  if (name === "" || name === "identity") return undefined;
  const plain = name === "x-gzip" ? "gzip" : name;
  if (Object.hasOwn(coders, plain)) return plain as Encoding;
  throw new Refusal("encoding_unsupported", "Send one Content-Encoding of gzip, deflate, br and zstd, or none.", {
    headers: { "accept-encoding": Object.keys(coders).join(", ") },
  });
};

const tooLarge = (maxBytes: number): Refusal =>
  new Refusal("body_too_large", `The body inflates to more than ${maxBytes} bytes. Send smaller batches.`);

const malformed = (encoding: Encoding, cause: unknown): Refusal =>
  new Refusal("encoding_malformed", `The body is not whole, valid ${encoding}.`, { cause });

/** Bytes to make room for at first: more memory than needed is collected again, less is taken piece by piece. */
const guessSize = (body: Buffer, encoding: Encoding, most: number): number => {
  // gzip ends with the inflated size; a lie there costs only a wrong guess.
  const said = encoding === "gzip" && body.length >= 18 ? body.readUInt32LE(body.length - 4) + 64 : body.length * 8;
  return Math.max(1_024, Math.min(said, most, body.length * 20));
};

/** Rejects with a Refusal: body_too_large, encoding_malformed, overloaded. */
export const inflate = async (body: Buffer, encoding: Encoding, lease: Lease, maxBytes: number): Promise<Buffer> => {
  if (body.length === 0) throw malformed(encoding, "empty");
  const coder = coders[encoding](body);
  if (body.length <= atOnce.compressed) {
    const most = Math.min(maxBytes, atOnce.inflated);
    try {
      const inflated: Buffer = coder.sync(body, { chunkSize: guessSize(body, encoding, most), maxOutputLength: most });
      lease.hold(inflated.length);
      return inflated;
    } catch (error) {
      if (error instanceof Refusal) throw error;
      if ((error as { code?: string }).code !== "ERR_BUFFER_TOO_LARGE") throw malformed(encoding, error);
      if (most === maxBytes) throw tooLarge(maxBytes);
    }
  }
  const measured = await run(coder, encoding, body, lease, maxBytes, false);
  return measured ?? ((await run(coder, encoding, body, lease, maxBytes, true)) as Buffer);
};

/** Inflates through a stream. Unless `trusted`, undefined when the output was only measured and is within the cap. */
const run = (
  coder: ReturnType<(typeof coders)[Encoding]>,
  encoding: Encoding,
  body: Buffer,
  lease: Lease,
  maxBytes: number,
  trusted: boolean,
): Promise<Buffer | undefined> =>
  new Promise((resolve, reject) => {
    const stream = coder.stream({ chunkSize: mebi / 4 });
    let chunks: Buffer[] | undefined = [];
    let size = 0;
    const stop = (error: Refusal): void => {
      stream.removeAllListeners("data");
      stream.destroy();
      chunks = undefined;
      reject(error);
    };
    stream.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) return stop(tooLarge(maxBytes));
      if (chunks === undefined) return;
      if (!trusted && size > atOnce.inflated && size > body.length * suspiciousRatio) {
        chunks = undefined;
        return lease.hold(body.length);
      }
      try {
        lease.hold(body.length + size);
      } catch (error) {
        return stop(error as Refusal);
      }
      chunks.push(chunk);
    });
    stream.on("error", (error) => stop(malformed(encoding, error)));
    stream.on("end", () => {
      if (chunks === undefined) return resolve(undefined);
      lease.hold(size);
      resolve(Buffer.concat(chunks, size));
    });
    stream.end(body);
  });
