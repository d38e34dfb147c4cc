/** People in a real api over a real Postgres and a real SMTP server: links, sessions, second factors, limits, trails. */
import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type MailSink, startMailSink } from "@astralog/local";
import type { AuditAction } from "@astralog/schemas";
import { connectPostgres } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { createTransport } from "nodemailer";
import { until } from "../api.driver.ts";
import type { Db } from "../postgres.ts";
import { createEnvelope } from "../secrets/envelope.ts";
import { makeFirstOwnerLink } from "./links.ts";
import { codeOf, linkFor, signInByMail, type Visitor, visitor } from "./people.driver.ts";
import { ensurePerson, setDisabled } from "./people.ts";

let one: Platform;
let api: RunningService;
let sink: MailSink;
let db: Db;
let origin: string;
const owner = "ada@example.com";
const session = "__Host-astralog";

const visitors: Visitor[] = [];
const browser = (): Visitor => {
  const here = visitor(api.url, origin);
  visitors.push(here);
  return here;
};
const person = async (email: string): Promise<{ id: string }> =>
  db.transaction().execute(async (trx) => {
    const made = await ensurePerson(trx, email);
    await trx.insertInto("memberships").values({ tenant: one.tenant, person: made.id, role: "member" }).execute();
    return made;
  });
const signedIn = async (email: string): Promise<Visitor> => {
  const one = browser();
  expect((await signInByMail(one, sink, email)).status).toBe(200);
  return one;
};
/** Every row there is, as text. */
const dump = async (): Promise<string> => {
  const { rows } = await sql<{ name: string }>`select table_name as name from information_schema.tables
    where table_schema = 'public'`.execute(db);
  const tables = await Promise.all(
    rows.map(({ name }) => sql`select to_jsonb(t)::text as row from ${sql.table(name)} t`.execute(db)),
  );
  return JSON.stringify(tables.map((table) => table.rows));
};
const acts = (action: AuditAction, actor: string) =>
  db
    .selectFrom("audit_events")
    .selectAll()
    .where("action", "=", action)
    .where("actor_id", "=", actor)
    .orderBy("seq")
    .execute();

beforeAll(async () => {
  one = await platform(sharedStack());
  sink = await startMailSink({ smtp: 0, page: 0 });
  origin = new URL(one.env("api").PUBLIC_URL ?? "").origin;
  api = await one.start("api", { MAIL_URL: sink.smtp });
  db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
});

afterAll(async () => {
  await db?.destroy();
  await one?.stop();
  await sink?.close();
});

test("there is no account until the console's link makes the first owner, once", async () => {
  expect(await db.selectFrom("people").selectAll().execute()).toEqual([]);
  const [address, token = ""] = one.firstOwnerLink.split("#");
  expect(address).toBe(`${origin}/welcome`);
  const tries = await Promise.all(
    Array.from({ length: 10 }, (_, i) => {
      const here = browser();
      return here.post("/auth/first-owner", { token, email: i === 0 ? owner : `ada${i}@example.com` });
    }),
  );
  expect(tries.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 9 }, () => 403)]);
  expect(await db.selectFrom("people").selectAll().execute()).toHaveLength(1);
  const [made] = await db.selectFrom("memberships").innerJoin("people", "id", "person").selectAll().execute();
  expect(made).toMatchObject({ tenant: one.tenant, role: "owner" });
  await db
    .updateTable("people")
    .set({ email: owner })
    .where("id", "=", made?.id ?? "")
    .execute();
  // A link that was made meanwhile does not make a second one.
  const late = await db.transaction().execute((trx) => makeFirstOwnerLink(trx, one.tenant));
  const refused = await browser().post("/auth/first-owner", { token: late, email: "eve@example.com" });
  expect([refused.status, refused.body.code]).toEqual([403, "link_ended"]);
});

test("a mailed link survives what looks at it, works in the browser that asked, and once", async () => {
  const asker = browser();
  const asked = await asker.post("/auth/link", { email: " Ada@Example.com " }, { host: "evil.example.com" });
  expect([asked.status, asked.body]).toEqual([202, { minutes: 10 }]);
  const token = await linkFor(sink, owner);
  // The link leads to where we are, not to where a header says.
  expect(sink.mails()[0]?.text).toContain(`${origin}/sign-in/link#${token}`);
  for (let i = 0; i < 2; i++) expect((await fetch(`${api.url}/sign-in/link`)).status).toBe(200);
  for (let i = 0; i < 2; i++) expect((await asker.get("/auth/link/confirm")).status).toBe(404);
  const elsewhere = await browser().post("/auth/link/confirm", { token });
  expect([elsewhere.status, elsewhere.body.code]).toEqual([403, "link_elsewhere"]);
  const count = async () => (await db.selectFrom("sessions").select("id").execute()).length;
  const before = await count();
  const tries = await Promise.all(Array.from({ length: 50 }, () => asker.post("/auth/link/confirm", { token })));
  expect(tries.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(await count()).toBe(before + 1);
  expect((await asker.post("/auth/link/confirm", { token })).body.code).toBe("link_ended");
});

test("nobody learns who has an account: one answer, one time, and no mail to strangers", async () => {
  await person("known@example.com");
  const times = { known: [] as number[], unknown: [] as number[] };
  const bodies = new Set<string>();
  for (let i = 0; i < 12; i++)
    for (const who of ["known", "unknown"] as const) {
      const here = browser();
      const begun = performance.now();
      // The limit of an account is another matter.
      const email = who === "known" ? "known@example.com" : `nobody${i}@example.com`;
      const { status, body } = await here.post("/auth/link", { email });
      times[who].push(performance.now() - begun);
      if (status === 202) bodies.add(JSON.stringify(body));
      await db.deleteFrom("mail_outbox").execute();
    }
  expect([...bodies]).toEqual(['{"minutes":10}']);
  const median = (list: number[]) => list.slice(0, 5).sort((a, b) => a - b)[2] ?? 0;
  console.log(
    `a link for somebody known ${median(times.known).toFixed(1)} ms, unknown ${median(times.unknown).toFixed(1)} ms`,
  );
  expect(sink.mails().filter(({ to }) => to.some((name) => name.startsWith("nobody")))).toEqual([]);
});

test("a session: its cookie, a new token at sign-in, no token in Postgres, and nobody else's", async () => {
  const here = browser();
  const planted = randomBytes(32).toString("base64url");
  here.cookies.set(session, planted);
  await signInByMail(here, sink, owner);
  const token = here.cookies.get(session) ?? "";
  expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(token).not.toBe(planted);
  const line = here.told.find((text) => text.startsWith(`${session}=`)) ?? "";
  for (const part of ["Path=/", "HttpOnly", "Secure", "SameSite=Lax"]) expect(line).toContain(part);
  expect(line).not.toContain("Domain");
  // Signing in again ends what was there.
  await signInByMail(here, sink, owner);
  const old = browser();
  old.cookies.set(session, token);
  expect((await old.get("/me")).status).toBe(401);
  const me = (await here.get("/me")).body;
  expect(me).toMatchObject({ email: owner, organizations: [{ id: one.tenant, role: "owner" }] });
  const text = await dump();
  for (const secret of [
    here.cookies.get(session),
    here.cookies.get("__Host-astralog-asking"),
    await linkFor(sink, owner),
  ])
    expect(text).not.toContain(secret);
});

test("what a cookie carries is done for our own pages only", async () => {
  const here = await signedIn(owner);
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
  const { id } = await person("bob@example.com");
  const [a, b, c, d] = [
    await signedIn("bob@example.com"),
    await signedIn("bob@example.com"),
    await signedIn("bob@example.com"),
    await signedIn("bob@example.com"),
  ];
  const list = (await a.get("/me/sessions")).body.sessions;
  expect(list).toHaveLength(4);
  expect(JSON.stringify(list)).not.toContain("hash");
  const mine = (await b.get("/me/sessions")).body.sessions.find((row: { current: boolean }) => row.current);
  expect((await a.send("DELETE", `/me/sessions/${mine.id}`)).status).toBe(204);
  expect((await b.get("/me")).status).toBe(401);
  // Nobody else's.
  const stranger = await signedIn(owner);
  const [first] = list;
  expect((await stranger.send("DELETE", `/me/sessions/${first.id}`)).status).toBe(404);
  expect((await a.post("/me/sessions/end-others")).body).toEqual({ ended: 2 });
  expect([(await c.get("/me")).status, (await d.get("/me")).status, (await a.get("/me")).status]).toEqual([
    401, 401, 200,
  ]);
  const set = (fields: object) => db.updateTable("sessions").set(fields).where("person", "=", id).execute();
  await set({ seen_at: new Date(Date.now() - 721 * 60_000) });
  expect((await a.get("/me")).status).toBe(401);
  await set({ seen_at: new Date(), expires_at: new Date(Date.now() - 1) });
  expect((await a.get("/me")).status).toBe(401);
  await set({ expires_at: new Date(Date.now() + 60_000) });
  expect((await a.get("/me")).status).toBe(200);
  await db.transaction().execute((trx) => setDisabled(trx, id, true));
  expect((await a.get("/me")).status).toBe(401);
  expect(await db.selectFrom("sessions").selectAll().where("person", "=", id).execute()).toEqual([]);
  expect(await acts("session.ended", id)).toHaveLength(2);
});

test("an authenticator app: asked for at sign-in, each code once, also in a race; recovery codes likewise", async () => {
  const email = "carol@example.com";
  const { id } = await person(email);
  const here = await signedIn(email);
  // The codes below are those of one step.
  await sleep(Math.max(0, (Date.now() % 30_000) - 24_000) > 0 ? 30_000 - (Date.now() % 30_000) : 0);
  const { secret, uri } = (await here.post("/me/totp")).body;
  expect(uri).toContain("otpauth://totp/Astralog:carol");
  expect((await here.post("/me/totp/confirm", { code: "000000" })).body.code).toBe("code_refused");
  const other = await signedIn(email);
  const before = here.cookies.get(session);
  const added = await here.post("/me/totp/confirm", { code: codeOf(secret, -1), end_other_sessions: true });
  expect(added.body.recovery_codes).toHaveLength(10);
  expect(here.cookies.get(session)).not.toBe(before);
  expect((await other.get("/me")).status).toBe(401);

  const next = browser();
  expect((await signInByMail(next, sink, email)).body.second_factor_needed).toBe(true);
  expect((await next.get("/auth/session")).body).toEqual({
    state: "second-factor",
    factors: ["totp", "recovery-code"],
  });
  for (const path of ["/me", "/me/sessions", "/sources"]) expect((await next.get(path)).body.code).toBe("mfa_required");
  const half = next.cookies.get(session);
  // The code that confirmed the app is used up, and so is every one before it.
  expect((await next.post("/auth/mfa/totp", { code: codeOf(secret, -1) })).body.code).toBe("code_refused");
  const code = codeOf(secret);
  const race = await Promise.all(Array.from({ length: 5 }, () => next.post("/auth/mfa/totp", { code })));
  expect(race.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(next.cookies.get(session)).not.toBe(half);
  expect((await next.get("/me")).status).toBe(200);

  const recovery = added.body.recovery_codes[0] as string;
  const lost = browser();
  await signInByMail(lost, sink, email);
  const tries = await Promise.all(
    [recovery.toUpperCase(), recovery.replaceAll("-", " ")].map((text) =>
      lost.post("/auth/mfa/recovery", { code: text }),
    ),
  );
  expect(tries.map(({ status }) => status).sort()).toEqual([200, 403]);
  expect((await lost.get("/me")).body.factors).toMatchObject({ recovery_codes: 9, passkeys: [] });

  const text = await dump();
  for (const plain of [secret, recovery, recovery.replaceAll("-", ""), code]) expect(text).not.toContain(`"${plain}`);
  expect(text).not.toContain(secret);
  expect(await acts("factor.added", id)).toHaveLength(1);
  expect((await acts("sign_in.second_factor", id)).map((row) => JSON.parse(row.details).factor)).toEqual([
    "totp",
    "recovery code",
  ]);
  await until("the refused codes", async () => (await acts("sign_in.failed", id)).length > 0 || undefined);

  // Removing it needs a second factor of a moment ago.
  await db
    .updateTable("sessions")
    .set({ mfa_at: new Date(Date.now() - 11 * 60_000) })
    .where("person", "=", id)
    .execute();
  expect((await lost.send("DELETE", "/me/totp")).body.code).toBe("step_up_required");
  expect((await lost.post("/me/email", { email: "x@example.com" })).body.code).toBe("step_up_required");
  expect((await lost.post("/auth/mfa/recovery", { code: added.body.recovery_codes[1] })).status).toBe(200);
  expect((await lost.send("DELETE", "/me/totp?end_other_sessions=true")).status).toBe(204);
  expect((await next.get("/me")).status).toBe(401);
  expect((await lost.get("/me")).body.factors).toEqual({ totp: null, recovery_codes: 0, passkeys: [] });
});

test("a new address is taken with a link to it, and the old one is told", async () => {
  const { id } = await person("dan@example.com");
  const here = await signedIn("dan@example.com");
  expect((await here.post("/me/email", { email: "DAN@new.example.com" })).status).toBe(202);
  const token = await linkFor(sink, "dan@new.example.com");
  const stranger = await signedIn(owner);
  expect((await stranger.post("/auth/email/confirm", { token })).body.code).toBe("link_elsewhere");
  expect((await here.post("/auth/link/confirm", { token })).body.code).toBe("link_ended");
  expect((await here.post("/auth/email/confirm", { token })).body).toEqual({ email: "dan@new.example.com" });
  await until(
    "the old address is told",
    () => sink.mails().some(({ to, text }) => to.includes("dan@example.com") && text.includes("dan@new")) || undefined,
  );
  expect(await acts("person.email_changed", id)).toHaveLength(1);
});

test("an organization that asks for a second factor lets nobody without one do anything else", async () => {
  const { id } = await person("erin@example.com");
  const here = await signedIn("erin@example.com");
  expect((await here.get("/sources")).status).toBe(200);
  await db.updateTable("tenants").set({ require_mfa: true }).where("id", "=", one.tenant).execute();
  expect((await here.get("/sources")).body.code).toBe("mfa_enrolment_required");
  expect((await here.get("/me")).body.organizations[0].require_mfa).toBe(true);
  const { secret } = (await here.post("/me/totp")).body;
  expect((await here.post("/me/totp/confirm", { code: codeOf(secret) })).status).toBe(200);
  expect((await here.get("/sources")).status).toBe(200);
  await db.updateTable("tenants").set({ require_mfa: false }).where("id", "=", one.tenant).execute();
  expect((await here.send("PUT", "/organization/mfa", { required: true })).body.code).toBe("forbidden");
  expect(id).toMatch(/^usr_/);
});

test("too many tries are slowed down, and keep nobody out who was here before", async () => {
  await person("frank@example.com");
  const known = await signedIn("frank@example.com");
  const codes: number[] = [];
  for (let i = 0; i < 6; i++) codes.push((await browser().post("/auth/link", { email: "frank@example.com" })).status);
  expect(codes).toEqual([202, 202, 202, 202, 429, 429]);
  const held = await browser().post("/auth/link", { email: "frank@example.com" });
  expect(Number(held.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await known.post("/auth/link", { email: "frank@example.com" })).status).toBe(202);
});

test("a mail server that is down loses nothing and holds up nobody", async () => {
  await person("grace@example.com");
  const port = Number(new URL(sink.smtp).port);
  await sink.close();
  const here = browser();
  const begun = performance.now();
  expect((await here.post("/auth/link", { email: "grace@example.com" })).status).toBe(202);
  expect(performance.now() - begun).toBeLessThan(2_000);
  await until(
    "a try that failed",
    async () =>
      (await db.selectFrom("mail_outbox").select("attempts").execute()).some(({ attempts }) => attempts > 0) ||
      undefined,
  );
  expect(await dump()).not.toContain("grace@example.com/");
  sink = await startMailSink({ smtp: port, page: 0 });
  const token = await linkFor(sink, "grace@example.com");
  expect((await here.post("/auth/link/confirm", { token })).status).toBe(200);
  await until(
    "an empty outbox",
    async () => (await db.selectFrom("mail_outbox").select("id").execute()).length === 0 || undefined,
  );
});

test("the page of the local mail shows what a mail says as text, and to this machine alone", async () => {
  const hostile = "<img src=x onerror=alert(1)>";
  await createTransport(sink.smtp).sendMail({
    ...{ from: "a@example.com", to: "heidi@example.com", subject: hostile },
    text: `${hostile} https://example.com/?a=1&b=2#c "quoted"`,
  });
  const [kept] = sink.mails();
  for (const path of ["/", `/mails/${kept?.id}`]) {
    const response = await fetch(sink.page + path);
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    const text = await response.text();
    expect(text).toContain("&lt;img src=x");
    expect(text).not.toContain("<img");
  }
  expect(await (await fetch(`${sink.page}/mails/${kept?.id}`)).text()).toContain(
    '<a href="https://example.com/?a=1&amp;b=2#c">',
  );
  // A name elsewhere that leads here, as DNS rebinding has it.
  const status = await new Promise((resolve) =>
    request(sink.page, { headers: { host: "evil.example.com" } }, ({ statusCode }) => resolve(statusCode)).end(),
  );
  expect(status).toBe(403);
});

test("what is sealed opens for its owner and column only, through a change of keys, until it is shredded", async () => {
  const [old, now] = [randomBytes(32), randomBytes(32)] as const;
  const before = createEnvelope([old]);
  const place = { owner: "usr_seal", column: "a" };
  const [sealed, again] = [await before.seal(db, place, "secret"), await before.seal(db, place, "secret")];
  expect(sealed).not.toBe(again);
  await before.renew(db, place.owner);
  const renewed = await before.seal(db, place, "newer");
  expect(renewed.split(".")[1]).not.toBe(sealed.split(".")[1]);
  const refused = { code: "sealed_unreadable" };
  await before.seal(db, { owner: "usr_other", column: "a" }, "other");
  await expect(before.open(db, { owner: "usr_other", column: "a" }, sealed)).rejects.toMatchObject(refused);
  await expect(before.open(db, { ...place, column: "b" }, sealed)).rejects.toMatchObject(refused);
  await expect(before.open(db, place, `${sealed.slice(0, -2)}AA`)).rejects.toMatchObject(refused);
  await expect(createEnvelope([now]).open(db, place, sealed)).rejects.toMatchObject(refused);
  const both = createEnvelope([now, old, Buffer.from(one.deployment.secretsKey, "base64")]);
  await both.rewrap(db);
  const after = createEnvelope([now]);
  expect([await after.open(db, place, sealed), await after.open(db, place, renewed)]).toEqual(["secret", "newer"]);
  await after.shred(db, place.owner);
  await expect(after.open(db, place, sealed)).rejects.toMatchObject(refused);
  // The api goes on with the key it has.
  await createEnvelope([Buffer.from(one.deployment.secretsKey, "base64"), now]).rewrap(db);
  const racing = await Promise.all(
    Array.from({ length: 8 }, (_, i) => after.seal(db, { owner: "usr_race", column: "a" }, `${i}`)),
  );
  expect(new Set(racing.map((text) => text.split(".")[1])).size).toBe(1);
});

test("sign-ins are told of in the organization's trail, and nothing that opens anything is", async () => {
  const rows = await db.selectFrom("audit_events").selectAll().where("tenant", "=", one.tenant).execute();
  for (const action of ["sign_in.ok", "sign_in.link_asked", "person.created"])
    expect(rows.map((row) => row.action)).toContain(action);
  const cookies = visitors.flatMap(({ told }) => told.map((line) => /=([^;]{20,})/.exec(line)?.[1] ?? "no secret"));
  expect(cookies.length).toBeGreaterThan(50);
  const kept = JSON.stringify(rows) + api.output();
  expect(cookies.filter((secret) => kept.includes(secret))).toEqual([]);
  expect(kept).not.toMatch(/#[A-Za-z0-9_-]{43}/);
});
