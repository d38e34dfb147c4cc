/** Second factors, addresses, mail and what is sealed, in a real api over a real Postgres and a real SMTP server. */
import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { createConfiguredKeys, createMailTransport } from "@astralog/chassis";
import { startMailSink } from "@astralog/local";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { until } from "../api.driver.ts";
import { createEnvelope } from "../secrets/envelope.ts";
import { rotateDataKeys, sealedColumns } from "../secrets/rotation.ts";
import { codeOf, linkFor, signInByMail, startWorld, type World } from "./people.driver.ts";

let world: World;

/** Every text column of the database that holds a sealed value now. */
const columnsWithSealed = async (db: World["db"]): Promise<string[]> => {
  const { rows } = await sql<{ table: string; column: string }>`
    select table_name as table, column_name as column from information_schema.columns
    where table_schema = 'public' and data_type = 'text'`.execute(db);
  const found: string[] = [];
  for (const { table, column } of rows) {
    const sealed =
      await sql`select 1 from ${sql.table(table)} where ${sql.ref(column)} like 'v1.dk\\_%' limit 1`.execute(db);
    if (sealed.rows.length > 0) found.push(`${table}.${column}`);
  }
  return found;
};
const session = "__Host-astralog";

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world?.stop());

test("an authenticator app: asked for at sign-in, each code once, also in a race; recovery codes likewise", async () => {
  const email = "carol@example.com";
  const { id } = await world.person(email);
  const here = await world.signedIn(email);
  // The codes below are those of one step.
  await sleep(Math.max(0, (Date.now() % 30_000) - 24_000) > 0 ? 30_000 - (Date.now() % 30_000) : 0);
  const { secret, uri } = (await here.post("/me/totp")).body;
  expect(uri).toContain("otpauth://totp/Astralog:carol");
  expect((await here.post("/me/totp/confirm", { code: "000000" })).body.code).toBe("code_refused");
  const other = await world.signedIn(email);
  const before = here.cookies.get(session);
  const added = await here.post("/me/totp/confirm", { code: codeOf(secret, -1), end_other_sessions: true });
  expect(added.body.recovery_codes).toHaveLength(10);
  expect(here.cookies.get(session)).not.toBe(before);
  expect((await other.get("/me")).status).toBe(401);

  const next = world.browser();
  expect((await signInByMail(next, world.sink, email)).body.second_factor_needed).toBe(true);
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
  const lost = world.browser();
  await signInByMail(lost, world.sink, email);
  const tries = await Promise.all(
    [recovery.toUpperCase(), recovery.replaceAll("-", " ")].map((text) =>
      lost.post("/auth/mfa/recovery", { code: text }),
    ),
  );
  expect(tries.map(({ status }) => status).sort()).toEqual([200, 403]);
  expect((await lost.get("/me")).body.factors).toMatchObject({ recovery_codes: 9, passkeys: [] });

  const text = await world.dump();
  for (const plain of [secret, recovery, recovery.replaceAll("-", ""), code]) expect(text).not.toContain(`"${plain}`);
  expect(text).not.toContain(secret);
  expect(await world.acts("factor.added", id)).toHaveLength(1);
  expect(await world.acts("recovery_codes.used", id)).toHaveLength(1);
  expect((await world.acts("sign_in.second_factor", id)).map((row) => JSON.parse(row.details).factor)).toEqual([
    "totp",
    "recovery code",
  ]);
  await until("the refused codes", async () => (await world.acts("sign_in.failed", id)).length > 0 || undefined);

  // Removing it needs a second factor of a moment ago.
  await world.db
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

test("whoever guesses codes is slowed down, and nobody else is", async () => {
  const email = "ivan@example.com";
  await world.person(email);
  const here = await world.signedIn(email);
  const { secret } = (await here.post("/me/totp")).body;
  expect((await here.post("/me/totp/confirm", { code: codeOf(secret, -1) })).status).toBe(200);
  // Has read the mail, and has not the app.
  const thief = world.browser();
  await signInByMail(thief, world.sink, email);
  const codes: number[] = [];
  for (let i = 0; i < 10; i++) {
    const path = i % 2 === 0 ? "/auth/mfa/totp" : "/auth/mfa/recovery";
    codes.push((await thief.post(path, { code: i % 2 === 0 ? "000000" : "wrong-wrong" })).status);
  }
  expect(codes).toEqual([403, 403, 403, 403, 403, 403, 403, 403, 429, 429]);
  expect((await here.post("/auth/mfa/totp", { code: codeOf(secret, 1) })).status).toBe(200);
});

test("a new address is taken with a link to it, and the old one is told", async () => {
  const { id } = await world.person("dan@example.com");
  await world.person("dora@example.com");
  const here = await world.signedIn("dan@example.com");
  expect((await here.post("/me/email", { email: "DAN@new.example.com" })).status).toBe(202);
  const token = await linkFor(world.sink, "dan@new.example.com");
  const stranger = await world.signedIn("dora@example.com");
  expect((await stranger.post("/auth/email/confirm", { token })).body.code).toBe("link_elsewhere");
  expect((await here.post("/auth/link/confirm", { token })).body.code).toBe("link_ended");
  expect((await here.post("/auth/email/confirm", { token })).body).toEqual({ email: "dan@new.example.com" });
  await until(
    "the old address is told",
    () =>
      world.sink.mails().some(({ to, text }) => to.includes("dan@example.com") && text.includes("dan@new")) ||
      undefined,
  );
  expect(await world.acts("person.email_changed", id)).toHaveLength(1);
});

test("an organization that asks for a second factor lets nobody without one do anything else", async () => {
  const { id } = await world.person("erin@example.com");
  const here = await world.signedIn("erin@example.com");
  expect((await here.get("/sources")).status).toBe(200);
  await world.db.updateTable("tenants").set({ require_mfa: true }).where("id", "=", world.one.tenant).execute();
  expect((await here.get("/sources")).body.code).toBe("mfa_enrolment_required");
  expect((await here.get("/me")).body.organizations[0].require_mfa).toBe(true);
  const { secret } = (await here.post("/me/totp")).body;
  expect((await here.post("/me/totp/confirm", { code: codeOf(secret) })).status).toBe(200);
  expect((await here.get("/sources")).status).toBe(200);
  await world.db.updateTable("tenants").set({ require_mfa: false }).where("id", "=", world.one.tenant).execute();
  expect((await here.send("PUT", "/organization/mfa", { required: true })).body.code).toBe("forbidden");
  expect(id).toMatch(/^usr_/);
});

test("a mail server that is down loses nothing and holds up nobody", async () => {
  await world.person("grace@example.com");
  const port = Number(new URL(world.sink.smtp).port);
  await world.sink.close();
  const here = world.browser();
  const begun = performance.now();
  expect((await here.post("/auth/link", { email: "grace@example.com" })).status).toBe(202);
  expect(performance.now() - begun).toBeLessThan(2_000);
  await until(
    "a try that failed",
    async () =>
      (await world.db.selectFrom("mail_outbox").select("attempts").execute()).some(({ attempts }) => attempts > 0) ||
      undefined,
  );
  expect(await world.dump()).not.toContain("grace@example.com/");
  world.sink = await startMailSink({ smtp: port, page: 0 });
  const token = await linkFor(world.sink, "grace@example.com");
  expect((await here.post("/auth/link/confirm", { token })).status).toBe(200);
  await until(
    "an empty outbox",
    async () => (await world.db.selectFrom("mail_outbox").select("id").execute()).length === 0 || undefined,
  );
});

test("the page of the local mail shows what a mail says as text, and to this machine alone", async () => {
  const hostile = "<img src=x onerror=alert(1)>";
  const text = `${hostile} https://example.com/?a=1&b=2#c "quoted"`;
  const transport = createMailTransport(world.sink.smtp, "a@example.com");
  await transport?.send({ to: "heidi@example.com", subject: hostile, text, html: "" });
  transport?.close();
  const [kept] = world.sink.mails();
  for (const path of ["/", `/mails/${kept?.id}`]) {
    const response = await fetch(world.sink.page + path);
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    const page = await response.text();
    expect(page).toContain("&lt;img src=x");
    expect(page).not.toContain("<img");
  }
  expect(await (await fetch(`${world.sink.page}/mails/${kept?.id}`)).text()).toContain(
    '<a href="https://example.com/?a=1&amp;b=2#c">',
  );
  // A name elsewhere that leads here, as DNS rebinding has it.
  const status = await new Promise((resolve) =>
    request(world.sink.page, { headers: { host: "evil.example.com" } }, ({ statusCode }) => resolve(statusCode)).end(),
  );
  expect(status).toBe(403);
});

test("what is sealed opens for its owner and column only, through a change of keys, until it is shredded", async () => {
  const [old, now] = [randomBytes(32), randomBytes(32)] as const;
  const before = createEnvelope(createConfiguredKeys([old]));
  const place = { owner: "usr_seal", column: "a" };
  const [sealed, again] = [await before.seal(world.db, place, "secret"), await before.seal(world.db, place, "secret")];
  expect(sealed).not.toBe(again);
  await before.renew(world.db, place.owner);
  const renewed = await before.seal(world.db, place, "newer");
  expect(renewed.split(".")[1]).not.toBe(sealed.split(".")[1]);
  const refused = { code: "sealed_unreadable" };
  await before.seal(world.db, { owner: "usr_other", column: "a" }, "other");
  await expect(before.open(world.db, { owner: "usr_other", column: "a" }, sealed)).rejects.toMatchObject(refused);
  await expect(before.open(world.db, { ...place, column: "b" }, sealed)).rejects.toMatchObject(refused);
  await expect(before.open(world.db, place, `${sealed.slice(0, -2)}AA`)).rejects.toMatchObject(refused);
  await expect(createEnvelope(createConfiguredKeys([now])).open(world.db, place, sealed)).rejects.toMatchObject(
    refused,
  );
  const both = createEnvelope(createConfiguredKeys([now, old, Buffer.from(world.one.deployment.secretsKey, "base64")]));
  await both.rewrap(world.db);
  const after = createEnvelope(createConfiguredKeys([now]));
  expect([await after.open(world.db, place, sealed), await after.open(world.db, place, renewed)]).toEqual([
    "secret",
    "newer",
  ]);
  // Another's row, moved whole: its key is another, and so is what the value is bound to.
  const owner = await world.person("sealed@example.com");
  const column = "totp_factors.secret";
  const totp = await after.seal(world.db, { owner: owner.id, column }, "JBSWY3DPEHPK3PXP");
  await world.db.insertInto("totp_factors").values({ person: owner.id, secret: totp, confirmed_at: null }).execute();
  expect(await rotateDataKeys(world.db, after, owner.id)).toEqual({ owners: 1, values: 1 });
  const anew = await world.db
    .selectFrom("totp_factors")
    .selectAll()
    .where("person", "=", owner.id)
    .executeTakeFirstOrThrow();
  expect(anew.secret.split(".")[1]).not.toBe(totp.split(".")[1]);
  expect(await after.open(world.db, { owner: owner.id, column }, anew.secret)).toBe("JBSWY3DPEHPK3PXP");
  await world.db.deleteFrom("totp_factors").where("person", "=", owner.id).execute();
  const listed = new Set(sealedColumns.map((one) => `${one.table}.${one.column}`));
  for (const name of await columnsWithSealed(world.db)) expect(listed).toContain(name);
  await after.shred(world.db, place.owner);
  await expect(after.open(world.db, place, sealed)).rejects.toMatchObject(refused);
  // The api goes on with the key it has.
  await createEnvelope(createConfiguredKeys([Buffer.from(world.one.deployment.secretsKey, "base64"), now])).rewrap(
    world.db,
  );
  const racing = await Promise.all(
    Array.from({ length: 8 }, (_, i) => after.seal(world.db, { owner: "usr_race", column: "a" }, `${i}`)),
  );
  expect(new Set(racing.map((text) => text.split(".")[1])).size).toBe(1);
});
