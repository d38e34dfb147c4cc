import { setTimeout as sleep } from "node:timers/promises";
import { choosePorts, restoreEnv, runScript, serviceEnv, startBucketServer } from "@astralog/local";
import { newFolder } from "@astralog/testbed";
import type { Fault, FaultContext } from "../fault.ts";

/** Records that are acknowledged and not stored, as verify says; undefined while it cannot say. */
const lagOf = async ({ pipeline }: FaultContext): Promise<number | undefined> => {
  const answer = await fetch(`${pipeline.service("api").url}/api/v1/verify`, {
    headers: { authorization: `Bearer ${pipeline.platform.adminKey}` },
    signal: AbortSignal.timeout(10_000),
  }).catch(() => undefined);
  return ((await answer?.json()) as { lag?: { records?: number } } | undefined)?.lag?.records;
};

const seconds = (since: number): string => `${((performance.now() - since) / 1_000).toFixed(1)} s`;

/** R26: all of ClickHouse is gone while events come. A backup is restored, and Kafka has the rest. */
export const restore: Fault = {
  id: "R26",
  title: "ClickHouse's data deleted under load, a backup restored, Kafka replayed",
  run: async (context) => {
    const { pipeline, clickhouse, scaled, recovered, broken, note } = context;
    const { deployment } = pipeline.platform;
    const dir = newFolder("backups");
    const secretAccessKey = "of-this-test-alone";
    const { port } = await choosePorts({ port: 0 });
    const server = await startBucketServer({
      ...{ dir, log: `${dir}/log`, port, buckets: ["backups"], secretAccessKey },
    });
    try {
      const { url: endpoint, accessKeyId } = server;
      const backed = { ...deployment, backups: { endpoint, bucket: "backups", accessKeyId, secretAccessKey } };
      const env = { ...serviceEnv("backup", backed, { https: 0, http: 0, api: 0 }), LOG_LEVEL: "error" };
      await sleep(scaled(60, 1) * 1_000);
      const taken = JSON.parse(await runScript("backup/backups.ts", ["take"], env)) as Record<string, number>;
      note(`a backup of ${taken.rows} rows, ${taken.bytes} bytes, took ${taken.seconds?.toFixed(1)} s`);
      await sleep(scaled(60, 2) * 1_000);

      const { database } = pipeline.stack.clickhouse;
      await clickhouse.run(`DROP DATABASE ${database} SYNC`);
      const lost = performance.now();
      // Ingest goes on meanwhile: what comes now has only Kafka.
      await pipeline.service("sink").kill("SIGTERM");
      const done = JSON.parse(
        await runScript("backup/restore.ts", ["--only", "clickhouse"], restoreEnv(backed)),
      ) as Record<string, number>;
      note(`restored in ${done.seconds?.toFixed(1)} s, ${done.records_to_replay} records to replay`);
      if (done.records_forgotten !== 0) broken(`Kafka had forgotten ${done.records_forgotten} records`);
      await pipeline.start("sink");
      while (((await lagOf(context)) ?? Number.POSITIVE_INFINITY) > 20) await sleep(100);
      recovered(performance.now() - lost);
      note(`RTO ${seconds(lost)}: from the loss until all that was acknowledged meanwhile could be searched`);
    } finally {
      await server.stop();
    }
  },
};
