/** The benchmark: everything on one machine, in one run, so that the ratios hold whatever the machine. See README.md. */
import { makeBodies } from "./bodies.ts";
import { readCommandLine } from "./command-line.ts";
import { readOptions, usage } from "./options.ts";
import { loopback } from "./own-bucket.ts";
import { runAlerts } from "./part-alerts.ts";
import { runArchive } from "./part-archive.ts";
import { runClickHouse } from "./part-clickhouse.ts";
import { runDeletion } from "./part-deletion.ts";
import { runDiscard } from "./part-discard.ts";
import { runLatency } from "./part-latency.ts";
import { runNative } from "./part-native.ts";
import { runPipeline } from "./part-pipeline.ts";
import { runSearch } from "./part-search.ts";
import { runSink } from "./part-sink.ts";
import { startPipeline } from "./pipeline.ts";
import { type Results, report } from "./report.ts";

const { events, parts, connections, latencySeconds, json } = readCommandLine(usage, readOptions);
const steadyRate = 10_000;
const begun = performance.now();
const say = (text: string): void =>
  void process.stderr.write(`${((performance.now() - begun) / 1000).toFixed(0).padStart(4)} s  ${text}\n`);

say(`making ${events} events`);
const bodies = await makeBodies(events, 1000);
const sum = (of: (body: (typeof bodies)[number]) => number): number =>
  bodies.reduce((total, body) => total + of(body), 0);
const results: Results = {
  events,
  bytesPerEvent: sum((body) => body.plain) / events,
  gzipPerEvent: sum((body) => body.bytes.length) / events,
};
say("starting Kafka, registry, ClickHouse and Postgres");
const pipeline = await startPipeline({
  env: {
    alerter: { OUTGOING_ALLOWED: "127.0.0.1/32" },
    api: loopback,
    archive: { ...loopback, FLUSH_SECONDS: "5", FLUSH_MB: "8" },
    retention: { ...loopback, SETTLE_SECONDS: "0", IN_FLIGHT_MS: "1000" },
  },
});
// What runs then fails, and the end below removes the rest.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void pipeline.stop());
try {
  const { stack, platform } = pipeline;
  if (parts.has("discard")) {
    say("bare Express");
    results.discard = await runDiscard(bodies, stack.tls, connections);
  }
  if (parts.has("clickhouse")) {
    say("raw ClickHouse");
    results.clickhouse = await runClickHouse(
      stack,
      stack.servers.clickhouse.pid() ?? 0,
      Math.min(events, 1_000_000),
      events,
    );
  }
  if (
    parts.has("pipeline") ||
    parts.has("sink") ||
    parts.has("native") ||
    parts.has("latency") ||
    parts.has("archive") ||
    parts.has("deletion") ||
    parts.has("search")
  ) {
    say("starting the services");
    await pipeline.startAll();
    say("warming up");
    await runPipeline(pipeline, await makeBodies(Math.min(events, 100_000), 1000), connections);
  }
  if (parts.has("pipeline") || parts.has("search")) {
    say("the whole pipeline");
    results.pipeline = await runPipeline(pipeline, bodies, connections);
  }
  if (parts.has("search")) {
    say("searches");
    results.search = await runSearch(pipeline.service("api").url, platform.queryKey, platform.tenant, stack);
  }
  if (parts.has("latency")) {
    say(`latency at ${steadyRate} events/s for ${latencySeconds} s`);
    results.latency = await runLatency(pipeline, await makeBodies(steadyRate * latencySeconds, 100), steadyRate);
  }
  if (parts.has("sink")) {
    say("the sink alone");
    results.sink = await runSink(pipeline, bodies.slice(0, 500), connections);
  }
  if (parts.has("archive")) {
    say("the archive alone");
    results.archive = await runArchive(pipeline, bodies.slice(0, 500), connections);
  }
  if (parts.has("native")) {
    say("records of a native topic");
    results.native = await runNative(pipeline, Math.min(events, 200_000));
  }
  if (parts.has("deletion")) {
    say("a deletion under load");
    results.deletion = await runDeletion(pipeline, events, steadyRate, say);
  }
  if (parts.has("alerts")) {
    say("rules");
    results.alerts = await runAlerts(pipeline);
  }
} finally {
  say("stopping");
  await pipeline.stop();
}
process.stdout.write(json ? `${JSON.stringify(results, undefined, 2)}\n` : `\n${report(results)}`);
