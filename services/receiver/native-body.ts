/**
 * The native protocol's bodies: one JSON value, an array of them, lines of JSON, or lines of text. Each gives its
 * events to the sink as they come; a large body lets other requests in between.
 */
import { setImmediate as breathe } from "node:timers/promises";
import { type JsonReader, mapValue, maxEventBytes, scanValue, tooLarge } from "@astralog/schemas/json/index";
import type { EventSink } from "./event-parts.ts";
import { Refusal } from "./refusals.ts";

/** Bytes after which other requests get their turn: a few milliseconds of work. */
const turnBytes = 2 ** 21;

/** Gives the sink the value just scanned, which opened with `c` and lies from start to end. */
const give = (reader: JsonReader, c: number, start: number, end: number, sink: EventSink): void => {
  const unfit = mapValue(reader, c, start, end);
  if (unfit !== undefined) return sink.reject(unfit.code, unfit.message, unfit.field);
  const { writer } = reader.mapper;
  sink.encoded(writer.buffer, 0, writer.at);
};

const malformed = (body: Buffer, message: string, at: number): Refusal => {
  const before = body.subarray(0, at);
  let line = 1;
  let from = 0;
  for (let i = before.indexOf(10); i >= 0; i = before.indexOf(10, from)) {
    line++;
    from = i + 1;
  }
  return new Refusal("body_malformed", `The body is not JSON: ${message}, at line ${line}, byte ${at - from + 1}.`);
};

/** One value, or an array of events. Anything wrong refuses the body as a whole. */
const readDocument = async (reader: JsonReader, body: Buffer, from: number, sink: EventSink): Promise<void> => {
  const { scanner } = reader;
  const take = (c: number): void => {
    const start = scanner.at;
    if (!scanValue(scanner, c))
      throw scanner.hostile
        ? new Refusal("too_deep", `The body is refused: ${scanner.error}.`)
        : malformed(body, scanner.error, scanner.errorAt);
    give(reader, c, start, scanner.at, sink);
  };
  scanner.multiline = true;
  scanner.over(body, from, body.length);
  let c = scanner.peek();
  if (c !== 91) take(c);
  else {
    let turn = from + turnBytes;
    scanner.at++;
    c = scanner.peek();
    if (c === 93) scanner.at++;
    while (c !== 93) {
      take(c);
      c = scanner.peek();
      scanner.at++;
      if (c === 93) break;
      if (c !== 44) throw malformed(body, "expected a comma or the end of the array", scanner.at - 1);
      c = scanner.peek();
      if (c === 93) throw malformed(body, "expected a value", scanner.at);
      if (scanner.at < turn) continue;
      const { at } = scanner;
      turn = at + turnBytes;
      await breathe();
      scanner.multiline = true;
      scanner.over(body, at, body.length);
    }
  }
  if (scanner.peek() !== -1) throw malformed(body, "something follows its end", scanner.at);
};

/** One value a line; blank lines do not count. A line that is not JSON is rejected alone. */
export const readLines = async (
  reader: JsonReader,
  body: Buffer,
  from: number,
  sink: EventSink,
  objectsOnly: boolean,
): Promise<void> => {
  const { scanner } = reader;
  scanner.multiline = false;
  scanner.over(body, from, body.length);
  let turn = from + turnBytes;
  for (let line = 1; ; line++) {
    const c = scanner.peek();
    const start = scanner.at;
    if (c === -1) return;
    if (c !== 10) {
      if (objectsOnly && c !== 123) reject(body, scanner, sink, line, start, "expected an object", start);
      else if (!scanValue(scanner, c)) reject(body, scanner, sink, line, start, scanner.error, scanner.errorAt);
      else {
        // Only a line that is good to its end is taken.
        const end = scanner.at;
        const next = scanner.peek();
        if (next === 10 || next === -1) give(reader, c, start, end, sink);
        else reject(body, scanner, sink, line, start, "something follows the value", scanner.at);
      }
    }
    scanner.at++;
    if (scanner.at < turn) continue;
    const { at } = scanner;
    turn = at + turnBytes;
    await breathe();
    scanner.multiline = false;
    scanner.over(body, at, body.length);
  }
};

/** Rejects the line that starts at `start` and moves to its end. */
const reject = (
  body: Buffer,
  scanner: JsonReader["scanner"],
  sink: EventSink,
  line: number,
  start: number,
  error: string,
  errorAt: number,
): void => {
  const end = body.indexOf(10, start);
  scanner.at = end < 0 ? body.length : end;
  const code = scanner.hostile ? "too_deep" : "line_malformed";
  scanner.hostile = false;
  sink.reject(code, `Line ${line} is not JSON: ${error}, at byte ${errorAt - start + 1}.`);
};

/** JSON of which nothing more is known: lines when its first line is an object and more follows, else one document. */
export const readJson = (reader: JsonReader, body: Buffer, from: number, sink: EventSink): Promise<void> => {
  const { scanner } = reader;
  scanner.multiline = false;
  scanner.over(body, from, body.length);
  const lines =
    scanner.peek() === 123 && scanner.object() && scanner.peek() === 10 && !isBlank(body, scanner.at, body.length);
  return lines ? readLines(reader, body, from, sink, true) : readDocument(reader, body, from, sink);
};

const isBlank = (body: Buffer, start: number, end: number): boolean => {
  for (let i = start; i < end; i++) {
    const c = body[i];
    if (c !== 32 && c !== 10 && c !== 13 && c !== 9) return false;
  }
  return true;
};

/** One message a line, without its line end; blank lines do not count. */
export const readText = async ({ mapper }: JsonReader, body: Buffer, from: number, sink: EventSink): Promise<void> => {
  let turn = from + turnBytes;
  for (let start = from; start < body.length; ) {
    const feed = body.indexOf(10, start);
    const next = feed < 0 ? body.length : feed + 1;
    let end = feed < 0 ? body.length : feed;
    if (end > start && body[end - 1] === 13) end--;
    if (end - start > maxEventBytes) {
      const { code, message } = tooLarge(end - start);
      sink.reject(code, message);
    } else if (!isBlank(body, start, end)) {
      mapper.line(body, start, end);
      sink.encoded(mapper.writer.buffer, 0, mapper.writer.at);
    }
    start = next;
    if (start < turn) continue;
    turn = start + turnBytes;
    await breathe();
  }
};
