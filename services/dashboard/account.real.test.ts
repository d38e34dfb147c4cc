/** People in a real Chromium: in by the console's link, by mail, by passkey; their account; and what other pages try. */
import { type MailSink, startMailSink } from "@astralog/local";
import { connectPostgres } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Secret, TOTP } from "otpauth";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { assertion, copyPasskey, mailedLink, startElsewhere, verifies } from "./account.driver.ts";
import { type Authenticator, addAuthenticator, inspect, startBrowser, watch } from "./browser.driver.ts";

let one: Platform;
let api: RunningService;
let sink: MailSink;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let device: Authenticator;
let wrongs: string[];
let db: ReturnType<typeof connectPostgres>;
let origin: string;
let elsewhere: Awaited<ReturnType<typeof startElsewhere>>;
const ada = "ada@example.com";

beforeAll(async () => {
  one = await platform(sharedStack());
  sink = await startMailSink({ smtp: 0, page: 0 });
  origin = one.env("api").PUBLIC_URL ?? "";
  api = await one.start("api", { MAIL_URL: sink.smtp });
  db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  elsewhere = await startElsewhere(origin);
  browser = await startBrowser();
  context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
  page = await context.newPage();
  wrongs = watch(page, origin);
  device = await addAuthenticator(page);
});

afterAll(async () => {
  await browser?.close();
  elsewhere?.close();
  await db?.destroy();
  await one?.stop();
  await sink?.close();
});

/** In all four looks for pictures, in two for axe: between them both themes and both widths. */
const look = (where: Page, name: string) => inspect(where, name, process.env.ASTRALOG_SCREENSHOTS === undefined);
const mailed = (to: string, count: number, path = "/sign-in/link") => mailedLink(sink, to, count, path);
const signOut = async (): Promise<void> => {
  await page.getByRole("button", { name: "You", exact: true }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in to Astralog" }).waitFor();
};
const toAccount = async (): Promise<void> => {
  await page.goto(`${origin}/account`);
  await page.getByRole("heading", { name: "Sessions", exact: true }).waitFor();
};

/** The session's second factor was shown too long ago for what is dangerous. */
const letFactorAge = () =>
  db
    .updateTable("sessions")
    .set({ mfa_at: new Date(Date.now() - 3_600_000) })
    .execute();
const showAgain = async (): Promise<void> => {
  await page.getByRole("heading", { name: "Show that it is you" }).waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Use a passkey" }).click();
};

test("the console's link makes the first owner, in a browser that keeps a __Host- cookie for http://localhost", async () => {
  await page.goto(`${origin}/`);
  await page.getByRole("heading", { name: "Sign in to Astralog" }).waitFor();
  const bad = await look(page, "door");
  await page.goto(one.firstOwnerLink);
  await page.getByLabel("E-mail").fill(ada);
  await page.getByLabel("Name").fill("Ada Lovelace");
  bad.push(...(await look(page, "welcome")));
  expect(page.url()).not.toContain("#");
  await page.getByRole("button", { name: "Make my account" }).click();
  await page.getByRole("heading", { name: "Second factors" }).waitFor();
  const cookie = (await context.cookies()).find(({ name }) => name === "__Host-astralog");
  expect(cookie).toMatchObject({ secure: true, httpOnly: true, sameSite: "Lax", path: "/" });
  expect(await page.evaluate("document.cookie")).toBe("");
  expect(bad).toEqual([]);
  // The used link is dead.
  const other = await browser.newPage();
  await other.goto(one.firstOwnerLink);
  await other.getByLabel("E-mail").fill("eve@example.com");
  await other.getByRole("button", { name: "Make my account" }).click();
  await other.getByText("This link was used before").waitFor();
  await other.close();
});

test("an authenticator app and a passkey are added, with recovery codes shown once", async () => {
  await page.getByRole("button", { name: "Add an authenticator app" }).click();
  const secret = ((await page.locator(".secret code").textContent()) ?? "").replaceAll(" ", "");
  await page.locator("svg.qr").waitFor();
  const bad = await look(page, "app");
  await page.getByLabel("Code of the app").fill(new TOTP({ secret: Secret.fromBase32(secret) }).generate());
  await page.getByRole("button", { name: "Add it" }).click();
  await page.getByRole("heading", { name: "Your recovery codes" }).waitFor();
  expect(await page.locator(".codes li").count()).toBe(10);
  bad.push(...(await look(page, "codes")));
  await page.getByRole("button", { name: "I have kept them" }).click();
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByLabel("Name", { exact: true }).last().fill("Ada's laptop");
  bad.push(...(await look(page, "add-passkey")));
  await page.getByRole("button", { name: "Ask the device" }).click();
  await page.getByText("Ada's laptop").waitFor();
  bad.push(...(await look(page, "account-full")));
  expect(bad).toEqual([]);
  expect(await device.credentials()).toHaveLength(1);
});

test("a passkey signs in by itself", async () => {
  await signOut();
  await page.getByRole("button", { name: "Use a passkey" }).click();
  await page.waitForURL(/explore/);
  await page.getByRole("heading", { name: "Explore" }).waitFor();
  const [session] = await db.selectFrom("sessions").selectAll().execute();
  expect(session).toMatchObject({ method: "passkey" });
  expect(session?.mfa_at).not.toBeNull();
});

test("a mailed link opens a page that asks, and then for the second factor", async () => {
  await signOut();
  await page.getByLabel("E-mail").fill(ada);
  await page.getByRole("button", { name: "Send me a link" }).click();
  await page.getByRole("heading", { name: "Check your mail" }).waitFor();
  const bad = await look(page, "check-mail");
  const link = await mailed(ada, 0);
  // In another browser it says where it works; there it still does.
  const stranger = await browser.newPage();
  await stranger.goto(link);
  await stranger.getByRole("button", { name: "Sign in", exact: true }).click();
  await stranger.getByText("works in the browser that asked").waitFor();
  await stranger.close();
  // Whatever looks at links opens them first.
  for (let i = 0; i < 2; i++) expect((await fetch(link)).status).toBe(200);
  await page.goto(link);
  await page.getByRole("heading", { name: "Welcome back" }).waitFor();
  bad.push(...(await look(page, "link")));
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { name: "Your second factor" }).waitFor();
  bad.push(...(await look(page, "second-factor")));
  await page.getByRole("button", { name: "Use a passkey" }).click();
  await page.waitForURL(/explore/);
  expect(bad).toEqual([]);
});

test("removing a factor asks for one again; other sessions can be ended", async () => {
  const phone = await browser.newContext({ viewport: { width: 390, height: 844 } });
  const small = await phone.newPage();
  await small.goto(origin);
  await small.getByLabel("E-mail").fill(ada);
  await small.getByRole("button", { name: "Send me a link" }).click();
  await small.getByRole("heading", { name: "Check your mail" }).waitFor();
  await small.goto(await mailed(ada, 1));
  await small.getByRole("button", { name: "Sign in", exact: true }).click();
  await small.getByRole("heading", { name: "Your second factor" }).waitFor();

  await toAccount();
  await page.getByRole("button", { name: /^End the session/ }).click();
  await page.getByRole("button", { name: /^End the session/ }).waitFor({ state: "detached" });
  await small.goto(`${origin}/`);
  await small.getByRole("heading", { name: "Sign in to Astralog" }).waitFor();
  await phone.close();

  await letFactorAge();
  await page.getByRole("button", { name: "Remove the authenticator app" }).click();
  await page.getByRole("button", { name: "Remove it" }).click();
  await page.getByRole("heading", { name: "Show that it is you" }).waitFor();
  const bad = await look(page, "step-up");
  await showAgain();
  // Not by the button: behind a dialog it is hidden from roles.
  await page.getByText("Authenticator app", { exact: true }).waitFor({ state: "detached" });
  expect(bad).toEqual([]);
});

test("single sign-on is set up on its page, and asks for the second factor again; so does an admin key", async () => {
  await letFactorAge();
  await page.goto(`${origin}/settings/single-sign-on`);
  await page.getByRole("heading", { name: "Directory (SCIM)" }).waitFor();
  await page.getByLabel("Another domain").fill("ada.example");
  await page.getByRole("button", { name: "Claim" }).click();
  await showAgain();
  await page.getByText(/TXT record/).waitFor();
  await page.getByRole("button", { name: "Verify", exact: true }).waitFor();
  await page.getByRole("button", { name: "Connect by OpenID Connect" }).click();
  await page.getByLabel("Issuer").waitFor();
  const bad = await look(page, "single-sign-on");
  await page.keyboard.press("Escape");
  await page.goto(`${origin}/settings/single-sign-on`);
  await page.getByRole("button", { name: "Remove ada.example" }).click();
  await page.getByText(/TXT record/).waitFor({ state: "detached" });

  await letFactorAge();
  await page.goto(`${origin}/sources`);
  await page.getByRole("button", { name: "New key", exact: true }).click();
  await page.getByRole("radio", { name: /admin/ }).check();
  await page.getByRole("button", { name: "Make the key" }).click();
  await showAgain();
  await page.getByRole("heading", { name: "Your new key" }).waitFor();
  await page.getByRole("button", { name: "I have stored it" }).click();
  expect(bad).toEqual([]);
});

test("accounts elsewhere that lead into one's own are listed and unlinked", async () => {
  const { id: person } = await db.selectFrom("people").select("id").where("email", "=", ada).executeTakeFirstOrThrow();
  await db
    .insertInto("identities")
    .values({
      ...{ id: "idn_000000000001", person, issuer: "https://github.com", subject: "1", email: "ada@hub.example" },
      connection: null,
    })
    .execute();
  await toAccount();
  await page.getByText("ada@hub.example").waitFor();
  const bad = await look(page, "account-identities");
  await page.getByRole("button", { name: "Unlink GitHub, ada@hub.example" }).click();
  await page.getByText("None leads into yours.").waitFor();
  expect(await db.selectFrom("identities").selectAll().execute()).toEqual([]);
  expect(bad).toEqual([]);
});

const call = async (path: string, body?: unknown) => {
  const response = await fetch(`${api.url}/api/v1${path}`, {
    method: "POST",
    headers: { origin, "content-type": "application/json" },
    body: JSON.stringify(body ?? {}),
  });
  return { status: response.status, body: (await response.json()) as { code: string; challenge: string } };
};

test("a passkey's answer from another origin, without its user, again, or of a copy is refused", async () => {
  const other = await context.newPage();
  const theirs = await addAuthenticator(other);
  const copy = (more: number) => copyPasskey(device, theirs, more);
  const challenge = async () => (await call("/auth/passkey/options")).body;
  const refused = [403, "passkey_refused"];
  const tried = async (answer: unknown) => {
    const { status, body } = await call("/auth/passkey", { answer });
    return [status, body.code];
  };

  await copy(10);
  await other.goto(`${elsewhere.url}/`);
  expect(await tried(await assertion(other, await challenge(), "required"))).toEqual(refused);

  await other.goto(`${origin}/icon.svg`);
  await other.goto(`${origin}/`);
  await verifies(theirs, false);
  expect(await tried(await assertion(other, await challenge(), "discouraged"))).toEqual(refused);
  await verifies(theirs, true);

  // A challenge that is not one of ours, and one that is answered twice.
  expect(await tried(await assertion(other, { challenge: "AAAAAAAAAAAAAAAAAAAAAA" }, "required"))).toEqual(refused);
  const good = await assertion(other, await challenge(), "required");
  expect(await tried(good)).toEqual([200, undefined]);
  expect(await tried(good)).toEqual(refused);

  // The count goes back: two devices hold this passkey, and one of them is not Ada's.
  await copy(-1_000);
  expect(await tried(await assertion(other, await challenge(), "required"))).toEqual(refused);
  await other.close();
});

test("another page's form changes nothing, though the browser sends it with the cookie", async () => {
  const other = await context.newPage();
  const answered = other.waitForResponse(/sign-out/);
  await other.goto(`${elsewhere.url}/form`);
  const answer = await answered;
  expect((await answer.request().allHeaders()).cookie).toContain("__Host-astralog=");
  expect(answer.status()).toBe(403);
  await other.close();
  await toAccount();
});

test("with several organizations one chooses; by an address in digits the door says where people sign in", async () => {
  const [me] = await db.selectFrom("people").select("id").where("email", "=", ada).execute();
  await page.evaluate(
    `fetch("/api/v1/organizations", { method: "POST", headers: { "content-type": "application/json" }, body: '{"name":"Second Ltd"}' })`,
  );
  expect(me?.id).toMatch(/^usr_/);
  await toAccount();
  await page.getByRole("button", { name: /^Organization:/ }).click();
  await page.getByRole("menuitemcheckbox", { name: /Second Ltd/ }).click();
  await page.getByRole("button", { name: "Organization: Second Ltd" }).waitFor();
  expect(wrongs.filter((text) => !text.includes("403") && !text.includes("401"))).toEqual([]);

  await digitsDoor();
});

test("an invitation is kept through the sign-in of whom it is for, and taken with one press", async () => {
  const bob = "bob@example.com";
  await page.evaluate(
    `fetch("/api/v1/invitations", { method: "POST", headers: { "content-type": "application/json", "astralog-organization": ${JSON.stringify(one.tenant)} }, body: ${JSON.stringify(JSON.stringify({ email: bob, role: "member" }))} })`,
  );
  const his = await browser.newContext({ viewport: { width: 390, height: 844 } });
  const tab = await his.newPage();
  await tab.goto(await mailed(bob, 0, "/invitation"));
  await tab.getByRole("heading", { name: "Sign in to Astralog" }).waitFor();
  expect(tab.url()).not.toContain("#");
  await tab.getByLabel("E-mail").fill(bob);
  await tab.getByRole("button", { name: "Send me a link" }).click();
  await tab.getByRole("heading", { name: "Check your mail" }).waitFor();
  // As a mail program does: in another tab.
  const other = await his.newPage();
  await other.goto(await mailed(bob, 0));
  await other.getByRole("button", { name: "Sign in", exact: true }).click();
  await other.getByText("You are invited as member.").waitFor();
  const bad = await look(other, "invitation");
  await other.getByRole("button", { name: "Join" }).click();
  await other.waitForURL(/explore/);
  expect(bad).toEqual([]);
  await his.close();
});

const digitsDoor = async (): Promise<void> => {
  const digits = await browser.newPage();
  await digits.goto(`${api.url}/`);
  await digits.getByText("browsers keep sessions and passkeys for that name only").waitFor();
  const bad = await look(digits, "digits");
  expect(bad).toEqual([]);
  await digits.close();
};
