/**
 * The eight searches alone: rows go straight into ClickHouse, spread over a day, so that a change of the table or of the
 * engine is measured in a minute; then the same in a bucket, in place. `npm run bench:searches -- 2000000`.
 */
import { fillBucket } from "./bucket.ts";
import { connectClickHouse, numberIn } from "./clickhouse.ts";
import { eightTable, runEight } from "./eight-searches.ts";
import { startPipeline } from "./pipeline.ts";
import { plant, rowsPerBatch } from "./plant.ts";
import { measure } from "./processes.ts";

const day = 86_400_000;

const events = Number(process.argv[2] ?? 2_000_000);
if (!Number.isInteger(events / rowsPerBatch) || events < 1)
  throw new Error(`${process.argv[2]} events: give a multiple of ${rowsPerBatch}.`);
const pipeline = await startPipeline({
  env: { api: { REQUESTS_PER_MINUTE: "100000", OUTGOING_ALLOWED: "127.0.0.0/8" } },
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void pipeline.stop());
try {
  const { stack, platform } = pipeline;
  const api = await pipeline.start("api");
  const clickhouse = connectClickHouse(stack.clickhouse);
  const costs = measure({ clickhouse: stack.servers.clickhouse.pid() ?? 0 });
  await plant(clickhouse, platform.tenant, events, day);
  const cpu = costs()[0]?.cpuSeconds ?? 0;
  const bytes = await numberIn(
    clickhouse,
    "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'events'",
  );
  const results = await runEight(api.url, platform.queryKey, platform.tenant, clickhouse);
  const bucket = await fillBucket(clickhouse, { ...platform, source: "src_bench" }, api.url, platform.adminKey);
  const inBucket = await runEight(api.url, platform.queryKey, platform.tenant, clickhouse, bucket.place).finally(
    bucket.stop,
  );
  process.stdout.write(
    `${events} events, ${(bytes / events).toFixed(1)} B stored each, ${((cpu / events) * 1e6).toFixed(2)} CPU s per million to store and merge\n\n${eightTable(results)}\n` +
      `The same in a bucket: ${bucket.objects} objects, ${(bucket.bytes / events).toFixed(1)} B per event\n\n${eightTable(inBucket)}\n`,
  );
  clickhouse.close();
} finally {
  await pipeline.stop();
}
