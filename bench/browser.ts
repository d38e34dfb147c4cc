/** Pages that hold the query key, and what is measured inside of them. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Page } from "../services/dashboard/browser.driver.ts";

/** `window.firstRowMs`: from the navigation to the frame after the one that has the first row. */
const watchFirstRow = `
  const look = () => document.querySelector('[role="row"]') === null
    ? requestAnimationFrame(look)
    : requestAnimationFrame(() => { window.firstRowMs = performance.now(); });
  requestAnimationFrame(look);`;

/** With nothing in its cache. */
export const openPage = async (browser: Browser, origin: string, key: string): Promise<Page> => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(`sessionStorage.setItem("astralog.query-key", ${JSON.stringify(key)}); ${watchFirstRow}`);
  page.setDefaultTimeout(60_000);
  await page.goto(origin, { waitUntil: "commit" });
  return page;
};

/** Milliseconds from the navigation to the first event on the screen. */
export const firstRowMs = async (page: Page): Promise<number> => {
  // Not by waitForFunction, which evaluates text within the page: the content security policy forbids it.
  for (let tries = 0; tries < 1_000; tries++) {
    const at = await page.evaluate<number>("window.firstRowMs ?? 0");
    if (at > 0) return at;
    await sleep(50);
  }
  throw new Error("no event was shown within 50 s");
};

/** Scrolls the list by `step` pixels each frame for `frames` frames; milliseconds between frames. */
export const scrollFrames = (page: Page, step: number, frames: number): Promise<number[]> =>
  page.evaluate(`new Promise((done) => {
    const list = document.querySelector('[role="grid"]');
    const gaps = [];
    let last;
    const draw = (now) => {
      if (last !== undefined) gaps.push(now - last);
      last = now;
      list.scrollTop += ${step};
      gaps.length < ${frames} ? requestAnimationFrame(draw) : done(gaps);
    };
    requestAnimationFrame(draw);
  })`);

/** Frames of a page that draws nothing: what this machine can. */
export const idleFrames = (page: Page, frames: number): Promise<number[]> => scrollFrames(page, 0, frames);
