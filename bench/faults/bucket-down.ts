import { setTimeout as sleep } from "node:timers/promises";
import { makeBodies } from "../bodies.ts";
import type { Fault, FaultContext } from "../fault.ts";
import { millis } from "../figures.ts";
import { createLoader, sendAll } from "../load.ts";
import { loopback, type OwnBucket, startOwnBucket } from "../own-bucket.ts";
import { runLatency } from "../part-latency.ts";
import type { Pipeline } from "../pipeline.ts";
import { storedEvents } from "../stored.ts";

/** Events a second of the one who watches how soon his are found; few, for he only watches. */
const watched = 50;
const perRequest = 5;
/** And of the one whose bucket is away. */
const archivedRate = 500;
const mostRatio = 1.2;
const drainedWithinMs = 180_000;

/** Sends steadily until told to stop; tells how many events were acknowledged. */
const sender = async (pipeline: Pipeline) => {
  const bodies = await makeBodies(20_000, 100);
  const loader = createLoader(pipeline.target(), 4);
  let stopped = false;
  let acked = 0;
  const sending = (async () => {
    const begun = performance.now();
    for (let sent = 0; !stopped; sent++) {
      const early = begun + ((sent * 100) / archivedRate) * 1_000 - performance.now();
      if (early > 0) await sleep(early);
      const body = bodies[sent % bodies.length];
      if (body !== undefined)
        await sendAll(loader, [body], 1, (_, answer) => {
          acked += (JSON.parse(answer.text) as { accepted: number }).accepted;
        });
    }
  })();
  return {
    stop: async (): Promise<number> => {
      stopped = true;
      await sending;
      loader.close();
      return acked;
    },
  };
};

/** A customer's bucket is gone for ten minutes: what is his waits in Kafka, nobody else notices, and then all of it is there once. */
export const bucketDown = (): Fault => {
  let bucket: OwnBucket | undefined;
  return {
    id: "R3-bucket",
    title: "an organization's own bucket down for ten minutes",
    rig: async () => {
      bucket = await startOwnBucket();
      const ours = bucket;
      return { env: { api: loopback, archive: { ...loopback, FLUSH_SECONDS: "1" } }, close: () => ours.stop() };
    },
    run: async (context: FaultContext) => {
      const { pipeline, clickhouse, scaled, recovered, broken, note } = context;
      if (bucket === undefined) throw new Error("the bucket was not started");
      const seconds = Math.round(scaled(600, 8));
      const owner = await pipeline.anew("bucketed");
      const watcher = await pipeline.anew("watcher");
      const connection = await bucket.connect(pipeline.service("api").url, owner.platform.adminKey);
      await pipeline.start("archive");
      const sending = await sender(owner);
      const latency = async (span: number) =>
        runLatency(watcher, await makeBodies(watched * span, perRequest), watched);
      const quiet = await latency(Math.min(seconds, 120));

      await bucket.down();
      const away = await latency(seconds);
      const ratio = away.searchableMs.p99 / quiet.searchableMs.p99;
      note(
        `p99 of another's way from acknowledged to searchable ${millis(quiet.searchableMs.p99)} before, ${millis(away.searchableMs.p99)} during: ${ratio.toFixed(2)} times`,
      );
      // Times are judged where the machine is this test's alone.
      if (seconds >= 600 && ratio > mostRatio) broken(`another's events took ${ratio.toFixed(2)} times as long`);
      await bucket.up();
      const back = performance.now();
      const acked = await sending.stop();
      const deadline = performance.now() + drainedWithinMs;
      let found = await bucket.rows(clickhouse, connection);
      while (found.rows < acked && performance.now() < deadline) {
        await sleep(500);
        found = await bucket.rows(clickhouse, connection);
      }
      recovered(performance.now() - back);
      // One that was begun twice would be there by now.
      await sleep(2_000);
      found = await bucket.rows(clickhouse, connection);
      const stored = await storedEvents(clickhouse, owner.platform.tenant);
      note(
        `${acked} events acknowledged, ${found.rows} in the bucket, of which ${found.different} different; ${stored} stored`,
      );
      if (found.rows !== acked || found.different !== acked || stored !== acked)
        broken(
          `${acked - found.different} lost and ${found.rows - found.different} twice in the bucket, ${acked - stored} not stored`,
        );
    },
  };
};
