/** Explore in a real Chromium over a real api: the main path, both themes, a phone, hostile text, and the strict policy held. */
import { gzipSync } from "node:zlib";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { becomeOwner, inspect, shoot, startBrowser, violations, watch } from "./browser.driver.ts";

let one: Platform;
let api: RunningService;
let browser: Browser;
const hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>";
const levels = ["INFO", "INFO", "DEBUG", "WARN", "ERROR"];

beforeAll(async () => {
  one = await platform(await sharedStack());
  const receiver = await one.start("receiver");
  await one.start("redactor");
  await one.start("sink");
  api = await one.start("api");
  const events = Array.from({ length: 400 }, (_, i) => ({
    timestamp: new Date(Date.now() - i * 8_000).toISOString(),
    level: levels[i % 5],
    service: ["checkout", "api-gateway", "payments"][i % 3],
    host: `node-${i % 4}`,
    message:
      i % 5 === 4 ? `connection refused by upstream after ${i} ms` : `request ${i} handled in ${(i * 7) % 90} ms`,
    route: "/cart",
    latency_ms: (i * 7) % 90,
    ...(i < 4 ? { trace_id: "ab".repeat(16), card: i === 0 ? "4111 1111 1111 1111" : "none" } : {}),
  }));
  events.push({ ...(events[0] as (typeof events)[number]), message: `hostile ${hostile}`, service: hostile });
  // The first key reaches the receiver a moment after the api has started.
  let status = 0;
  for (let tries = 0; tries < 200 && status !== 200 && status !== 202; tries++) {
    const sent = await fetch(`${receiver.url}/v1/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${one.ingestKey}`, "content-type": "application/json" },
      body: JSON.stringify(events),
    });
    status = sent.status;
    if (!sent.ok) await new Promise((resolve) => setTimeout(resolve, 100));
  }
  browser = await startBrowser();
  for (let tries = 0; tries < 200; tries++) {
    const found = await fetch(`${api.url}/api/v1/search?q=hostile`, {
      headers: { authorization: `Bearer ${one.queryKey}` },
    });
    if (((await found.json()) as { events?: unknown[] }).events?.length === 1) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the events were not searchable after 20 s");
});

afterAll(async () => {
  await browser?.close();
  await one?.stop();
});

interface Watched {
  readonly page: Page;
  readonly wrongs: string[];
}

const open = async (colorScheme: "dark" | "light", width: number, path = "/"): Promise<Watched> => {
  const context = await browser.newContext({
    colorScheme,
    viewport: { width, height: width < 500 ? 844 : 900 },
    permissions: ["clipboard-read", "clipboard-write"],
  });
  const page = await context.newPage();
  const wrongs = watch(page, api.url);
  await page.goto(`${api.url}${path}`);
  await page.getByLabel("Query key").fill(one.queryKey);
  await page.getByRole("button", { name: "Open" }).click();
  await page.getByRole("row").first().waitFor();
  return { page, wrongs };
};

test.each([
  ["dark", 1440],
  ["light", 1440],
  ["dark", 390],
  ["light", 390],
] as const)("a question, an event, a filter: %s at %i", async (theme, width) => {
  const { page, wrongs } = await open(theme, width);
  await page.waitForTimeout(600);
  await shoot(page, `explore-${theme}-${width}`);
  const bad = await violations(page);
  await page.keyboard.press("/");
  await page.keyboard.type('"connection refused"');
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByText("80 events").waitFor();
  await page.locator("mark").first().waitFor();
  expect(new URL(page.url()).searchParams.get("q")).toBe('"connection refused"');
  await page.keyboard.press("j");
  await page.getByRole("complementary", { name: "Event" }).waitFor();
  await page.waitForTimeout(300);
  await shoot(page, `event-${theme}-${width}`);
  bad.push(...(await violations(page)));
  await page.getByRole("button", { name: "Only service like this" }).click();
  await page.waitForURL(/service/);
  expect(bad).toEqual([]);
  expect(wrongs).toEqual([]);
  await page.context().close();
});

test("what an event says is shown, never carried out, and a wrong query is told at its column", async () => {
  const { page, wrongs } = await open("dark", 1440, "/explore?q=hostile");
  await page.getByRole("row").first().click();
  expect(await page.locator(".drawer-message").textContent()).toContain(hostile);
  await page.keyboard.press("/");
  await page.keyboard.type(" (");
  await page.getByText("This ( is never closed.").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill("utc");
  await page.keyboard.press("Enter");
  await page.waitForURL(/tz=utc/);
  expect(wrongs).toEqual([]);
  await page.context().close();
});

test("what is counted along time is drawn, a group leads on to what it is made of, and a slip of the hand is put right", async () => {
  const { page, wrongs } = await open(
    "dark",
    1440,
    `/explore?${new URLSearchParams({ q: "| stats count(), p95(latency_ms) by service, bin(10m)" })}`,
  );
  const chart = page.getByRole("region", { name: "count() over time" });
  await chart.locator("canvas").waitFor();
  const bad = await inspect(page, "pipes");
  await page.getByRole("button", { name: "p95(latency_ms)" }).click();
  await page.getByRole("region", { name: "p95(latency_ms) over time" }).waitFor();
  await page.getByRole("cell", { name: "payments" }).first().getByRole("button").click();
  await page.waitForURL(/q=service%3Apayments/);
  await page.getByRole("cell", { name: "checkout" }).first().waitFor({ state: "detached" });
  await page.goto(`${api.url}/explore?q=${encodeURIComponent("service:paymets")}`);
  await page.getByRole("button", { name: "Did you mean service:payments" }).click();
  await page.getByRole("row").first().waitFor();
  expect(bad).toEqual([]);
  expect(wrongs).toEqual([]);
  await page.context().close();
});

const traced = `/explore?q=trace_id%3A${"ab".repeat(16)}`;

test.each([
  ["around", "3", "Events around this one"],
  ["trace", "4", "Events of the trace"],
  ["receipt", "5", "Where it went"],
] as const)("an open event shows its %s", async (show, key, says) => {
  const { page, wrongs } = await open("light", 1440, traced);
  await page.getByRole("row").nth(4).waitFor();
  await page.keyboard.press("j");
  const drawer = page.getByRole("complementary", { name: "Event" });
  expect(await drawer.locator(".redacted").textContent()).toBe("payment card");
  await page.keyboard.press(key);
  await page.getByLabel(says, { exact: true }).waitFor();
  expect(new URL(page.url()).searchParams.get("show")).toBe(show);
  await page.getByText(/^Loading/).waitFor({ state: "detached" });
  if (show === "receipt") {
    await page.getByText(/^Kept until/).waitFor();
    await page.getByLabel("Redacted in this event").getByText("in card").waitFor();
    await page.getByText("Stored 401").waitFor();
  }
  // Its list looks like the trace's.
  expect(await inspect(page, `event-${show}`, show === "around")).toEqual([]);
  expect(wrongs).toEqual([]);
  await page.context().close();
});

test("from an event to another of its trace and back out, by the keyboard", async () => {
  const { page, wrongs } = await open("light", 1440, traced);
  await page.getByRole("row").nth(4).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("4");
  const lines = page.getByLabel("Events of the trace").getByRole("button");
  await lines.nth(4).waitFor();
  expect(await lines.count()).toBe(5);
  const before = new URL(page.url()).searchParams.get("event");
  await lines.first().focus();
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.searchParams.get("event") !== before);
  await page.reload();
  await lines.first().and(page.locator("[aria-current]")).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("complementary", { name: "Event" }).waitFor({ state: "detached" });
  expect(wrongs).toEqual([]);
  await page.context().close();
});

test("a moment is marked over the counts, found again and taken away", async () => {
  const origin = one.env("api").PUBLIC_URL ?? "";
  const context = await browser.newContext({
    ...{ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce", locale: "en-GB" },
  });
  const page = await context.newPage();
  const wrongs = watch(page, origin);
  await becomeOwner(page, one.firstOwnerLink);
  await page.goto(`${origin}/explore`);
  await page.getByRole("row").nth(3).waitFor();
  await page.keyboard.press("m");
  await page.getByLabel("What happened").fill("checkout 1.4");
  await page.getByLabel("Link").fill("https://example.org/releases/1.4");
  const bad = await inspect(page, "mark", true);
  await page.getByRole("button", { name: "Mark", exact: true }).click();
  const sign = page.getByRole("button", { name: "deploy: checkout 1.4" });
  await sign.waitFor();
  await page.reload();
  await sign.click();
  await page.getByRole("link", { name: "example.org/releases/1.4" }).waitFor();
  await shoot(page, "mark-told");
  await page.getByRole("button", { name: "Take away checkout 1.4" }).click();
  await sign.waitFor({ state: "detached" });
  expect(bad).toEqual([]);
  expect(wrongs).toEqual([]);
  await context.close();
});

test("two handles keep a range of numbers, which is a question like any other: here as SQL", async () => {
  const { page, wrongs } = await open("dark", 1440);
  const least = page.getByRole("slider", { name: "Least latency_ms" });
  await least.focus();
  for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowRight");
  await page.waitForURL(/latency_ms/);
  expect(new URL(page.url()).searchParams.get("q")).toMatch(/^latency_ms:\[[\d.]+ TO [\d.]+\]$/);
  await page.getByText(/^\d+ events/).waitFor();
  const bad = await inspect(page, "explore-range", true);
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill("copy as sql");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Copied" }).waitFor();
  expect(await page.evaluate("navigator.clipboard.readText()")).toMatch(/^SELECT .* FROM events WHERE tenant = 'tn_/);
  await page.getByRole("button", { name: /Take away$/ }).click();
  await page.waitForURL((url) => !url.searchParams.has("q"));
  expect(bad).toEqual([]);
  expect(wrongs).toEqual([]);
  await page.context().close();
});

test("the first page weighs less than 350 KB, compressed", async () => {
  const html = await (await fetch(`${api.url}/explore`)).text();
  const files = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path = ""]) => path);
  expect(files.length).toBeGreaterThan(1);
  let bytes = 0;
  for (const path of files) {
    const response = await fetch(`${api.url}${path}`);
    expect(response.headers.get("cache-control")).toContain("immutable");
    bytes += gzipSync(Buffer.from(await response.arrayBuffer())).length;
  }
  console.log(`the first page: ${(bytes / 1000).toFixed(0)} kB of script and style, gzip`);
  expect(bytes).toBeLessThan(350_000);
  // A path that is no page of the api stays an error of the api.
  expect((await fetch(`${api.url}/api/nothing`)).status).toBe(404);
});
