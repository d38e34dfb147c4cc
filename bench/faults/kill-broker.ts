import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "../fault.ts";
import { rssOf } from "../processes.ts";

const mostReceiverRss = 400 * 2 ** 20;

/** R2: kill -9 the broker, then keep it down. The receiver says 503 with Retry-After and does not grow. */
export const killBroker: Fault = {
  id: "R2",
  title: "kill -9 the broker, then five minutes without it",
  run: async ({ pipeline, traffic, scaled, recovered, broken, note }) => {
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
    const refused = (traffic.statuses.get(503) ?? 0) - refusedBefore;
    note(
      `without the broker for ${Math.round(seconds)} s: ${refused} answers 503, the receiver held ${Math.round(peak / 2 ** 20)} MiB at most`,
    );
    if (peak > mostReceiverRss) broken(`the receiver grew to ${Math.round(peak / 2 ** 20)} MiB`);
    await back();
    if (traffic.withoutRetryAfter > 0) broken(`${traffic.withoutRetryAfter} refusals named no Retry-After`);
  },
};
