/** The dashboard in a real browser over a whole Astralog. `npm run bench:dashboard -- 120000`. */
import { startBrowser } from "../services/dashboard/browser.driver.ts";
import { connectClickHouse } from "./clickhouse.ts";
import { millis, percentile, table } from "./figures.ts";
import { firstPageBytes, median, paints, scroll, tail } from "./part-browser.ts";
import { startPipeline } from "./pipeline.ts";
import { plant, rowsPerBatch } from "./plant.ts";

const hours = 4;
const scrolledRows = 100_000;
/** A display draws sixty frames a second; a frame that came later was missed. */
const frameMs = 1_000 / 60;

const events = Number(process.argv[2] ?? 120_000);
if (!Number.isInteger(events / rowsPerBatch) || events < scrolledRows)
  throw new Error(`${process.argv[2]} events: give a multiple of ${rowsPerBatch}, ${scrolledRows} at least.`);

const missed = (frames: readonly number[]): string =>
  `${((frames.filter((gap) => gap > 1.5 * frameMs).length / frames.length) * 100).toFixed(1)} %`;

const pipeline = await startPipeline({ env: { api: { REQUESTS_PER_MINUTE: "100000" } } });
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void pipeline.stop());
try {
  await pipeline.startAll();
  const { stack, platform } = pipeline;
  const clickhouse = connectClickHouse(stack.clickhouse);
  await plant(clickhouse, platform.tenant, events, hours * 3_600_000);
  clickhouse.close();
  const origin = pipeline.service("api").url;
  const browser = await startBrowser();
  try {
    const bytes = await firstPageBytes(origin);
    const [cold = 0, ...warm] = await paints(browser, origin, platform.queryKey, 8);
    const scrolled = await scroll(browser, origin, platform.queryKey, scrolledRows);
    const tailed = await tail(browser, origin, platform.queryKey, pipeline.target(), 1_000);
    const rows = [
      ["script and style of the first page, gzip", `${(bytes / 1_000).toFixed(0)} kB`],
      ["first event of Explore on the screen, first visit", millis(cold)],
      ["… later visits with an empty cache, median", millis(median(warm))],
      [`frames of a page at rest, median / missed`, `${millis(median(scrolled.idle))} / ${missed(scrolled.idle)}`],
      [
        `frames while scrolling ${scrolled.rows} rows, median / p99 / missed`,
        `${millis(median(scrolled.frames))} / ${millis(percentile(scrolled.frames, 0.99))} / ${missed(scrolled.frames)}`,
      ],
      [
        "live tail at 1,000 events/s, acknowledged to the screen, median / p99",
        `${millis(median(tailed.latency))} / ${millis(percentile(tailed.latency, 0.99))}`,
      ],
      ["… lines sent / shown / places marked as missing", `${tailed.sent} / ${tailed.shown} / ${tailed.marks}`],
    ];
    process.stdout.write(`${table(["what", "figure"], rows)}\n`);
  } finally {
    await browser.close();
  }
} finally {
  await pipeline.stop();
}
