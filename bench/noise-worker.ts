/**
 * A source that is too loud, on a thread of its own, so that whoever measures others beside it does not measure itself. It
 * sends at its pace, whatever the answers say, until it gets a message; then it tells what it saw.
 */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { createLoader, type Target } from "./load.ts";

export interface NoiseOrder {
  readonly target: Omit<Target, "url"> & { readonly url: string };
  readonly body: Uint8Array;
  readonly requestsPerSecond: number;
  readonly connections: number;
}

export interface NoiseReport {
  readonly sent: number;
  readonly seconds: number;
  /** Answers by status; 0 is a connection that broke. */
  readonly statuses: ReadonlyMap<number, number>;
  readonly withoutRetryAfter: number;
}

const { target, body, requestsPerSecond, connections } = workerData as NoiseOrder;
const loader = createLoader({ ...target, url: new URL(target.url) }, connections);
const statuses = new Map<number, number>();
let withoutRetryAfter = 0;
let sent = 0;
let stopping = false;
const begun = performance.now();

const one = async (): Promise<void> => {
  while (!stopping) {
    const due = begun + (sent++ * 1_000) / requestsPerSecond;
    if (due > performance.now()) await sleep(due - performance.now());
    const { status, headers } = await loader.post(body).catch(() => ({ status: 0, headers: {} }));
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (status === 429 && !("retry-after" in headers)) withoutRetryAfter++;
  }
};
const all = Promise.all(Array.from({ length: connections }, one));
if (parentPort === null) throw new Error("noise-worker.ts runs as a worker thread.");
await once(parentPort, "message");
stopping = true;
await all;
loader.close();
const seconds = (performance.now() - begun) / 1_000;
parentPort.postMessage({ sent, seconds, statuses, withoutRetryAfter } satisfies NoiseReport);
