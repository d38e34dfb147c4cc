import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import { bootstrapTenant } from "@astralog/local";
import type { Fault, FaultContext } from "../fault.ts";
import { millis, percentile } from "../figures.ts";
import { createLoader, type Target } from "../load.ts";
import type { NoiseOrder, NoiseReport } from "../noise-worker.ts";

/** What the noisy source may send a second, inflated, and how many times that it sends. */
const quota = 50_000;
const times = 100;
const connections = 32;
/** A neighbour may notice; it must not matter. */
const mostRatio = 1.5;

const line = JSON.stringify({ message: "all of it, again and again, as fast as it goes".repeat(4), service: "noise" });
const inflated = `${line}\n`.repeat(100);
const body = gzipSync(inflated, { level: 1 });

/** Another organization's source with that quota. */
const noisySource = async ({ pipeline }: FaultContext): Promise<Target> => {
  const noisy = await bootstrapTenant(pipeline.platform.deployment, "noisy", "noise");
  const target = { ...pipeline.target(), key: noisy.ingestKey };
  const settle = async (what: string, done: () => Promise<boolean>): Promise<void> => {
    for (let i = 0; i < 200; i++) {
      if (await done()) return;
      await sleep(50);
    }
    throw new Error(`${what} was not known in time`);
  };
  await settle("the noisy organization", async () => {
    const { status } = await fetch(`${pipeline.service("api").url}/api/v1/sources/${noisy.source}`, {
      method: "PATCH",
      headers: { authorization: `Bearer ${noisy.adminKey}`, "content-type": "application/json" },
      body: JSON.stringify({ max_bytes_per_second: quota }),
    });
    return status === 200;
  });
  const loader = createLoader(target, 1);
  await settle("its quota", async () => (await loader.post(body)).status === 429);
  loader.close();
  return target;
};

/** Begins at once; `stop` ends it and tells what it saw. */
const makeNoise = ({ url, ca, key }: Target) => {
  const order: NoiseOrder = {
    target: { url: url.href, ca, key },
    body,
    requestsPerSecond: (quota * times) / inflated.length,
    connections,
  };
  const worker = new Worker(new URL("../noise-worker.ts", import.meta.url), { workerData: order });
  return {
    stop: async (): Promise<NoiseReport> => {
      worker.postMessage("stop");
      const [report] = (await once(worker, "message")) as [NoiseReport];
      return report;
    },
  };
};

/** R23: a source that sends a hundred times its quota is told so, and who is beside it hardly notices. */
export const noisyNeighbour: Fault = {
  id: "R23",
  title: "one source at a hundred times its quota",
  run: async (context) => {
    const { traffic, scaled, note, broken } = context;
    const target = await noisySource(context);
    const seconds = scaled(60, 4);
    /** The other's acknowledgements in a stretch of time. */
    const stretch = async (): Promise<number[]> => {
      const from = traffic.ackMs.length;
      await sleep(seconds * 1_000);
      return traffic.ackMs.slice(from);
    };
    const quiet = await stretch();
    const noise = makeNoise(target);
    const noisy = await stretch();
    const { statuses, withoutRetryAfter, sent, seconds: lasted } = await noise.stop();
    const offered = (sent * inflated.length) / lasted / quota;
    const [before, during] = [percentile(quiet, 0.99), percentile(noisy, 0.99)];
    note(`p99 of the other ${millis(before)} before, ${millis(during)} during: ${(during / before).toFixed(2)} times`);
    note(`noise: ${offered.toFixed(0)} times its quota; ${[...statuses].map((pair) => pair.join(": ")).join(", ")}`);
    const taken = (statuses.get(200) ?? 0) * inflated.length;
    // The rate, what a quiet source may send at once, and a request of each connection that came while there was credit.
    const most = quota * (lasted + 2) + connections * inflated.length;
    if (taken > most) broken(`${taken} bytes were taken of the noisy source; its quota is ${Math.round(most)}`);
    if (taken < quota * lasted * 0.5) broken(`${taken} bytes were taken: less than its quota gives it`);
    if (withoutRetryAfter > 0) broken(`${withoutRetryAfter} refusals did not say when to come again`);
    // Times are judged where the machine is this test's alone.
    if (seconds >= 60 && during / before > mostRatio) broken(`the other waited ${(during / before).toFixed(2)} times`);
  },
};
