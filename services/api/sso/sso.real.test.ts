/** An organization's own providers, in a real api: a real OpenID provider, real SAML answers, real DNS and real mail. */
import { createPrivateKey } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { byTest } from "../api.driver.ts";
import { signInByMail, visitor } from "../people/people.driver.ts";
import { ensurePerson } from "../people/people.ts";
import { setPlan } from "../plans/tenant-plans.ts";
import { samlKeys } from "./saml.driver.ts";
import { type LyingProvider, type OpenIdProvider, startOpenId } from "./sso.driver.ts";
import { whoIs as me, type SsoPlatform, startSsoPlatform } from "./sso-platform.driver.ts";

let all: SsoPlatform;
/** The organization's own. */
let idp: OpenIdProvider;
beforeAll(async () => {
  all = await startSsoPlatform();
});
afterAll(async () => {
  await all?.stop();
  idp?.close();
});
const browser: SsoPlatform["browser"] = (from) => all.browser(from);
const connect = async (body: Record<string, unknown>): Promise<{ id: string; ours: Record<string, string> }> => {
  const answer = await all.owner.post("/sso/connections", body);
  expect([answer.status, answer.body]).toEqual([201, expect.anything()]);
  return answer.body;
};
const acts = (action: string) =>
  all.db
    .selectFrom("audit_events")
    .selectAll()
    .where("action", "=", action)
    .where("tenant", "=", all.one.tenant)
    .execute();

test("a domain is the organization's once DNS says so, and nobody else's", async () => {
  const { one, api, owner, dns } = all;
  const claimed = await owner.post("/sso/domains", { domain: "Corp.Example" });
  expect([claimed.status, claimed.body.domain, claimed.body.verified_at]).toEqual([201, "corp.example", null]);
  const { id, record } = claimed.body as { id: string; record: { name: string; value: string } };
  expect((await owner.post(`/sso/domains/${id}/verify`)).body.code).toBe("domain_unproven");
  dns.texts.set(record.name, "astralog-domain-verification=guess");
  expect((await owner.post(`/sso/domains/${id}/verify`)).body.code).toBe("domain_unproven");
  dns.texts.set(record.name, record.value);
  expect((await owner.post(`/sso/domains/${id}/verify`)).body.verified_at).not.toBeNull();
  expect((await owner.post("/sso/domains", { domain: "corp.example" })).body.code).toBe("name_taken");
  for (const domain of ["localhost", "1.2.3.4", "a..b", "-a.example", "x"])
    expect([domain, (await owner.post("/sso/domains", { domain })).status]).toEqual([domain, 400]);
  // An admin key runs machinery; who may come in is decided by people.
  const byKey = await fetch(`${api.url}/api/v1/sso/domains`, {
    method: "POST",
    headers: { authorization: `Bearer ${one.adminKey}`, "content-type": "application/json" },
    body: JSON.stringify({ domain: "else.example" }),
  });
  expect(byKey.status).toBe(403);
});

test("an organization's OpenID provider lets its people in, as the least of members, in that organization only", async () => {
  const { one, owner, liar, db } = all;
  const draft = { kind: "oidc", name: "Corp", client_id: "astralog", client_secret: "the client's secret" };
  for (const issuer of ["https://10.0.0.1", "https://[::ffff:10.0.0.1]", "https://2130706433"])
    expect([issuer, (await owner.post("/sso/connections", { ...draft, issuer })).body.code]).toEqual([
      issuer,
      "address_refused",
    ]);
  const { id, ours } = await connect({ ...draft, issuer: liar.url });
  idp = await startOpenId(one.stack.tls, ours.redirect_uri ?? "");
  const changed = await owner.send("PATCH", `/sso/connections/${id}`, { issuer: idp.url });
  expect([changed.status, JSON.stringify(changed.body).includes("secret")]).toEqual([200, false]);
  expect((await owner.post(`/sso/connections/${id}/test`)).body.ok).toBe(true);
  expect((await owner.post("/sso/connections", { ...draft, name: "x", issuer: idp.url, role: "owner" })).status).toBe(
    400,
  );

  const at = (await browser().visitor.post("/auth/sso", { email: "bo@corp.example" })).body.redirect as string;
  expect(at).toBe(`/api/v1/auth/sso/${id}`);
  expect((await browser().visitor.post("/auth/sso", { email: "bo@else.example" })).status).toBe(404);
  idp.account = "bo";
  idp.accounts.set("bo", { email: "bo@corp.example", email_verified: true, name: "Bo" });
  // The plan has room for those who are here, and for no other.
  await setPlan(db, one.tenant, { overrides: { seats: 1 } }, byTest(one));
  expect(await browser().walk(at)).toBe("/sign-in?problem=over_plan");
  expect(await db.selectFrom("people").select("id").where("email", "=", "bo@corp.example").execute()).toEqual([]);
  await setPlan(db, one.tenant, { overrides: {} }, byTest(one));
  const bo = browser();
  expect(await bo.walk(`${at}?return_to=/explore`)).toBe("/explore");
  expect(await me(bo)).toMatchObject({
    email: "bo@corp.example",
    organizations: [{ id: one.tenant, role: "read-only" }],
  });
  const row = await db.selectFrom("sessions").selectAll().where("method", "=", "oidc").executeTakeFirstOrThrow();
  expect(row.organization).toBe(one.tenant);
  // It answers for the second factor, too, where the organization asks for one.
  await owner.send("PUT", "/organization/mfa", { required: true });
  expect((await bo.visitor.get("/access")).status).toBe(200);
  await owner.send("PUT", "/organization/mfa", { required: false });
  // The provider vouched for the session, so the session gives no lasting way in.
  expect((await bo.visitor.post("/me/totp")).body.code).toBe("forbidden");
  expect((await bo.visitor.post("/me/email", { email: "bo@evil.example" })).body.code).toBe("forbidden");
  expect((await acts("sso.member_admitted")).length).toBe(1);

  // Addresses of others, said by this provider; and ones it does not vouch for.
  for (const [account, claims] of Object.entries({
    stranger: { email: "eve@victim.example", email_verified: true },
    nobody: {},
    unsure: { email: "cy@corp.example", email_verified: false },
    silent: { email: "cy@corp.example" },
  })) {
    idp.account = account;
    idp.accounts.set(account, claims);
    expect([account, await browser().walk(at)]).toEqual([account, "/sign-in?problem=sign_in_refused"]);
  }
  // An admin who chose the provider of an owner could come in as that owner.
  await db
    .updateTable("memberships")
    .set({ role: "admin" })
    .where("person", "=", (await me(bo)).id)
    .execute();
  const ada = await db
    .selectFrom("people")
    .select("id")
    .where("email", "=", "ada@corp.example")
    .executeTakeFirstOrThrow();
  const vouched = {
    id: "idn_ada",
    issuer: `${id} ${idp.url}`,
    subject: "ada",
    email: "ada@corp.example",
    connection: id,
  };
  await db
    .insertInto("identities")
    .values({ ...vouched, person: ada.id })
    .execute();
  const taken = await bo.visitor.send("PATCH", `/sso/connections/${id}`, { issuer: liar.url });
  expect([taken.status, taken.body.detail]).toEqual([403, expect.stringContaining("owners.write")]);
  expect((await bo.visitor.post("/sso/scim-tokens", { name: "x" })).status).toBe(403);
  expect((await bo.visitor.send("PATCH", `/sso/connections/${id}`, { name: "Corp again" })).status).toBe(200);
  await db
    .updateTable("memberships")
    .set({ role: "read-only" })
    .where("person", "=", (await me(bo)).id)
    .execute();
  // Somebody whom it vouched for before, under an address that is not its own any more.
  idp.account = "bo";
  idp.accounts.set("bo", { email: "ada@victim.example", email_verified: true });
  expect(await browser().walk(at)).toBe("/sign-in?problem=sign_in_refused");
  idp.accounts.set("bo", { email: "bo@corp.example", email_verified: true });
});

test("an ID token is believed only as it should be: signature, algorithm, issuer, audience, nonce, time", async () => {
  const { owner, liar, db } = all;
  const draft = { kind: "oidc", name: "Liar", client_id: "astralog", client_secret: "s", issuer: liar.url };
  const { id } = await connect(draft);
  const rs = { alg: "RS256", kid: "one" };
  const cases: Record<string, LyingProvider["token"]> = {
    good: (truth, { jwt }) => jwt(rs, truth),
    none: (truth, { jwt }) => jwt({ alg: "none" }, truth, ""),
    "HS256 with the client's secret": (truth, { jwt }) => jwt({ alg: "HS256", kid: "one" }, truth, "s"),
    "another's key": (truth, { jwt }) => jwt(rs, truth, createPrivateKey(samlKeys().key)),
    "another issuer": (truth, { jwt }) => jwt(rs, { ...truth, iss: "https://evil.example" }),
    "another audience": (truth, { jwt }) => jwt(rs, { ...truth, aud: "other" }),
    "another nonce": (truth, { jwt }) => jwt(rs, { ...truth, nonce: "x" }),
    expired: (truth, { jwt }) => jwt(rs, { ...truth, exp: 1_700_000_000 }),
    "no subject": (truth, { jwt }) => jwt(rs, { ...truth, sub: undefined }),
    changed: (truth, { jwt }) =>
      jwt(rs, truth).replace(
        /\.[^.]*\./,
        `.${Buffer.from(JSON.stringify({ ...truth, sub: "root" })).toString("base64url")}.`,
      ),
  };
  const tries = async (query: Record<string, string> = {}) => {
    const here = browser();
    const { location = "" } = await here.ask(`/api/v1/auth/sso/${id}`);
    const asked = new URL(location).searchParams;
    expect([asked.get("code_challenge_method"), asked.get("code_challenge")?.length]).toEqual(["S256", 43]);
    const nonce = asked.get("nonce") ?? "";
    const make = liar.token;
    liar.token = (truth, self) => make({ nonce, ...truth }, self);
    const back = new URLSearchParams({ code: "c", state: asked.get("state") ?? "", ...query });
    const answer = await here.ask(`/api/v1/auth/oidc/${id}/callback?${back}`);
    return answer.location;
  };
  for (const [name, token] of Object.entries(cases)) {
    liar.token = token;
    expect([name, await tries()]).toEqual([name, name === "good" ? "/" : "/sign-in?problem=provider_failed"]);
  }
  liar.token = cases.good ?? liar.token;
  expect(await tries({ iss: "https://evil.example" })).toBe("/sign-in?problem=provider_failed");
  // What its document names may not lead inside either.
  liar.metadata = { jwks_uri: "https://169.254.169.254/keys" };
  await owner.send("PATCH", `/sso/connections/${id}`, { name: "Liar 2" });
  expect((await owner.post(`/sso/connections/${id}/test`)).body.ok).toBe(false);
  liar.token = cases.good ?? liar.token;
  expect(await tries()).toMatch(/problem=(address_refused|provider_failed)/);
  liar.metadata = { issuer: "https://evil.example" };
  expect((await owner.post(`/sso/connections/${id}/test`)).body.ok).toBe(false);
  liar.metadata = {};
  expect((await owner.send("DELETE", `/sso/connections/${id}`)).status).toBe(204);
  expect(await db.selectFrom("identities").selectAll().where("connection", "=", id).execute()).toEqual([]);
});

test("single sign-on only: other ways are closed for its domains, sessions begun by them end, an owner can break the glass", async () => {
  const { one, api, owner, github, sink, db, origin } = all;
  const person = await db.transaction().execute(async (trx) => {
    const made = await ensurePerson(trx, "dee@corp.example");
    await trx
      .insertInto("memberships")
      .values({ tenant: one.tenant, person: made.id, role: "admin", sources: null })
      .execute();
    return made;
  });
  const dee = browser();
  await signInByMail(dee.visitor, sink, person.email);
  expect((await dee.visitor.get("/me")).status).toBe(200);
  expect((await owner.send("PUT", "/sso/policy", { sso_only: true })).status).toBe(200);
  expect((await dee.visitor.get("/me")).status).toBe(401);
  expect((await owner.get("/me")).status).toBe(200);
  expect((await signInByMail(browser().visitor, sink, person.email)).body.code).toBe("sso_required");
  github.account = { id: 7, emails: [{ email: "new@corp.example", primary: true, verified: true }] };
  await owner.post("/invitations", { email: "new@corp.example", role: "member" });
  expect(await browser().walk("/api/v1/auth/with/github")).toBe("/sign-in?problem=sso_required");
  // Other domains do as they like.
  await db.transaction().execute((trx) => ensurePerson(trx, "lin@hub.example"));
  expect((await signInByMail(browser().visitor, sink, "lin@hub.example")).status).toBe(200);
  const back = visitor(api.url, origin);
  expect((await signInByMail(back, sink, "ada@corp.example")).status).toBe(200);
  expect(await acts("sso.bypassed")).toMatchObject([{ actor_kind: "user", details: '{"method":"email"}' }]);
  idp.account = "bo";
  const list = (await owner.get("/sso/connections")).body.connections as { id: string; kind: string }[];
  expect(await browser().walk(`/api/v1/auth/sso/${list.find(({ kind }) => kind === "oidc")?.id}`)).toBe("/");
  expect((await owner.send("PUT", "/sso/policy", { sso_only: false })).status).toBe(200);
  expect((await signInByMail(browser().visitor, sink, person.email)).status).toBe(200);
});

test("nothing that opens something is told: not in Postgres, not in the log, not in the trail", async () => {
  const { api, github, db } = all;
  const rows = await db.selectFrom("sso_connections").selectAll().execute();
  expect(JSON.stringify(rows)).not.toContain("the client's secret");
  expect(JSON.stringify(rows)).not.toContain("BEGIN CERTIFICATE");
  const trail = JSON.stringify(await db.selectFrom("audit_events").selectAll().execute());
  expect(trail).not.toContain("the client's secret");
  for (const secret of ["the client's secret", "a token", github.verifiers.at(-1) ?? "-"])
    expect(api.output()).not.toContain(secret);
});
