import { parentPort, workerData } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import { generate, toJson } from "./generate.ts";

const { seed, first, count, of, endMillis, perBody } = workerData as {
  seed: number;
  first: number;
  count: number;
  of: number;
  endMillis: number;
  perBody: number;
};

for (let at = first; at < first + count; at += perBody) {
  const events = Math.min(perBody, first + count - at);
  const text = `${[...generate(seed, at, events, of, endMillis)].map(toJson).join("\n")}\n`;
  const zipped = gzipSync(text, { level: 1 });
  // Its own memory, so that it can be handed over without a copy.
  const bytes = new Uint8Array(zipped);
  parentPort?.postMessage({ ordinal: at / perBody, events, plain: Buffer.byteLength(text), bytes }, [bytes.buffer]);
}
