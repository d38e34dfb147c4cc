/** Coming in, sessions and limits, in a real api over a real Postgres and a real SMTP server. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { byTest } from "../api.driver.ts";
import { ensureTenant } from "../control/tenants.ts";
import { setDisabled } from "./disabling.ts";
import { makeFirstOwnerLink } from "./links.ts";
import { linkFor, linksTo, signInByMail, startWorld, visitor, type World } from "./people.driver.ts";

let world: World;
const owner = "ada@example.com";
const session = "__Host-astralog";

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world?.stop());

test("there is no account until the console's link makes the first owner, once", async () => {
  expect(await world.db.selectFrom("people").selectAll().execute()).toEqual([]);
  const [address, token = ""] = world.one.firstOwnerLink.split("#");
  expect(address).toBe(`${world.origin}/welcome`);
  const tries = await Promise.all(
    Array.from({ length: 10 }, (_, i) => {
      const here = world.browser();
      return here.post("/auth/first-owner", { token, email: i === 0 ? owner : `ada${i}@example.com` });
    }),
  );
  expect(tries.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 9 }, () => 403)]);
  expect(await world.db.selectFrom("people").selectAll().execute()).toHaveLength(1);
  const [made] = await world.db.selectFrom("memberships").innerJoin("people", "id", "person").selectAll().execute();
  expect(made).toMatchObject({ tenant: world.one.tenant, role: "owner" });
  await world.db
    .updateTable("people")
    .set({ email: owner })
    .where("id", "=", made?.id ?? "")
    .execute();
  // A link that was made meanwhile does not make a second world.one.
  const late = await world.db.transaction().execute((trx) => makeFirstOwnerLink(trx, world.one.tenant));
  const refused = await world.browser().post("/auth/first-owner", { token: late, email: "eve@example.com" });
  expect([refused.status, refused.body.code]).toEqual([403, "link_ended"]);
});

test("the console's link of another organization opens nobody's account but one's own", async () => {
  const by = byTest(world.one);
  const { id } = await ensureTenant(world.db, "another", by);
  const token = await world.db.transaction().execute((trx) => makeFirstOwnerLink(trx, id));
  const claim = { token, email: owner };
  expect((await world.browser().post("/auth/first-owner", claim)).body.code).toBe("email_taken");
  const here = await world.signedIn(owner);
  expect((await here.post("/auth/first-owner", claim)).status).toBe(200);
  expect((await here.get("/me")).body.organizations).toHaveLength(2);
  await world.db.deleteFrom("memberships").where("tenant", "=", id).execute();
});

test("a mailed link survives what looks at it, works in the browser that asked, and once", async () => {
  const asker = world.browser();
  const sent = linksTo(world.sink, owner).length;
  const asked = await asker.post("/auth/link", { email: " Ada@Example.com " }, { host: "evil.example.com" });
  expect([asked.status, asked.body]).toEqual([202, { minutes: 10 }]);
  const token = await linkFor(world.sink, owner, sent);
  // The link leads to where we are, not to where a header says.
  expect(world.sink.mails()[0]?.text).toContain(`${world.origin}/sign-in/link#${token}`);
  for (let i = 0; i < 2; i++) expect((await fetch(`${world.api.url}/sign-in/link`)).status).toBe(200);
  for (let i = 0; i < 2; i++) expect((await asker.get("/auth/link/confirm")).status).toBe(404);
  const elsewhere = await world.browser().post("/auth/link/confirm", { token });
  expect([elsewhere.status, elsewhere.body.code]).toEqual([403, "link_elsewhere"]);
  const count = async () => (await world.db.selectFrom("sessions").select("id").execute()).length;
  const before = await count();
  const tries = await Promise.all(Array.from({ length: 50 }, () => asker.post("/auth/link/confirm", { token })));
  expect(tries.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(await count()).toBe(before + 1);
  expect((await asker.post("/auth/link/confirm", { token })).body.code).toBe("link_ended");
});

test("nobody learns who has an account: one answer, one time, and no mail to strangers", async () => {
  await world.person("known@example.com");
  const times = { known: [] as number[], unknown: [] as number[] };
  const bodies = new Set<string>();
  for (let i = 0; i < 12; i++)
    for (const who of ["known", "unknown"] as const) {
      const here = world.browser();
      const begun = performance.now();
      // The limit of an account is another matter.
      const email = who === "known" ? "known@example.com" : `nobody${i}@example.com`;
      const { status, body } = await here.post("/auth/link", { email });
      times[who].push(performance.now() - begun);
      if (status === 202) bodies.add(JSON.stringify(body));
      await world.db.deleteFrom("mail_outbox").execute();
    }
  expect([...bodies]).toEqual(['{"minutes":10}']);
  const median = (list: number[]) => list.slice(0, 5).sort((a, b) => a - b)[2] ?? 0;
  console.log(
    `a link for somebody known ${median(times.known).toFixed(1)} ms, unknown ${median(times.unknown).toFixed(1)} ms`,
  );
  expect(world.sink.mails().filter(({ to }) => to.some((name) => name.startsWith("nobody")))).toEqual([]);
});

test("a session: its cookie, a new token at sign-in, no token in Postgres, and nobody else's", async () => {
  const here = world.browser();
  const planted = randomBytes(32).toString("base64url");
  here.cookies.set(session, planted);
  await signInByMail(here, world.sink, owner);
  const token = here.cookies.get(session) ?? "";
  expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(token).not.toBe(planted);
  const line = here.told.find((text) => text.startsWith(`${session}=`)) ?? "";
  for (const part of ["Path=/", "HttpOnly", "Secure", "SameSite=Lax"]) expect(line).toContain(part);
  expect(line).not.toContain("Domain");
  // Signing in again ends what was there.
  await signInByMail(here, world.sink, owner);
  const old = world.browser();
  old.cookies.set(session, token);
  expect((await old.get("/me")).status).toBe(401);
  const me = (await here.get("/me")).body;
  expect(me).toMatchObject({ email: owner, organizations: [{ id: world.one.tenant, role: "owner" }] });
  const text = await world.dump();
  for (const secret of [
    here.cookies.get(session),
    here.cookies.get("__Host-astralog-asking"),
    await linkFor(world.sink, owner),
  ])
    expect(text).not.toContain(secret);
});

test("what a cookie carries is done for our own pages only", async () => {
  const here = await world.signedIn(owner);
  const rename = (headers: Record<string, string>, body: unknown = { name: "Eve" }) =>
    here.send("PATCH", "/me", body, headers);
  const codes = await Promise.all([
    rename({ origin: "https://evil.example.com" }),
    rename({ origin: "null" }),
    rename({ origin: "" }),
    rename({ "sec-fetch-site": "cross-site" }),
    rename({ "sec-fetch-site": "same-site" }),
    rename({ origin: "https://evil.example.com", "content-type": "text/plain" }),
  ]);
  expect(codes.map(({ status, body }) => [status, body.code])).toEqual(codes.map(() => [403, "cross_site"]));
  // From our own page, too, JSON is not taken for what it does not call itself.
  expect((await rename({ "content-type": "text/plain" })).status).toBe(415);
  for (const path of ["/auth/link", "/auth/link/confirm", "/auth/sign-out", "/auth/first-owner"]) {
    const body = path === "/auth/link" ? { email: owner } : { token: "x".repeat(43), email: owner };
    const { body: said } = await here.post(path, path === "/auth/link/confirm" ? { token: "x".repeat(43) } : body, {
      origin: "https://evil.example.com",
    });
    expect([path, said.code]).toEqual([path, "cross_site"]);
  }
  expect((await here.get("/me")).body.name).not.toBe("Eve");
  expect((await rename({}, { name: "Ada" })).body.name).toBe("Ada");
});

test("sessions are listed and ended: one, the others, all, with the account, idle and old", async () => {
  const { id } = await world.person("bob@example.com");
  const [a, b, c, d] = [
    await world.signedIn("bob@example.com"),
    await world.signedIn("bob@example.com"),
    await world.signedIn("bob@example.com"),
    await world.signedIn("bob@example.com"),
  ];
  const list = (await a.get("/me/sessions")).body.sessions;
  expect(list).toHaveLength(4);
  expect(JSON.stringify(list)).not.toContain("hash");
  const mine = (await b.get("/me/sessions")).body.sessions.find((row: { current: boolean }) => row.current);
  expect((await a.send("DELETE", `/me/sessions/${mine.id}`)).status).toBe(204);
  expect((await b.get("/me")).status).toBe(401);
  // Nobody else's.
  const stranger = await world.signedIn(owner);
  const [first] = list;
  expect((await stranger.send("DELETE", `/me/sessions/${first.id}`)).status).toBe(404);
  expect((await a.post("/me/sessions/end-others")).body).toEqual({ ended: 2 });
  expect([(await c.get("/me")).status, (await d.get("/me")).status, (await a.get("/me")).status]).toEqual([
    401, 401, 200,
  ]);
  const set = (fields: object) => world.db.updateTable("sessions").set(fields).where("person", "=", id).execute();
  await set({ seen_at: new Date(Date.now() - 721 * 60_000) });
  expect((await a.get("/me")).status).toBe(401);
  await set({ seen_at: new Date(), expires_at: new Date(Date.now() - 1) });
  expect((await a.get("/me")).status).toBe(401);
  await set({ expires_at: new Date(Date.now() + 60_000) });
  expect((await a.get("/me")).status).toBe(200);
  expect(await world.acts("session.ended", id)).toHaveLength(2);
});

test("an account that the operator closes is out at once and gets no letter, until it is opened again", async () => {
  const email = "gail@example.com";
  const { id } = await world.person(email);
  const here = await world.signedIn(email);
  const setTo = (disabled: boolean) => setDisabled(world.db, "Gail@example.com", disabled, byTest(world.one));
  for (let i = 0; i < 2; i++) await setTo(true);
  expect((await here.get("/me")).status).toBe(401);
  expect(await world.db.selectFrom("sessions").selectAll().where("person", "=", id).execute()).toEqual([]);
  const mails = linksTo(world.sink, email).length;
  expect((await world.browser().post("/auth/link", { email })).status).toBe(202);
  await setTo(false);
  expect((await (await world.signedIn(email)).get("/me")).status).toBe(200);
  expect(linksTo(world.sink, email)).toHaveLength(mails + 1);
  const told = world.db.selectFrom("audit_events").select(["action", "actor_kind"]).where("target_id", "=", id);
  const rows = await told.where("action", "in", ["person.disabled", "person.enabled"]).orderBy("seq").execute();
  expect(rows).toEqual([
    { action: "person.disabled", actor_kind: "operator" },
    { action: "person.enabled", actor_kind: "operator" },
  ]);
  await expect(setDisabled(world.db, "none@example.com", true, byTest(world.one))).rejects.toThrow(/Nobody/);
});

test("a link leads to this installation, whatever host the request says it was sent to", async () => {
  const { id } = await world.person("ivy@example.com");
  const headers = {
    "x-forwarded-host": "evil.example",
    "x-forwarded-for": "203.0.113.9",
    forwarded: "host=evil.example",
  };
  const mails = world.sink.mails().length;
  await world.browser().post("/auth/link", { email: "ivy@example.com" }, headers);
  await linkFor(world.sink, "ivy@example.com");
  const [mail] = world.sink.mails().slice(0, world.sink.mails().length - mails);
  expect(mail?.text).toContain(`${world.origin}/sign-in`);
  expect(mail?.text).not.toContain("evil");
  // No proxy is trusted here, so the address is the connection's own.
  const rows = await world.db.selectFrom("audit_events").select("ip").where("target_id", "=", id).execute();
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.map(({ ip }) => ip)).not.toContain("203.0.113.9");
});

test("too many tries are slowed down, and keep nobody out who was here before", async () => {
  await world.person("frank@example.com");
  const known = await world.signedIn("frank@example.com");
  const codes: number[] = [];
  for (let i = 0; i < 6; i++)
    codes.push((await world.browser().post("/auth/link", { email: "frank@example.com" })).status);
  expect(codes).toEqual([202, 202, 202, 202, 429, 429]);
  const held = await world.browser().post("/auth/link", { email: "frank@example.com" });
  expect(Number(held.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await known.post("/auth/link", { email: "frank@example.com" })).status).toBe(202);
  // Another process of the api counts on from there.
  const second = await world.one.start("api", { MAIL_URL: world.sink.smtp, PUBLIC_URL: world.origin });
  const there = visitor(second.url, world.origin);
  expect((await there.post("/auth/link", { email: "frank@example.com" })).status).toBe(429);
  // Nobody's address stands in the table.
  const tries = await world.db.selectFrom("tries").selectAll().execute();
  expect(tries.length).toBeGreaterThan(0);
  expect(JSON.stringify(tries)).not.toContain("frank");
});

test("sign-ins are told of in the organization's trail, and nothing that opens anything is", async () => {
  const rows = await world.db.selectFrom("audit_events").selectAll().where("tenant", "=", world.one.tenant).execute();
  for (const action of ["sign_in.ok", "sign_in.link_asked", "person.created"])
    expect(rows.map((row) => row.action)).toContain(action);
  const cookies = world.visitors.flatMap(({ told }) =>
    told.map((line) => /=([^;]{20,})/.exec(line)?.[1] ?? "no secret"),
  );
  expect(cookies.length).toBeGreaterThan(50);
  const kept = JSON.stringify(rows) + world.api.output();
  expect(cookies.filter((secret) => kept.includes(secret))).toEqual([]);
  expect(kept).not.toMatch(/#[A-Za-z0-9_-]{43}/);
});
