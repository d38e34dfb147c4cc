/** Alerts in a real Chromium: made, seen to fire, followed to their evidence; axe, both themes, a phone. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Platform, platform, type RunningService, sharedStack, until } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { becomeOwner, inspect, startBrowser, watch } from "./browser.driver.ts";

let one: Platform;
let receiver: RunningService;
let hook: Server;
let browser: Browser;
let page: Page;
let wrongs: string[];
let origin: string;
const got: string[] = [];
const allowed = { OUTGOING_ALLOWED: "127.0.0.1/32" };

beforeAll(async () => {
  one = await platform(sharedStack());
  origin = one.env("api").PUBLIC_URL ?? "";
  hook = createServer((request, response) => {
    got.push(String(request.headers["webhook-id"]));
    request.resume().once("end", () => response.end());
  });
  await new Promise<void>((resolve) => void hook.listen(0, "127.0.0.1", resolve));
  [receiver] = await Promise.all([one.start("receiver"), one.start("redactor"), one.start("api", allowed)]);
  await one.start("alerter", allowed);
  browser = await startBrowser();
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
  page = await context.newPage();
  wrongs = watch(page, origin);
  await becomeOwner(page, one.firstOwnerLink);
});
afterAll(async () => {
  await browser?.close();
  hook?.closeAllConnections();
  hook?.close();
  await one?.stop();
});

const look = (name: string) => inspect(page, name, true);
/** In each theme at each width. */
const lookAll = (name: string) => inspect(page, name);
const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
const gone = () => page.getByRole("dialog").waitFor({ state: "detached" });

test("a destination is made and tried, and a rule out of a search, in a form, as text, and changed", async () => {
  const seen: unknown[] = [];
  await page.goto(`${origin}/alerts?part=destinations`);
  await press("New destination");
  await page.getByRole("textbox", { name: "Name" }).fill("hook");
  await page
    .getByRole("textbox", { name: "Address" })
    .fill(`http://127.0.0.1:${(hook.address() as AddressInfo).port}/`);
  await page.getByLabel("Tell it of every rule").check();
  seen.push(await lookAll("alerts-new-destination"));
  await press("Make it");
  await page.getByText(/^whsec_/).waitFor();
  await press("Done");
  await gone();
  await page.getByRole("button", { name: "Acts on hook" }).click();
  await page.getByRole("menuitem", { name: "Send a test" }).click();
  await page.getByText("hook took it.").waitFor();
  await press("Done");
  await gone();
  seen.push(await lookAll("alerts-destinations"));

  await page.goto(`${origin}/explore?q=panic`);
  await page.getByRole("button", { name: "Export and copy" }).click();
  await page.getByRole("menuitem", { name: "Create an alert" }).click();
  // The query came along, in the editor that Explore has.
  const query = page.getByRole("textbox", { name: "Query" });
  await query.filter({ hasText: "panic" }).waitFor();
  // However fast somebody types into it, what comes back as the rule's is not put in the place of what was typed since.
  await query.click();
  await page.keyboard.press("End");
  await page.keyboard.type(" -service:cart -level:debug", { delay: 1 });
  await page.keyboard.press("Escape");
  await page.getByRole("textbox", { name: "Name" }).fill("Panics");
  await page.getByRole("textbox", { name: "For each" }).fill("service");
  await page.getByRole("textbox", { name: "In windows of" }).fill("7");
  await page.getByText(/must be a span of time/).waitFor();
  await page.getByRole("textbox", { name: "In windows of" }).fill("10m");
  await page.getByText(/times? in a day/).waitFor();
  // The message is shown as the rule would have it told.
  await page.getByLabel("A message of this rule").getByText("count() is", { exact: false }).waitFor();
  seen.push(await lookAll("alerts-editor"));
  await press("Match");
  await press("YAML");
  await page.getByRole("textbox", { name: "The rule as YAML" }).waitFor();
  const written = await page.getByRole("textbox", { name: "The rule as YAML" }).inputValue();
  expect(written).toContain("type: match");
  expect(written).toContain("query: panic -service:cart -level:debug");
  seen.push(await lookAll("alerts-editor-yaml"));
  await press("Make the rule");
  await page.getByRole("link", { name: "Panics" }).waitFor();
  seen.push(await look("alerts-rules"));
  await page.getByRole("link", { name: "Panics" }).click();
  await page.getByText("It says what is stored.").waitFor();
  await page.getByRole("combobox", { name: "Severity" }).selectOption("critical");
  await page.getByText('"critical"').waitFor();
  await press("Save");
  await page.getByRole("link", { name: "Panics" }).waitFor();
  expect(seen.flat()).toEqual([]);
  // The wrong window was tried, refused, and said beside its field.
  expect(new Set(wrongs.splice(0))).toEqual(
    new Set(["Failed to load resource: the server responded with a status of 400 (Bad Request)"]),
  );
}, 240_000);

test("an incident with its evidence and what was sent, acknowledged; and a silence for it", async () => {
  const seen: unknown[] = [];
  await until("an accepted event", async () => {
    const answer = await fetch(`${receiver.url}/v1/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${one.ingestKey}`, "content-type": "application/json" },
      body: JSON.stringify([{ message: "panic in the kitchen", service: "shop" }]),
    });
    return answer.ok || undefined;
  });
  await until("a notice", () => got[1]);
  await page.goto(`${origin}/alerts`);
  await page.getByRole("link", { name: "Panics" }).waitFor();
  seen.push(await look("alerts-incidents"));
  await page.getByRole("link", { name: "Panics" }).click();
  await page.getByText("panic in the kitchen").first().waitFor();
  await page.getByText("taken").first().waitFor();
  // A receiver that takes an id once sees the same id.
  const sent = got.length;
  await press("Send again");
  await page.getByText("Sent again just now, by hand: taken").waitFor();
  expect(got.slice(sent)).toEqual([got[sent - 1]]);
  expect(await page.getByRole("link", { name: "See the events" }).getAttribute("href")).toContain(
    "q=%28panic+-service%3Acart+-level%3Adebug%29",
  );
  await press("Acknowledge");
  await page.getByText("acknowledged", { exact: true }).waitFor();
  await page.getByText("by Ada Lovelace").waitFor();
  seen.push(await lookAll("alerts-incident"));
  await page.goto(`${origin}/alerts?part=rules`);
  await page.getByRole("link", { name: "firing" }).waitFor();
  seen.push(await look("alerts-rules-firing"));
  await page.goto(`${origin}/alerts?part=silences`);
  await press("New silence");
  await page.getByRole("textbox", { name: "What" }).fill("service=shop");
  await page.getByText("One open incident matches it now: Panics").waitFor();
  await press("Planned maintenance");
  seen.push(await look("alerts-new-silence"));
  await press("Silence it");
  await gone();
  await page.getByText("service=shop").first().waitFor();
  seen.push(await look("alerts-silences"));
  expect(seen.flat()).toEqual([]);
  expect(wrongs).toEqual([]);
}, 240_000);
