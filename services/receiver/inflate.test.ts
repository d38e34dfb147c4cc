import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "@jest/globals";
import { createInFlight } from "./in-flight.ts";
import { type Encoding, encodingOf, inflate } from "./inflate.ts";

const mebi = 2 ** 20;
const coders: [string, Encoding, (body: Buffer) => Buffer][] = [
  ["gzip", "gzip", (b) => gzipSync(b)],
  ["zlib", "deflate", (b) => deflateSync(b)],
  ["raw deflate", "deflate", (b) => deflateRawSync(b)],
  ["br", "br", (b) => brotliCompressSync(b, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } })],
  ["zstd", "zstd", (b) => zstdCompressSync(b)],
];

const run = (body: Buffer, encoding: Encoding, maxBytes = 64 * mebi, room = 256 * mebi) => {
  const lease = createInFlight(room).lease();
  return inflate(body, encoding, lease, maxBytes).then(
    (inflated) => ({ inflated, held: lease.held, code: "" }),
    (error: { code: string }) => ({ inflated: undefined, held: lease.held, code: error.code }),
  );
};

// Neither too easy nor random: about as logs compress.
const text = (bytes: number): Buffer => {
  let line = "";
  for (let i = 0; line.length < bytes; i++) line += `{"n":${(i * 2_654_435_761) % 2 ** 32},"message":"GET /x 200"}\n`;
  return Buffer.from(line.slice(0, bytes));
};

test.each(coders)("%s of every size comes back, at once or in a stream", async (_, encoding, code) => {
  for (const size of [1, 1_000, 3 * mebi, 20 * mebi]) {
    const body = text(size);
    const { inflated, held } = await run(code(body), encoding);
    expect(inflated?.equals(body)).toBe(true);
    expect(held).toBe(size);
  }
});

test.each(coders)(
  "%s that compresses beyond suspicion is still taken when it is within the cap",
  async (_, encoding, code) => {
    const body = Buffer.alloc(40 * mebi, "a");
    expect((await run(code(body), encoding)).inflated?.length).toBe(body.length);
  },
);

test.each(coders)("%s that is cut off or garbled is malformed", async (_, encoding, code) => {
  for (const size of [5_000, 3 * mebi]) {
    const whole = code(text(size));
    expect((await run(whole.subarray(0, whole.length - 3), encoding)).code).toBe("encoding_malformed");
    expect((await run(whole.subarray(0, whole.length >> 1), encoding)).code).toBe("encoding_malformed");
  }
  expect((await run(Buffer.from("{}".repeat(500)), encoding)).code).toBe("encoding_malformed");
  expect((await run(Buffer.alloc(0), encoding)).code).toBe("encoding_malformed");
});

test("a gzip checksum or length that lies is malformed", async () => {
  const good = gzipSync(text(5_000));
  for (const at of [good.length - 1, good.length - 6]) {
    const bad = Buffer.from(good);
    bad[at] = (bad[at] as number) ^ 1;
    expect((await run(bad, "gzip")).code).toBe("encoding_malformed");
  }
});

test.each(coders)(
  "a bomb of %s stops at the cap, fast and without holding what it inflates to",
  async (_, encoding, code) => {
    const bomb = code(Buffer.alloc(300 * mebi));
    const before = process.memoryUsage().rss;
    const start = performance.now();
    const { code: refusal, held } = await run(bomb, encoding);
    expect(refusal).toBe("body_too_large");
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(held).toBeLessThan(mebi);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * mebi);
  },
);

test("what does not fit beside others is told to come again", async () => {
  expect((await run(gzipSync(text(5 * mebi)), "gzip", 64 * mebi, mebi)).code).toBe("overloaded");
  expect((await run(gzipSync(text(20 * mebi)), "gzip", 64 * mebi, 16 * mebi)).code).toBe("overloaded");
});

test("a zstd window that only archives use is refused before it is allocated", async () => {
  const large = zstdCompressSync(text(20 * mebi), { params: { [constants.ZSTD_c_windowLog]: 27 } });
  expect((await run(large, "zstd")).code).toBe("encoding_malformed");
});

test("one encoding at a time, by any of its names", () => {
  expect(["", undefined, "identity", "GZIP", "x-gzip", " br "].map((name) => encodingOf(name))).toEqual([
    undefined,
    undefined,
    undefined,
    "gzip",
    "gzip",
    "br",
  ]);
  for (const name of ["gzip, gzip", "gzip,br", "compress", "constructor"])
    expect(() => encodingOf(name)).toThrow("one Content-Encoding");
});
