import { setTimeout as sleep } from "node:timers/promises";
import type { Fault, FaultContext } from "../fault.ts";
import { rssOf } from "../processes.ts";

const mostReceiverRss = 400 * 2 ** 20;

/** With no broker a request is told so at once, and whoever routes requests is told to take another receiver. */
const saysSo = async ({ pipeline, broken }: FaultContext): Promise<void> => {
  const { url, ops } = pipeline.service("receiver");
  const begun = performance.now();
  const { status } = await fetch(`${url}/v1/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${pipeline.platform.ingestKey}`, "content-type": "application/json" },
    body: '{"message":"no broker"}',
  });
  const ms = performance.now() - begun;
  if (status !== 503 || ms > 1_000)
    broken(`without the broker a request was answered ${status} after ${Math.round(ms)} ms`);
  const ready = (await fetch(`${ops}/readyz`)).status;
  if (ready !== 503) broken(`without the broker /readyz answers ${ready}`);
};

/** R2: kill -9 the broker, then keep it down. The receiver says 503 with Retry-After and does not grow. */
export const killBroker: Fault = {
  id: "R2",
  title: "kill -9 the broker, then five minutes without it",
  run: async (context) => {
    const { pipeline, traffic, scaled, recovered, broken, note } = context;
    const { kafka } = pipeline.stack.servers;
    const back = async (): Promise<void> => {
      await kafka.start();
      const begun = performance.now();
      // Well again when a batch is acknowledged.
      const acked = traffic.ackMs.length;
      while (traffic.ackMs.length === acked) await sleep(20);
      recovered(performance.now() - begun);
    };
    await kafka.kill();
    await back();
    await sleep(1_000);

    await kafka.kill();
    const refusedBefore = traffic.statuses.get(503) ?? 0;
    const seconds = scaled(300, 8);
    let peak = 0;
    for (let i = 0; i < seconds; i++) {
      await sleep(1_000);
      peak = Math.max(peak, rssOf(pipeline.service("receiver").pid));
    }
    await saysSo(context);
    const refused = (traffic.statuses.get(503) ?? 0) - refusedBefore;
    note(
      `without the broker for ${Math.round(seconds)} s: ${refused} answers 503, the receiver held ${Math.round(peak / 2 ** 20)} MiB at most`,
    );
    if (peak > mostReceiverRss) broken(`the receiver grew to ${Math.round(peak / 2 ** 20)} MiB`);
    await back();
    if (traffic.withoutRetryAfter > 0) broken(`${traffic.withoutRetryAfter} refusals named no Retry-After`);
  },
};
