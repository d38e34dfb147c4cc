/** For the browser tests: a real Chromium, what goes wrong in its pages, axe, pictures, and an authenticator of its own. */
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import chromium from "@sparticuz/chromium";
import { type Browser, type CDPSession, type Page, chromium as playwright } from "playwright-core";

export type { Browser, Page };

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const shots = process.env.ASTRALOG_SCREENSHOTS;

export const startBrowser = async (): Promise<Browser> =>
  playwright.launch({
    executablePath: await chromium.executablePath(),
    // Not the package's own arguments: they turn the web's security off and paint by an emulated graphics card, which takes
    // a bare machine three times as long. Root may not have Chromium's sandbox.
    args: ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"],
  });

/** Errors, dialogs and requests that leave `origin`, as they happen. */
export const watch = (page: Page, origin: string): string[] => {
  const wrongs: string[] = [];
  page.on("console", (message) => message.type() === "error" && wrongs.push(message.text()));
  page.on("pageerror", (error) => wrongs.push(String(error)));
  page.on("dialog", (dialog) => {
    wrongs.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(origin)) wrongs.push(`third party ${request.url()}`);
  });
  return wrongs;
};

export const violations = async (page: Page): Promise<string[]> => {
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(axe);
  return page.evaluate(
    "axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 160) + ' ' + n.failureSummary).join(' | ')))",
  );
};

export const shoot = async (page: Page, name: string): Promise<void> => {
  if (shots === undefined) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`) });
};

const looks = [
  ["dark", 1440],
  ["light", 1440],
  ["dark", 390],
  ["light", 390],
] as const;

/**
 * The page in both themes and both widths: axe's complaints, and a picture of each. `some`: each theme and width once, unless
 * pictures are asked for.
 */
export const inspect = async (page: Page, name: string, some = false): Promise<string[]> => {
  const found: string[] = [];
  // What an older question found is dimmed until the new one is answered.
  for (let tries = 0; tries < 400 && (await page.locator(".is-stale").count()) > 0; tries++)
    await page.waitForTimeout(50);
  // Nothing is hovered, and no colour is on its way to another.
  await page.mouse.move(0, 0);
  for (const [colorScheme, width] of looks) {
    if (some && shots === undefined && (colorScheme === "dark") !== width > 500) continue;
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width, height: width < 500 ? 844 : 900 });
    await page.evaluate("Promise.allSettled(document.getAnimations().map((one) => one.finished))");
    // Two frames later every row wears the theme.
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    await shoot(page, `${name}-${colorScheme}-${width}`);
    // A page that moves may be met between two frames; what is wrong with it is wrong twice.
    const wrong = (await violations(page)).length === 0 ? [] : await violations(page);
    for (const one of wrong) found.push(`${name} ${colorScheme} ${width}: ${one}`);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  return found;
};

/** Ada, by the console's link. */
export const becomeOwner = async (page: Page, link: string): Promise<void> => {
  await page.goto(link);
  await page.getByLabel("E-mail").fill("ada@example.com");
  await page.getByLabel("Name").fill("Ada Lovelace");
  await page.getByRole("button", { name: "Make my account" }).click();
  await page.getByRole("heading", { name: "Second factors" }).waitFor();
};

export interface Authenticator {
  readonly session: CDPSession;
  readonly id: string;
  credentials(): Promise<{ credentialId: string; signCount: number }[]>;
}

/** A device that holds passkeys, verifies its user, and says yes to everything. */
export const addAuthenticator = async (page: Page): Promise<Authenticator> => {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  const { authenticatorId: id } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    session,
    id,
    credentials: async () =>
      (await session.send("WebAuthn.getCredentials", { authenticatorId: id })).credentials as {
        credentialId: string;
        signCount: number;
      }[],
  };
};
