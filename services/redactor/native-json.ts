/** A record of a native topic that is JSON: one value or an array of them, read as POST /v1/events reads its body. */
import { isUtf8 } from "node:buffer";
import { type JsonReader, makeReader, mapValue, scanValue, type Unfit } from "@astralog/schemas/json/index";
import { Poison } from "./verdict.ts";

/** One event, or why it is none; what it was written as lies from start to end. */
export interface JsonItem {
  unfit: Unfit | undefined;
  /** The event, Avro; good until the next item is asked for. */
  encoded: Buffer;
  start: number;
  end: number;
}

const reader = makeReader();
const comma = 44;
const open = 91;
const close = 93;

/** Whether the value may be meant as JSON: it opens like an object or an array. */
export const opensLikeJson = (value: Buffer): boolean => {
  let at = value[0] === 0xef && value[1] === 0xbb && value[2] === 0xbf ? 3 : 0;
  for (let c = value[at]; c === 32 || c === 9 || c === 10 || c === 13; ) c = value[++at];
  return value[at] === 123 || value[at] === open;
};

/** Throws Poison when the whole is not JSON: nothing of it may pass then. */
export function* readJson(value: Buffer): Generator<JsonItem> {
  if (!isUtf8(value)) throw new Poison("not_json", "the value is not UTF-8");
  const { scanner } = reader;
  scanner.multiline = true;
  scanner.hostile = false;
  scanner.over(value, value[0] === 0xef ? 3 : 0, value.length);
  const fail = (what: string, at: number): never => {
    throw new Poison("not_json", `${what} at byte ${at + 1}`);
  };
  let c = scanner.peek();
  if (c !== open) yield item(reader, c, fail);
  else {
    scanner.at++;
    c = scanner.peek();
    if (c === close) scanner.at++;
    while (c !== close) {
      yield item(reader, c, fail);
      c = scanner.peek();
      scanner.at++;
      if (c === close) break;
      if (c !== comma) fail("expected a comma or the end of the array", scanner.at - 1);
      c = scanner.peek();
      if (c === close) fail("expected a value", scanner.at);
    }
  }
  if (scanner.peek() !== -1) fail("something follows its end", scanner.at);
}

const item = (from: JsonReader, c: number, fail: (what: string, at: number) => never): JsonItem => {
  const { scanner, mapper } = from;
  const start = scanner.at;
  if (!scanValue(scanner, c)) {
    if (scanner.hostile) throw new Poison("limit_exceeded", "too_deep");
    fail(scanner.error, scanner.errorAt);
  }
  const end = scanner.at;
  const unfit = mapValue(from, c, start, end);
  return { unfit, encoded: mapper.writer.buffer.subarray(0, unfit === undefined ? mapper.writer.at : 0), start, end };
};
