/**
 * Lines out of a stream of bytes, gzip or not, without decoding them: a line is handed on as the bytes it came in.
 * Memory is bounded by the longest line that is allowed.
 */
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { Failure } from "./failure.ts";

export interface Line {
  /** From 1, counting every line of the input. */
  readonly number: number;
  /** Without its end; undefined when it is longer than allowed. */
  readonly bytes: Buffer | undefined;
}

const newline = 10;
const carriageReturn = 13;

async function* withFirst(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

/** The bytes of `input`, inflated when they begin as gzip does. `seen` is told how many bytes were read. */
export async function* readBytes(input: Readable, name: string, seen: (bytes: number) => void): AsyncGenerator<Buffer> {
  const pieces = input[Symbol.asyncIterator]() as AsyncIterator<Buffer | string>;
  const next = async (): Promise<IteratorResult<Buffer>> => {
    const piece = await pieces.next();
    if (piece.done === true) return { done: true, value: undefined };
    const bytes = typeof piece.value === "string" ? Buffer.from(piece.value) : piece.value;
    seen(bytes.length);
    return { done: false, value: bytes };
  };
  // Two bytes decide; a pipe may bring them one by one.
  let head = Buffer.alloc(0);
  while (head.length < 2) {
    const piece = await next();
    if (piece.done === true) break;
    head = Buffer.concat([head, piece.value]);
  }
  const whole = withFirst(head, { next });
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* whole;
    return;
  }
  const gunzip = createGunzip();
  const feeding = (async () => {
    for await (const piece of whole) {
      if (gunzip.destroyed) return;
      if (!gunzip.write(piece))
        await new Promise<void>((resolve) => {
          gunzip.once("drain", resolve).once("close", resolve);
        });
    }
    gunzip.end();
  })();
  feeding.catch((error: Error) => gunzip.destroy(error));
  try {
    for await (const piece of gunzip) yield piece as Buffer;
    await feeding;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (code.startsWith("Z_") || code === "ERR_STREAM_PREMATURE_CLOSE") {
      throw new Failure(`${name} begins as gzip and is damaged or cut short: ${(error as Error).message}.`);
    }
    throw error;
  }
}

/** Splits at LF; a CR before it goes too, empty lines are left out. A last line needs no LF. */
export async function* splitLines(source: AsyncIterable<Buffer>, maxLineBytes: number): AsyncGenerator<Line[]> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let tooLong = false;
  let number = 0;
  const hold = (piece: Buffer): void => {
    if (tooLong || piece.length === 0) return;
    heldBytes += piece.length;
    if (heldBytes > maxLineBytes + 1) {
      tooLong = true;
      held = [];
      return;
    }
    held.push(piece);
  };
  const finish = (into: Line[]): void => {
    number++;
    let bytes = held.length === 1 ? (held[0] as Buffer) : Buffer.concat(held);
    if (bytes.at(-1) === carriageReturn) bytes = bytes.subarray(0, -1);
    if (tooLong || bytes.length > maxLineBytes) into.push({ number, bytes: undefined });
    else if (bytes.length > 0) into.push({ number, bytes });
    held = [];
    heldBytes = 0;
    tooLong = false;
  };
  for await (const piece of source) {
    const lines: Line[] = [];
    let from = 0;
    for (let end = piece.indexOf(newline); end !== -1; end = piece.indexOf(newline, from)) {
      hold(piece.subarray(from, end));
      finish(lines);
      from = end + 1;
    }
    hold(piece.subarray(from));
    if (lines.length > 0) yield lines;
  }
  const last: Line[] = [];
  if (heldBytes > 0) finish(last);
  if (last.length > 0) yield last;
}
