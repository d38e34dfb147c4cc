/** The whole way: HTTPS and gzip in, Kafka, redaction, Kafka, ClickHouse and its ledger; the clock stops when all is searchable. */
import type { Body } from "./bodies.ts";
import { connectClickHouse, numberIn } from "./clickhouse.ts";
import { percentile } from "./figures.ts";
import { createLoader, sendAll } from "./load.ts";
import type { Pipeline } from "./pipeline.ts";
import { type Cost, measure } from "./processes.ts";
import { countEvents, storedEvents, untilStored } from "./stored.ts";

export interface PipelineResult {
  readonly events: number;
  /** Until the last acknowledgement, and until the last event was stored. */
  readonly ackedPerSecond: number;
  readonly searchablePerSecond: number;
  readonly ackMs: { p50: number; p99: number };
  readonly turnedAway: number;
  readonly costs: readonly Cost[];
  readonly bytesPerEvent: number;
  readonly copies: number;
}

export const runPipeline = async (
  pipeline: Pipeline,
  bodies: readonly Body[],
  connections: number,
): Promise<PipelineResult> => {
  const { tenant } = pipeline.platform;
  const { stack } = pipeline;
  const clickhouse = connectClickHouse(stack.clickhouse);
  const events = bodies.reduce((sum, body) => sum + body.events, 0);
  const before = await storedEvents(clickhouse, tenant);
  const loader = createLoader(pipeline.target(), connections);
  const waits: number[] = [];
  let accepted = 0;
  const costs = measure(pipeline.pids());
  const begun = performance.now();
  const turnedAway = await sendAll(loader, bodies, connections, (_, answer, ms) => {
    waits.push(ms);
    accepted += (JSON.parse(answer.text) as { accepted: number }).accepted;
  });
  const acked = (performance.now() - begun) / 1000;
  if (accepted !== events) throw new Error(`${accepted} of ${events} events were accepted`);
  await untilStored(clickhouse, tenant, before + events);
  const searchable = (performance.now() - begun) / 1000;
  const spent = costs();
  const { rows, copies } = await countEvents(clickhouse, tenant);
  if (rows !== before + events) throw new Error(`${rows} rows of ${before + events} events`);
  const bytes = await numberIn(
    clickhouse,
    "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'events'",
  );
  loader.close();
  clickhouse.close();
  return {
    events,
    ackedPerSecond: events / acked,
    searchablePerSecond: events / searchable,
    ackMs: { p50: percentile(waits, 0.5), p99: percentile(waits, 0.99) },
    turnedAway,
    costs: spent,
    bytesPerEvent: bytes / rows,
    copies,
  };
};
