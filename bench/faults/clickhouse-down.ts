import { setTimeout as sleep } from "node:timers/promises";
import type { Fault, FaultContext } from "../fault.ts";

/** Records that are acknowledged and not stored, as verify says. */
const lagOf = async ({ pipeline }: FaultContext): Promise<number> => {
  const answer = await fetch(`${pipeline.service("api").url}/api/v1/verify`, {
    headers: { authorization: `Bearer ${pipeline.platform.adminKey}` },
    signal: AbortSignal.timeout(10_000),
  });
  return ((await answer.json()) as { lag?: { records?: number } }).lag?.records ?? 0;
};

/** What the sink's metric says, all its series added up. */
const sinkSays = async ({ pipeline }: FaultContext, metric: string): Promise<number> => {
  const text = await (await fetch(`${pipeline.service("sink").ops}/metrics`)).text();
  return [...text.matchAll(new RegExp(`^astralog_sink_${metric}\\{.*\\} (\\d+)$`, "gm"))].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
};

/** R3: ClickHouse is gone, then frozen. Ingest goes on as if nothing were, the lag is seen, and all of it is stored later. */
export const clickhouseDown: Fault = {
  id: "R3",
  title: "ClickHouse down for ten minutes, then frozen for one",
  run: async (context) => {
    const { pipeline, traffic, scaled, recovered, broken, note } = context;
    const { clickhouse } = pipeline.stack.servers;
    const refused = (): number =>
      [...traffic.statuses].reduce((sum, [status, n]) => sum + (status === 200 || status === 202 ? 0 : n), 0);
    const before = refused();
    const acked = traffic.ackMs.length;

    await clickhouse.kill();
    await sleep(scaled(600, 10) * 1000);
    const lag = await sinkSays(context, "kafka_consumer_lag_records");
    note(`${lag} records of lag after ${Math.round(scaled(600, 10))} s without ClickHouse`);
    if (lag === 0) broken("the sink's lag metric shows nothing while ClickHouse is down");
    if ((await sinkSays(context, "paused")) !== 1)
      broken("the sink does not say that it pauses while ClickHouse is down");
    await clickhouse.start();
    const begun = performance.now();
    while ((await lagOf(context)) > 20) await sleep(100);
    recovered(performance.now() - begun);

    await clickhouse.signal("SIGSTOP");
    await sleep(scaled(60, 5) * 1000);
    await clickhouse.signal("SIGCONT");
    const thawed = performance.now();
    while ((await lagOf(context)) > 20) await sleep(100);
    recovered(performance.now() - thawed);
    if ((await sinkSays(context, "paused")) !== 0) broken("the sink says that it pauses though ClickHouse is back");

    note(`${traffic.ackMs.length - acked} batches were acknowledged meanwhile`);
    if (refused() > before)
      broken(`${refused() - before} requests were not acknowledged at once: ingest does not depend on ClickHouse`);
  },
};
