/** GitHub and Google in a real api: whom they let in, whose accounts they join, and whose exchanges are answered. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { linkFor, signInByMail } from "../people/people.driver.ts";
import { ensurePerson } from "../people/people.ts";
import { whoIs as me, type SsoPlatform, startSsoPlatform } from "./sso-platform.driver.ts";

let all: SsoPlatform;
beforeAll(async () => {
  all = await startSsoPlatform();
});
afterAll(() => all?.stop());
const browser: SsoPlatform["browser"] = (from) => all.browser(from);

test("GitHub: a verified primary address of somebody invited comes in; others do not", async () => {
  const { owner, github } = all;
  const at = "/api/v1/auth/with/github?return_to=/explore";
  github.account = { id: 1, emails: [{ email: "octo@hub.example", primary: true, verified: false }] };
  expect(await browser().walk(at)).toBe("/sign-in?problem=sign_in_refused");
  github.account = { id: 1, emails: [{ email: "octo@hub.example", primary: true, verified: true }] };
  expect(await browser().walk(at)).toBe("/sign-in?problem=sign_in_refused");
  expect((await owner.post("/invitations", { email: "octo@hub.example", role: "member" })).status).toBe(201);
  const here = browser();
  expect(await here.walk(at)).toBe("/explore");
  expect(await me(here)).toMatchObject({ email: "octo@hub.example" });
  expect(github.verifiers.at(-1)).toMatch(/^[\w-]{43}$/);
  // The same account again, whatever its address is by now.
  github.account = { id: 1, emails: [{ email: "other@hub.example", primary: true, verified: true }] };
  const again = browser();
  await again.walk(at);
  expect((await me(again)).id).toBe((await me(here)).id);
});

test("an exchange belongs to the browser that began it, and is answered once", async () => {
  const [mine, other] = [browser(), browser()];
  const callback = await mine.walk("/api/v1/auth/with/github", (url) => url.pathname.endsWith("/callback"));
  expect((await other.ask(callback)).location).toBe("/sign-in?problem=sign_in_ended");
  // It is used up by that.
  expect((await mine.ask(callback)).location).toBe("/sign-in?problem=sign_in_ended");
  const second = await mine.walk("/api/v1/auth/with/github", (url) => url.pathname.endsWith("/callback"));
  expect((await mine.ask(second)).location).toBe("/");
  expect((await mine.ask(second)).location).toBe("/sign-in?problem=sign_in_ended");
  const forged = new URL(second);
  forged.searchParams.set("state", "x".repeat(43));
  expect((await mine.ask(forged.href)).location).toBe("/sign-in?problem=sign_in_ended");
  // GitHub's answer is none for Google's callback.
  const third = await mine.walk("/api/v1/auth/with/github", (url) => url.pathname.endsWith("/callback"));
  expect((await mine.ask(third.replace("/github/", "/google/"))).location).toBe("/sign-in?problem=sign_in_ended");
  expect(await browser().walk("/api/v1/auth/with/github?return_to=//evil.example")).toBe("/");
});

test("the address of an account that there is: asked for by mail, never merged; unverified never", async () => {
  const { google, sink } = all;
  google.account = "g-1";
  google.accounts.set("g-1", { email: "octo@hub.example", email_verified: false });
  const at = "/api/v1/auth/with/google";
  expect(await browser().walk(at)).toBe("/sign-in?problem=sign_in_refused");
  google.accounts.set("g-1", { email: "octo@hub.example", email_verified: true });
  const here = browser();
  expect(await here.walk(at)).toBe("/sign-in?confirm=identity");
  expect((await here.visitor.get("/me")).status).toBe(401);
  // The first one was the invitation.
  const token = await linkFor(sink, "octo@hub.example", 1);
  expect((await browser().visitor.post("/auth/identity/confirm", { token })).body.code).toBe("link_elsewhere");
  const confirmed = await here.visitor.post("/auth/identity/confirm", { token });
  expect([confirmed.status, confirmed.body.return_to]).toEqual([200, "/"]);
  expect((await here.visitor.post("/auth/identity/confirm", { token })).body.code).toBe("link_ended");
  const { identities } = (await here.visitor.get("/me/identities")).body;
  expect(identities).toHaveLength(2);
  const next = browser();
  expect(await next.walk(at)).toBe("/");
  expect((await me(next)).email).toBe("octo@hub.example");
});

test("who is signed in links an account elsewhere to himself, and not one that is another's", async () => {
  const { google, sink, db } = all;
  await db.transaction().execute((trx) => ensurePerson(trx, "lin@hub.example"));
  const here = browser();
  await signInByMail(here.visitor, sink, "lin@hub.example");
  const begin = async () => (await here.visitor.post("/me/identities/google")).body.redirect as string;
  expect(await here.walk(await begin())).toBe("/sign-in?problem=sign_in_refused");
  google.account = "g-2";
  google.accounts.set("g-2", { email: "private@mail.example", email_verified: true });
  const fresh = browser(here.visitor);
  expect(await fresh.walk(await begin())).toBe("/account");
  const alone = browser();
  expect(await alone.walk("/api/v1/auth/with/google")).toBe("/");
  expect((await me(alone)).email).toBe("lin@hub.example");
  const { identities } = (await alone.visitor.get("/me/identities")).body;
  expect((await alone.visitor.send("DELETE", `/me/identities/${identities[0].id}`)).status).toBe(204);
  expect(await browser().walk("/api/v1/auth/with/google")).toBe("/sign-in?problem=sign_in_refused");
});
