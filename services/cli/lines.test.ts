import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { type Line, readBytes, splitLines } from "./lines.ts";

const pieces = (whole: Buffer, cuts: readonly number[]): Buffer[] => {
  const at = [0, ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return at.slice(1).map((end, i) => whole.subarray(at[i], end));
};

const linesOf = async (source: Buffer[], max = 1000): Promise<Line[]> => {
  const stream = Readable.from(source, { objectMode: true });
  const lines: Line[] = [];
  const bytes = readBytes(stream, "it", () => undefined);
  for await (const some of splitLines(bytes, max)) lines.push(...some);
  return lines;
};

const texts = (lines: Line[]): (string | undefined)[] => lines.map((line) => line.bytes?.toString());

test("the lines are the same however the bytes arrive, gzip or not", async () => {
  const line = fc.string({ unit: "binary" }).map((text) => text.replaceAll(/[\n\r]/g, ""));
  await fc.assert(
    fc.asyncProperty(
      fc.array(line),
      fc.array(fc.nat()),
      fc.boolean(),
      fc.boolean(),
      async (wanted, cuts, zip, crlf) => {
        const whole = Buffer.from(wanted.join(crlf ? "\r\n" : "\n"));
        fc.pre(whole[0] !== 0x1f);
        const bytes = zip ? gzipSync(whole) : whole;
        expect(texts(await linesOf(pieces(bytes, cuts)))).toEqual(wanted.filter((text) => text !== ""));
      },
    ),
    { numRuns: 200 },
  );
});

test("lines keep the number they have in the input, and a too long one is counted without its bytes", async () => {
  const lines = await linesOf([Buffer.from(`a\n\n${"x".repeat(11)}\nb`)], 10);
  expect(lines.map((line) => [line.number, line.bytes?.toString()])).toEqual([
    [1, "a"],
    [3, undefined],
    [4, "b"],
  ]);
});

test("gzip made of several members is read to its end", async () => {
  const bytes = Buffer.concat([gzipSync("a\nb\n"), gzipSync("c\n")]);
  expect(texts(await linesOf([bytes]))).toEqual(["a", "b", "c"]);
});

test("damaged gzip says which input, after the lines before it", async () => {
  const cut = gzipSync("a\n".repeat(100)).subarray(0, -9);
  await expect(linesOf([cut])).rejects.toThrow(/^it begins as gzip and is damaged or cut short/);
});
