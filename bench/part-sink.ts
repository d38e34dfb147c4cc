/** The sink alone: a backlog waits in events.clean, nothing else works, the sink drains it. */
import type { Body } from "./bodies.ts";
import { connectClickHouse } from "./clickhouse.ts";
import { createLoader, sendAll } from "./load.ts";
import type { Pipeline } from "./pipeline.ts";
import { type Cost, measure } from "./processes.ts";
import { storedEvents, untilRedacted, untilStored } from "./stored.ts";

export interface SinkResult {
  readonly eventsPerSecond: number;
  readonly costs: readonly Cost[];
  readonly events: number;
}

export const runSink = async (
  pipeline: Pipeline,
  bodies: readonly Body[],
  connections: number,
): Promise<SinkResult> => {
  const { tenant } = pipeline.platform;
  const { stack } = pipeline;
  const clickhouse = connectClickHouse(stack.clickhouse);
  const before = await storedEvents(clickhouse, tenant);
  await pipeline.service("sink").kill("SIGTERM");
  const loader = createLoader(pipeline.target(), connections);
  await sendAll(loader, bodies, connections, () => undefined);
  loader.close();
  await untilRedacted(pipeline);
  const events = bodies.reduce((sum, body) => sum + body.events, 0);
  await pipeline.start("sink");
  const costs = measure({ sink: pipeline.service("sink").pid, clickhouse: stack.servers.clickhouse.pid() ?? 0 });
  // The clock starts with the first insert that is seen, so that starting a process is not counted.
  let first: { at: number; stored: number } | undefined;
  await untilStored(clickhouse, tenant, before + events, (stored) => {
    if (stored > before) first ??= { at: performance.now(), stored };
  });
  const spent = costs();
  const seconds = (performance.now() - (first?.at ?? 0)) / 1000;
  clickhouse.close();
  return { eventsPerSecond: (before + events - (first?.stored ?? 0)) / seconds, costs: spent, events };
};
