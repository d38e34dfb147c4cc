/** The Data page in a real Chromium: what is kept, a rule and a hold, a deletion with its certificate; axe, pictures. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type BucketServer, choosePorts, startBucketServer, state } from "@astralog/local";
import { ownGrantsSql } from "@astralog/schemas/own-clickhouse";
import { connectPostgres } from "@astralog/schemas/postgres";
import { type Certificate, checkCertificate } from "@astralog/schemas/retention/index";
import {
  type CustomerServer,
  type Platform,
  platform,
  type RunningService,
  sharedStack,
  startCustomer,
  until,
} from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { becomeOwner, inspect, startBrowser, watch } from "./browser.driver.ts";

let one: Platform;
let receiver: RunningService;
let api: RunningService;
let browser: Browser;
let page: Page;
let wrongs: string[];
let origin: string;
let buckets: BucketServer;
let folder: string;
let customer: CustomerServer;
const grants = ownGrantsSql({ username: "astralog", database: "logs", cluster: "" });

const call = async (method: string, path: string, body?: unknown) => {
  const answer = await fetch(`${api.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${one.adminKey}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape.
  return { status: answer.status, body: (await answer.json()) as any };
};

beforeAll(async () => {
  folder = mkdtempSync(join(state, "data-page-"));
  const { port } = await choosePorts({ port: 0 });
  [buckets, customer, one] = await Promise.all([
    startBucketServer({ dir: folder, log: join(folder, "log"), port, buckets: ["theirs"] }),
    startCustomer({
      others: [
        { name: "astralog", password: "theirs", grants: grants.map((grant) => grant.replace(/ TO .*/, "")) },
        { name: "poor", password: "theirs", grants: ["GRANT SELECT ON logs.*"] },
      ],
    }),
    platform(sharedStack()),
  ]);
  const allowed = { OUTGOING_ALLOWED: "127.0.0.0/8" };
  [receiver, api] = await Promise.all([
    one.start("receiver"),
    one.start("api", allowed),
    one.start("archive", { ...allowed, FLUSH_SECONDS: "1", STATE_SECONDS: "1" }),
    one.start("redactor"),
    one.start("sink"),
  ]);
  // Others have rows in these tables: nothing is old enough for its sweeps.
  await one.start("retention", { ...allowed, SETTLE_SECONDS: "86400", IN_FLIGHT_MS: "100" });
  await until("events", async () => {
    const answer = await fetch(`${receiver.url}/v1/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${one.ingestKey}`, "content-type": "application/json" },
      body: JSON.stringify(
        Array.from({ length: 400 }, (_, i) => ({ message: `order ${i} placed`, user: { id: i % 4 }, service: "shop" })),
      ),
    });
    await answer.arrayBuffer();
    return answer.ok ? true : undefined;
  });
  await until("stored events", async () => {
    const { status, body } = await call("GET", "/retention");
    return status === 200 && body.sources[0]?.events === 400 && body.sweep.length === 9 ? true : undefined;
  });
  origin = one.env("api").PUBLIC_URL ?? "";
  browser = await startBrowser();
  const viewport = { width: 1440, height: 900 };
  const context = await browser.newContext({
    viewport,
    reducedMotion: "reduce",
    locale: "en-GB",
    acceptDownloads: true,
  });
  page = await context.newPage();
  wrongs = watch(page, origin);
  await becomeOwner(page, one.firstOwnerLink);
  const db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  await db.updateTable("sessions").set({ mfa_at: new Date() }).execute();
  await db.destroy();
});

afterAll(async () => {
  await browser?.close();
  await one?.stop();
  await buckets?.stop();
  await customer?.remove();
  rmSync(folder, { recursive: true, force: true });
});

test("what is kept, how long, what expires next, and that nothing is overdue", async () => {
  await page.goto(`${origin}/data`);
  const row = page.getByRole("row").filter({ hasText: "app" });
  await row.getByText("400").first().waitFor();
  await row.getByText("30 days").waitFor();
  await page.getByRole("row").filter({ hasText: "Events in ClickHouse" }).waitFor();
  expect(await inspect(page, "data", true)).toEqual([]);
});

test("a rule and a hold are made and ended where they stand", async () => {
  await page.goto(`${origin}/data?part=rules`);
  await page.getByRole("button", { name: "New rule" }).click();
  await page.getByLabel("Name").fill("Debug is short");
  await page.getByLabel("Query").fill("level:debug");
  await page.getByLabel("Keeps for, in days").fill("3");
  const bad = await inspect(page, "data-new-rule", true);
  await page.getByRole("button", { name: "Make the rule" }).click();
  await page.getByRole("row").filter({ hasText: "Debug is short" }).getByText("3 d").waitFor();
  await page.getByRole("button", { name: "New hold" }).click();
  await page.getByLabel("Name").fill("Case 9");
  await page.getByLabel("Why").fill("litigation");
  await page.getByRole("button", { name: "Make the hold" }).click();
  await page.getByRole("row").filter({ hasText: "Case 9" }).getByText("on hold").waitFor();
  bad.push(...(await inspect(page, "data-rules", true)));
  // While it stands nothing is deleted.
  const refused = { kind: "query", query: "order", reason: "r", confirm: "order" };
  expect(await call("POST", "/deletions", refused)).toMatchObject({ status: 409, body: { code: "on_hold" } });
  await page.getByRole("button", { name: "Acts on Case 9" }).click();
  await page.getByRole("menuitem", { name: "End the hold" }).click();
  await page.getByLabel("Type Case 9 to confirm").fill("Case 9");
  await page.getByRole("button", { name: "End it" }).click();
  await page.getByRole("row").filter({ hasText: "Case 9" }).waitFor({ state: "detached" });
  expect(bad).toEqual([]);
});

test("a rule that drops fields is counted before it is made, and one that spoils another is refused", async () => {
  await page.goto(`${origin}/data?part=rules`);
  await page.getByRole("button", { name: "Drop fields" }).click();
  await page.getByLabel("Name").fill("Who goes first");
  await page.getByLabel("Fields", { exact: true }).fill("message, service");
  await page.getByLabel("After days").fill("7");
  await page.getByRole("button", { name: "Count them first" }).click();
  await page.getByText("service is in the order in which events are stored").first().waitFor();
  expect(wrongs.splice(0)).toEqual([expect.stringContaining("status of 400")]);
  await page.getByLabel("Fields", { exact: true }).fill("attributes.user.*");
  await page.getByLabel("Except").fill("attributes.user.plan");
  await page.getByRole("button", { name: "Count them first" }).click();
  await page.getByText("400 stored events have").waitFor();
  const bad = await inspect(page, "data-drop-fields", true);
  await page.getByRole("button", { name: "Make the rule" }).click();
  await page.getByRole("row").filter({ hasText: "Who goes first" }).getByText("for 7 d").waitFor();
  bad.push(...(await inspect(page, "data-rules-fields")));
  const keep = { name: "k", kind: "keep", query: "user.id:3", days: 20 };
  expect(await call("POST", "/retention/rules", keep)).toMatchObject({
    status: 400,
    body: { code: "invalid_request" },
  });
  expect(bad).toEqual([]);
});

test("a bucket is connected in three steps, shows how far it is, and is searched in Explore", async () => {
  await page.goto(`${origin}/data?part=buckets`);
  await page.getByText("No bucket is connected.").waitFor();
  const bad = await inspect(page, "data-buckets-none");
  await page.getByRole("button", { name: "Connect a bucket" }).click();
  await page.getByLabel("Name").fill("Archive");
  await page.getByLabel("Kind").selectOption("compatible");
  await page.getByLabel("Address of the server").fill(buckets.url);
  await page.getByLabel("Bucket", { exact: true }).fill("theirs");
  bad.push(...(await inspect(page, "data-bucket-where")));
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByLabel("Access key id").fill(buckets.accessKeyId);
  await page.getByLabel("Secret access key").fill("not-the-right-one");
  bad.push(...(await inspect(page, "data-bucket-keys")));
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByRole("button", { name: "Try it and connect" }).click();
  await page.getByText("SignatureDoesNotMatch").waitFor();
  await page.getByRole("button", { name: "Back" }).click();
  await page.getByLabel("Secret access key").fill(buckets.secretAccessKey);
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByLabel("Days that an event lives there").fill("365");
  bad.push(...(await inspect(page, "data-bucket-days")));
  await page.getByRole("button", { name: "Try it and connect" }).click();
  const row = page.getByRole("row").filter({ hasText: "Archive" });
  await row.getByText("365 days").waitFor();
  await row.getByText("writing").waitFor({ timeout: 60_000 });
  await row.getByText("400", { exact: true }).waitFor({ timeout: 60_000 });
  bad.push(...(await inspect(page, "data-buckets", true)));
  await row.getByRole("button", { name: "Acts on Archive" }).click();
  await page.getByRole("menuitem", { name: "Search in it" }).click();
  await page.getByRole("combobox", { name: "Place" }).waitFor();
  await page.getByText("order 399 placed").first().waitFor({ timeout: 60_000 });
  bad.push(...(await inspect(page, "explore-bucket", true)));
  expect(bad).toEqual([]);
  // Of the wrong key, as the browser tells it.
  expect(wrongs.splice(0)).toEqual([expect.stringContaining("status of 422")]);
});

test("one more, of which its keeper is to read nothing: its key is shown once, and Explore says what to do instead", async () => {
  const bad: string[] = [];
  await page.goto(`${origin}/data?part=buckets`);
  await page.getByRole("button", { name: "Connect a bucket" }).click();
  await page.getByLabel("Name").fill("Sealed");
  await page.getByLabel("Kind").selectOption("compatible");
  await page.getByLabel("Address of the server").fill(buckets.url);
  await page.getByLabel("Bucket", { exact: true }).fill("theirs");
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByLabel("Access key id").fill(buckets.accessKeyId);
  await page.getByLabel("Secret access key").fill(buckets.secretAccessKey);
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByLabel("Under a key that is made here and shown once").check();
  bad.push(...(await inspect(page, "data-bucket-encrypted")));
  await page.getByRole("button", { name: "Try it and connect" }).click();
  const shown = (await page.getByRole("dialog").locator("code").textContent()) ?? "";
  expect(shown).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  bad.push(...(await inspect(page, "data-bucket-key")));
  await page.getByRole("button", { name: "I have stored it" }).click();
  const sealed = page.getByRole("row").filter({ hasText: "encrypted before it leaves" });
  await sealed.getByText("400", { exact: true }).waitFor({ timeout: 60_000 });
  bad.push(...(await inspect(page, "data-buckets-encrypted", true)));
  await sealed.getByRole("button", { name: "Acts on Sealed" }).click();
  await page.getByRole("menuitem", { name: "Give it another client key" }).click();
  await page.getByLabel("Under a key of your own").check();
  await page.getByLabel("Client key", { exact: true }).fill(shown);
  await page.getByRole("button", { name: "Change the key" }).click();
  await page.getByText("it is or was this connection's already").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.goto(`${origin}/explore`);
  const place = page.getByRole("combobox", { name: "Place" });
  await place.waitFor();
  expect(await place.locator("option", { hasText: "Sealed (encrypted: bring days back" }).isDisabled()).toBe(true);
  expect(bad).toEqual([]);
  // Of the key that it has already, as the browser tells it.
  expect(wrongs.splice(0)).toEqual([expect.stringContaining("status of 400")]);
});

test("days are brought back from the bucket once they were counted, and ended", async () => {
  await page.goto(`${origin}/data?part=buckets`);
  await page.getByText("Nothing was brought back from a bucket.").waitFor();
  await page.getByRole("button", { name: "Bring days back" }).click();
  const today = new Date().toISOString().slice(0, 10);
  await page.getByLabel("First day").fill(today);
  await page.getByLabel("Last day").fill(today);
  await page.getByLabel("Query").fill("user.id:3");
  await page.getByRole("button", { name: "Count them first" }).click();
  await page.getByRole("status").getByText("100").waitFor();
  const bad = await inspect(page, "data-bring-back", true);
  await page.getByRole("button", { name: "Bring them back" }).click();
  const row = page.getByRole("row").filter({ hasText: "user.id:3" });
  await row.getByText("here", { exact: true }).waitFor({ timeout: 60_000 });
  bad.push(...(await inspect(page, "data-rehydrations", true)));
  await row.getByRole("button", { name: /^Acts on reh_/ }).click();
  await page.getByRole("menuitem", { name: "End it now" }).click();
  await page.getByRole("button", { name: "End it", exact: true }).click();
  await row.getByText("ended", { exact: true }).waitFor({ timeout: 60_000 });
  expect(bad).toEqual([]);
});

test("a ClickHouse is connected in three steps, says what it lacks, and where events live is shown and changed", async () => {
  await page.goto(`${origin}/data?part=servers`);
  await page.getByText("No server is connected").waitFor();
  const bad = await inspect(page, "data-servers-none", true);
  await page.getByRole("button", { name: "Connect a server" }).click();
  await page.getByLabel("Name").fill("Warehouse");
  await page.getByLabel("Address").fill(customer.url);
  await page.getByLabel("Database").fill(customer.database);
  bad.push(...(await inspect(page, "data-server-where", true)));
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByLabel("User").fill("poor");
  await page.getByText("GRANT SELECT, INSERT, CREATE TABLE, ALTER TABLE ON logs.* TO poor;").waitFor();
  await page.getByLabel("Password").fill("theirs");
  bad.push(...(await inspect(page, "data-server-grants", true)));
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByRole("button", { name: "Try it and connect" }).click();
  await page.getByText("The user poor lacks INSERT ON logs.*").waitFor();
  bad.push(...(await inspect(page, "data-server-lacks", true)));
  await page.getByRole("button", { name: "Back" }).click();
  await page.getByLabel("User").fill("astralog");
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByRole("button", { name: "Try it and connect" }).click();
  const row = page.getByRole("row").filter({ hasText: "Warehouse" });
  await row.getByText("writing").waitFor({ timeout: 60_000 });
  await row.getByText("400", { exact: true }).waitFor({ timeout: 60_000 });
  bad.push(...(await inspect(page, "data-servers", true)));
  await row.getByRole("button", { name: "Acts on Warehouse" }).click();
  await page.getByRole("menuitem", { name: "Change where events live" }).click();
  await page.getByLabel("Events are written").selectOption("instead");
  bad.push(...(await inspect(page, "data-server-mode", true)));
  await page.getByRole("button", { name: "Save" }).click();
  await row.getByText("here alone").waitFor();
  await page.goto(`${origin}/data`);
  await page.getByText("What comes lives on your own ClickHouse").waitFor();
  bad.push(...(await inspect(page, "data-residency", true)));
  await page.goto(`${origin}/explore`);
  await page.getByText("order 399 placed").first().waitFor({ timeout: 60_000 });
  bad.push(...(await inspect(page, "explore-own", true)));
  expect(bad).toEqual([]);
  expect(wrongs.splice(0)).toEqual([expect.stringContaining("status of 422")]);
});

test("events are deleted once they were counted and confirmed; the certificate is taken along and holds", async () => {
  await page.goto(`${origin}/data?part=deletions`);
  await page.getByText("Nothing was deleted before its time.").waitFor();
  await page.getByRole("button", { name: "Delete events" }).click();
  await page.getByRole("textbox", { name: "Query" }).fill("user.id:3");
  await page.getByLabel("Why").fill("erasure request 88");
  await page.getByRole("button", { name: "Count them first" }).click();
  await page.getByRole("status").getByText("100").waitFor();
  const go = page.getByRole("button", { name: "Delete for good" });
  expect(await go.isDisabled()).toBe(true);
  await page.getByLabel("Type user.id:3 to confirm").fill("user.id:3");
  const bad = await inspect(page, "data-delete", true);
  await go.click();
  const row = page.getByRole("row").filter({ hasText: "user.id:3" });
  await row.getByText("certified", { exact: true }).waitFor();
  bad.push(...(await inspect(page, "data-deletions", true)));
  await row.getByRole("button", { name: /^Acts on del_/ }).click();
  await page.getByRole("menuitem", { name: "Places and certificate" }).click();
  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name: "Certificate", exact: true }).click();
  const certificate = JSON.parse(readFileSync(await (await coming).path(), "utf8")) as Certificate;
  const list = page.waitForEvent("download");
  await page.getByRole("button", { name: "List of what was removed" }).click();
  const lines = readFileSync(await (await list).path(), "utf8").split("\n");
  expect(checkCertificate(certificate, { publicKey: certificate.public_key, lines })).toEqual({ problems: [] });
  expect(certificate).toMatchObject({ kind: "query", query: "user.id:3", reason: "erasure request 88" });
  bad.push(...(await inspect(page, "data-certificate", true)));
  expect(bad).toEqual([]);
  expect(wrongs).toEqual([]);
});

test("everything is taken out, followed, and its files are fetched where they are listed", async () => {
  await page.goto(`${origin}/data?part=takeouts`);
  await page.getByText("Nothing was taken out yet.").waitFor();
  const bad = await inspect(page, "data-takeouts-none", true);
  await page.getByRole("button", { name: "New takeout" }).click();
  await page.getByLabel("Where").waitFor();
  bad.push(...(await inspect(page, "data-takeout-new", true)));
  await page.getByRole("button", { name: "Begin" }).click();
  const row = page.getByRole("row").filter({ hasText: "tko_" });
  await row.getByText("ready").waitFor({ timeout: 60_000 });
  await row.getByText("300", { exact: true }).waitFor();
  bad.push(...(await inspect(page, "data-takeouts", true)));
  await row.getByRole("button", { name: /^Acts on tko_/ }).click();
  await page.getByRole("menuitem", { name: "Files", exact: true }).click();
  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name: "Fetch configuration/sources.json" }).click();
  const { entries } = JSON.parse(readFileSync(await (await coming).path(), "utf8")) as { entries: { name: string }[] };
  expect(entries.map(({ name }) => name)).toEqual(["app"]);
  bad.push(...(await inspect(page, "data-takeout-files", true)));
  await page.keyboard.press("Escape");
  await row.getByRole("button", { name: /^Acts on tko_/ }).click();
  await page.getByRole("menuitem", { name: "Remove its files" }).click();
  await page.getByRole("button", { name: "Remove them" }).click();
  await row.getByText("cancelled").waitFor();
  expect(bad).toEqual([]);
  expect(wrongs).toEqual([]);
});
