/** The benchmark: everything on one machine, in one run, so that the ratios hold whatever the machine. See README.md. */
import { makeBodies } from "./bodies.ts";
import { readOptions } from "./options.ts";
import { runClickHouse } from "./part-clickhouse.ts";
import { runDiscard } from "./part-discard.ts";
import { startPipeline } from "./pipeline.ts";

const options = readOptions(process.argv.slice(2));
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const { events, parts, connections } = options;

say(`making ${events} events`);
const bodies = await makeBodies(events, 1000);
say("starting the servers");
const pipeline = await startPipeline();
try {
  const tls = pipeline.stack.tls;
  if (parts.has("discard")) console.log(await runDiscard(bodies, tls, connections));
  if (parts.has("clickhouse"))
    console.log(await runClickHouse(pipeline.stack, pipeline.stack.servers.clickhouse.pid() ?? 0, Math.min(events, 1_000_000), events));
} finally {
  await pipeline.stop();
}
