/** The pages around Explore in a real Chromium over the running platform: each page's main path, axe, pictures. */
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { becomeOwner, inspect, startBrowser, watch } from "./browser.driver.ts";

let one: Platform;
let receiver: RunningService;
let api: RunningService;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let wrongs: string[];
let origin: string;
let sending: NodeJS.Timeout;
let receipt = "";

const services = ["checkout", "api-gateway", "payments", "search", "web"];
const says = [
  (i: number) => ["info", `GET /cart/${i * 7} 200 in ${(i * 13) % 180} ms`],
  (i: number) => ["info", `order ${100_000 + i} placed by customer ${i % 97}`],
  (i: number) => ["debug", `cache hit for product ${i % 300}, age ${i % 60} s`],
  (i: number) => ["info", `session 3f2504e0-4f89-11d3-9a0c-0305e82c${String(1000 + (i % 9000))} renewed`],
  (i: number) => ["warn", `slow query on replica-${i % 3}: ${900 + ((i * 31) % 2000)} ms`],
  (i: number) => ["info", `POST /payments 201 in ${(i * 17) % 240} ms`],
  (i: number) => ["error", `connection refused by 10.0.${i % 4}.${i % 250}:5432`],
] as const;

const events = (count: number, at: (i: number) => number, kinds: (i: number) => number = () => says.length) =>
  Array.from({ length: count }, (_, i) => {
    const [level, message] = says[(i * 5 + (i >> 3)) % kinds(i)]?.(i) ?? ["info", ""];
    return {
      ...{ timestamp: new Date(at(i)).toISOString(), level, message, service: services[(i * 3 + (i % 4)) % 5] },
      ...{ host: `node-${i % 4}`, route: "/cart", latency_ms: (i * 13) % 180 },
    };
  });

const send = async (list: readonly object[]): Promise<string | undefined> => {
  const response = await fetch(`${receiver.url}/v1/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${one.ingestKey}`, "content-type": "application/json" },
    body: JSON.stringify(list),
  });
  const answer = (await response.json()) as { receipt?: string };
  return response.ok ? answer.receipt : undefined;
};

const until = async <T>(what: string, ask: () => Promise<T | undefined>): Promise<T> => {
  for (let tries = 0; tries < 300; tries++) {
    const found = await ask();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited 15 s for ${what}`);
};

beforeAll(async () => {
  one = await platform(sharedStack());
  receiver = await one.start("receiver");
  await one.start("redactor");
  await one.start("sink");
  api = await one.start("api");
  origin = one.env("api").PUBLIC_URL ?? "";
  const now = Date.now();
  // Refused connections are what is new: of the last half hour, so the hour before has none while the tests run.
  const refusedSince = 2_000;
  await until("the key", () =>
    send(
      events(
        400,
        (i) => now - 3_700_000 - i * 8_000,
        () => says.length - 1,
      ),
    ),
  );
  const recent = events(
    4_000,
    (i) => now - 1_000 - i * 880,
    (i) => says.length - (i < refusedSince ? 0 : 1),
  );
  receipt = (await send(recent)) ?? "";
  await until("the events", async () => {
    const found = await fetch(`${api.url}/api/v1/search?q=refused`, {
      headers: { authorization: `Bearer ${one.queryKey}` },
    });
    return ((await found.json()) as { events?: unknown[] }).events?.length ? true : undefined;
  });
  browser = await startBrowser();
  // Without a locale: a bare system's is none that Intl knows, and the page must live with it.
  context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
  page = await context.newPage();
  wrongs = watch(page, origin);
  await becomeOwner(page, one.firstOwnerLink);
  let turn = 0;
  sending = setInterval(
    () => void send(events(3, (i) => Date.now() - i).map((one) => ({ ...one, turn: turn++ }))),
    150,
  );
});

afterAll(async () => {
  clearInterval(sending);
  await browser?.close();
  await one?.stop();
});

test("live tail: events as they come, by a query; a pause keeps them aside, an event opens", async () => {
  await page.goto(`${origin}/tail`);
  await page.getByRole("status").getByText("Live").waitFor();
  await page.getByRole("row").nth(8).waitFor();
  const bad = await inspect(page, "tail");
  await page.keyboard.press("Space");
  await page.getByRole("button", { name: /Show \d+ new/ }).waitFor();
  const rows = page.getByRole("grid");
  const count = await rows.getAttribute("aria-rowcount");
  await page.waitForTimeout(400);
  expect(await rows.getAttribute("aria-rowcount")).toBe(count);
  await page.keyboard.press("k");
  await page.getByRole("complementary", { name: "Event" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Space");
  await page.keyboard.press("/");
  await page.keyboard.type("service:checkout");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Run" }).click();
  await page.waitForURL(/q=service%3Acheckout/);
  await page.getByRole("row").nth(2).waitFor();
  for (const service of await page.locator(".event .cell-service").allTextContents()) expect(service).toBe("checkout");
  expect(bad).toEqual([]);
});

test("patterns: what was said, what is new, and from there to its events", async () => {
  await page.goto(`${origin}/patterns`);
  await page.getByRole("listitem").first().waitFor();
  const bad = await inspect(page, "patterns");
  await page.getByRole("button", { name: /^\d+ new$/ }).click();
  const refused = page.getByRole("button", { name: /connection refused by ip/ });
  await refused.waitFor();
  expect(await page.getByRole("listitem").filter({ hasText: "new" }).count()).toBe(1);
  await refused.click();
  await page.waitForURL(/explore.*connection\+refused/);
  await page.getByRole("row").first().waitFor();
  expect(bad).toEqual([]);
});

test("a view is saved where it is looked at, and opened, renamed and deleted where all are", async () => {
  await page.goto(`${origin}/explore?q=level%3A%3E%3Dwarn&from=-4h`);
  await page.getByRole("row").first().waitFor();
  await page.keyboard.press("s");
  await page.getByRole("textbox", { name: "Name" }).fill("Trouble");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.goto(`${origin}/views`);
  await page.getByRole("link", { name: "Trouble" }).waitFor();
  const bad = await inspect(page, "views");
  await page.getByRole("button", { name: "Acts on Trouble" }).click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("All trouble");
  await page.getByRole("button", { name: "Rename" }).click();
  await page.getByRole("link", { name: "All trouble" }).click();
  await page.waitForURL(/explore\?q=level%3A%3E%3Dwarn&from=-4h/);
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill("all trouble");
  await page.getByRole("option", { name: /All trouble/ }).waitFor();
  await page.keyboard.press("Escape");
  await page.goto(`${origin}/views`);
  await page.getByRole("button", { name: "Acts on All trouble" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("heading", { name: "No saved view yet" }).waitFor();
  bad.push(...(await inspect(page, "views-none", true)));
  expect(bad).toEqual([]);
});

test("dashboards: made from what is sent, narrowed by a variable, changed and shared", async () => {
  await page.goto(`${origin}/dashboards`);
  await page.getByRole("heading", { name: "No dashboard yet" }).waitFor();
  const bad = await inspect(page, "dashboards-none", true);
  await page.getByRole("button", { name: "Make it from my services" }).click();
  await page.waitForURL(/dashboards\/db_/);
  await page.locator("canvas").nth(1).waitFor();
  await page.waitForTimeout(500);
  bad.push(...(await inspect(page, "dashboard")));
  const counted = page.getByRole("region", { name: "Events", exact: true }).locator(".big-number");
  const all = (await counted.textContent()) ?? "";
  await page.getByRole("combobox", { name: /^service/ }).selectOption("checkout");
  await page.waitForURL(/v.service=checkout/);
  await counted.filter({ hasNotText: all }).waitFor();
  await page.keyboard.press("e");
  await page.getByRole("button", { name: "Panel", exact: true }).click();
  await page.getByRole("textbox", { name: "Title" }).fill("Slow queries");
  await page.getByRole("textbox", { name: "Query" }).fill('"slow query"');
  bad.push(...(await inspect(page, "panel", true)));
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("button", { name: "Change", exact: true }).waitFor();
  await page.getByRole("button", { name: "Share" }).click();
  // A click and no check(): it shows as shared once the server has said so.
  await page.getByRole("checkbox").click();
  await page.getByRole("button", { name: "Shared" }).waitFor();
  await page.reload();
  await page.getByRole("region", { name: "Slow queries" }).waitFor();
  await page.goto(`${origin}/dashboards`);
  await page.getByText("shared", { exact: true }).waitFor();
  bad.push(...(await inspect(page, "dashboards")));
  expect(bad).toEqual([]);
});

test("sources and keys: made, shown once, rotated, revoked by its name; and where an event went", async () => {
  await page.goto(`${origin}/sources`);
  await page.getByRole("button", { name: "New source" }).click();
  await page.getByLabel("Name").fill("web-shop");
  await page.getByRole("button", { name: "Make the source" }).click();
  await page.getByRole("dialog", { name: "New key" }).waitFor();
  await page.getByLabel("Name").fill("deploy");
  await page.getByLabel("Ends", { exact: true }).selectOption("in 30 days");
  await page.getByLabel("Works only from").fill("10.0.0.0/8 nowhere");
  await page.getByRole("button", { name: "Make the key" }).click();
  await page.getByText("must be an address or a CIDR block").waitFor();
  await page.getByLabel("Works only from").fill("10.0.0.0/8, 192.0.2.7");
  const bad = await inspect(page, "new-key", true);
  await page.getByRole("button", { name: "Make the key" }).click();
  const key = (await page.locator(".secret code").textContent()) ?? "";
  expect(key).toMatch(/^al_ing_\w{30}$/);
  bad.push(...(await inspect(page, "key-shown", true)));
  await page.getByRole("button", { name: "I have stored it" }).click();
  expect(await page.content()).not.toContain(key);
  const row = page.getByRole("row", { name: /deploy/ });
  await row.getByText("from 2 addresses").waitFor();
  expect(await row.textContent()).toMatch(/never.*ends in /);
  await page.getByRole("button", { name: "Acts on deploy" }).click();
  await page.getByRole("menuitem", { name: "Revoke" }).click();
  const revoke = page.getByRole("button", { name: "Revoke", exact: true });
  expect(await revoke.isDisabled()).toBe(true);
  await page.getByLabel("Type deploy to confirm").fill("deploy");
  await revoke.click();
  await page.getByRole("button", { name: "Show 1 ended" }).waitFor();
  await page.getByLabel("Receipt or event id").fill(receipt.split("~")[0] ?? "");
  await page.getByRole("button", { name: "Trace" }).click();
  await page.getByText(/^Stored/).waitFor();
  bad.push(...(await inspect(page, "sources")));
  expect(bad).toEqual([]);
});

test("usage: what was stored, by day and source", async () => {
  await page.goto(`${origin}/usage`);
  await page.getByRole("heading", { name: "Today" }).waitFor();
  await page.getByRole("row").filter({ hasText: "app" }).getByText("100 %").waitFor();
  const bad = await inspect(page, "usage");
  await page.getByRole("button", { name: "Events", exact: true }).click();
  await page.waitForURL(/by=events/);
  await page.getByRole("button", { name: "7 days" }).click();
  await page.waitForURL(/days=7/);
  expect(bad).toEqual([]);
});

test("the first steps tick themselves when an event arrives", async () => {
  clearInterval(sending);
  await new Promise((resolve) => setTimeout(resolve, 800));
  await page.goto(`${origin}/start?with=node`);
  await page.getByText("Listening.").waitFor();
  await page.getByLabel("Name of the source").fill("first-source");
  await page.getByRole("button", { name: "Make it" }).click();
  const key = (await page.locator(".secret code").textContent()) ?? "";
  await page.getByRole("tab", { name: "curl" }).click();
  const snippet = (await page.getByRole("tabpanel").locator("pre").textContent()) ?? "";
  expect(snippet).toContain(key);
  const bad = await inspect(page, "start");
  const [, url = ""] = /curl (\S+)/.exec(snippet) ?? [];
  const body = /-d '([^']+)'/.exec(snippet)?.[1] ?? "";
  await until("the new key", async () => {
    const sent = await fetch(url, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body,
    });
    return sent.ok ? true : undefined;
  });
  await page.getByText("Hello, Astralog").last().waitFor();
  await page.getByRole("link", { name: "Search your events" }).waitFor();
  bad.push(...(await inspect(page, "start-done")));
  expect(bad).toEqual([]);
});

test("nothing went wrong on the way: no dialog, no request elsewhere, no error but what was provoked", () => {
  // The address that is none.
  expect(wrongs.filter((text) => !/\b400\b/.test(text))).toEqual([]);
});

test("a part that an upgrade took away makes the tab load itself anew, where it stands; one that stays away is said", async () => {
  const open = await context.newPage();
  await open.goto(`${origin}/explore`);
  await open.getByRole("row").nth(3).waitFor();
  let away = 1;
  await open.route("**/tail-page*.js", (route) => (away-- > 0 ? route.abort() : route.continue()));
  await open.getByRole("link", { name: "Live tail" }).click();
  await open.getByRole("status").getByText("Live").waitFor();
  expect(away).toBeLessThan(1);
  await open.route("**/patterns-page*.js", (route) => route.abort());
  await open.getByRole("link", { name: "Patterns" }).click();
  await open.getByRole("alert").waitFor();
  expect(open.url()).toBe(`${origin}/patterns`);
  await open.close();
});
