/** The dashboard in a real browser: how soon it shows events, how it scrolls, how soon the live tail shows what was acknowledged. */
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "../services/dashboard/browser.driver.ts";
import { firstRowMs, idleFrames, openPage, scrollFrames } from "./browser.ts";
import { percentile } from "./figures.ts";
import { createLoader, type Target } from "./load.ts";

/** Bytes of script and style that the first page asks for, gzip. */
export const firstPageBytes = async (origin: string): Promise<number> => {
  const html = await (await fetch(`${origin}/explore`)).text();
  const paths = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path = ""]) => path);
  const sizes = paths.map(
    async (path) => gzipSync(Buffer.from(await (await fetch(`${origin}${path}`)).arrayBuffer())).length,
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
};

/** Milliseconds to the first event of Explore, of so many visits with an empty cache. */
export const paints = async (browser: Browser, origin: string, key: string, visits: number): Promise<number[]> => {
  const found: number[] = [];
  for (let i = 0; i < visits; i++) {
    const page = await openPage(browser, `${origin}/explore`, key);
    found.push(await firstRowMs(page));
    await page.context().close();
  }
  return found;
};

const rowsOf = async (page: Page): Promise<number> =>
  Number(await page.locator('[role="grid"]').getAttribute("aria-rowcount"));

export interface ScrollResult {
  readonly rows: number;
  /** Milliseconds between frames. */
  readonly frames: readonly number[];
  readonly idle: readonly number[];
}

/** Reads on until the list has `rows`, then scrolls back through it. */
export const scroll = async (browser: Browser, origin: string, key: string, rows: number): Promise<ScrollResult> => {
  const page = await openPage(browser, `${origin}/explore?from=-4h`, key);
  await firstRowMs(page);
  const idle = await idleFrames(page, 120);
  while ((await rowsOf(page)) < rows) {
    await page.evaluate(
      `document.querySelector('[role="grid"]').scrollTop = document.querySelector('[role="grid"]').scrollHeight`,
    );
    await sleep(50);
  }
  await page.evaluate(`document.querySelector('[role="grid"]').scrollTop /= 2`);
  await sleep(1_000);
  const frames = await scrollFrames(page, -240, 600);
  const result = { rows: await rowsOf(page), frames, idle };
  await page.context().close();
  return result;
};

export interface TailResult {
  readonly sent: number;
  /** Lines that the page has; the same number when none is missing. */
  readonly shown: number;
  /** Places where the page says that something is missing. */
  readonly marks: number;
  /** Milliseconds from a batch's acknowledgement to its last line on the screen. */
  readonly latency: readonly number[];
}

/** Fewer than a page keeps, so that all of them can be counted. */
const tailEvents = 9_000;
const perBatch = 50;

/** Records when the newest line on the screen changed, by the number at its end. */
const watchNewest = `
  window.seen = [];
  let newest = -1;
  const look = () => {
    const rows = document.querySelectorAll('.event .cell-message');
    const number = Number(/ (\\d+)$/.exec(rows[rows.length - 1]?.textContent ?? "")?.[1] ?? -1);
    if (number > newest) window.seen.push([performance.timeOrigin + performance.now(), newest = number]);
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);`;

export const tail = async (
  browser: Browser,
  origin: string,
  key: string,
  target: Target,
  eventsPerSecond: number,
): Promise<TailResult> => {
  const page = await openPage(browser, `${origin}/tail?q=service%3Atailed`, key);
  await page.getByText("Live", { exact: true }).waitFor();
  await page.evaluate(watchNewest);
  const loader = createLoader(target, 16);
  const acknowledged: [at: number, last: number][] = [];
  const begun = performance.now();
  let order: Promise<unknown> = Promise.resolve();
  for (let first = 0; first < tailEvents; first += perBatch) {
    const early = begun + (first / eventsPerSecond) * 1_000 - performance.now();
    if (early > 0) await sleep(early);
    const lines = Array.from({ length: perBatch }, (_, i) =>
      JSON.stringify({ message: `tailed line ${first + i}`, service: "tailed" }),
    );
    // One after the other: then the newest line on the screen says that all before it are there.
    order = order
      .then(() => loader.post(gzipSync(lines.join("\n"))))
      .then(({ status }) => {
        if (status !== 200) throw new Error(`the receiver answered ${status}`);
        acknowledged.push([performance.timeOrigin + performance.now(), first + perBatch - 1]);
      });
  }
  await order;
  await sleep(2_000);
  const seen = await page.evaluate<[at: number, number: number][]>("window.seen");
  const result = {
    sent: tailEvents,
    shown: await rowsOf(page),
    marks: await page.locator(".tail-note").count(),
    latency: acknowledged.map(
      ([at, last]) => (seen.find(([, number]) => number >= last)?.[0] ?? Number.POSITIVE_INFINITY) - at,
    ),
  };
  await page.context().close();
  loader.close();
  return result;
};

export const median = (values: readonly number[]): number => percentile(values, 0.5);
