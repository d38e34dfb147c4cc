/** An organization's directory at a real api: people and teams, what it may not do, and that who is out is out at once. */
import { type MailSink, startMailSink } from "@astralog/local";
import { connectPostgres } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { byTest } from "../api.driver.ts";
import { ensureTenant } from "../control/tenants.ts";
import { signInByMail, visitor } from "../people/people.driver.ts";
import { ensurePerson } from "../people/people.ts";
import { setPlan } from "../plans/tenant-plans.ts";
import type { Db } from "../postgres.ts";
import { scimRoutes } from "./scim-router.ts";
import { createScimToken, revokeScimToken, rotateScimToken } from "./scim-tokens.ts";

const anOwner = { grants: new Set(["owners.write"] as const), sources: "all" } as const;

let one: Platform;
let api: RunningService;
let sink: MailSink;
let db: Db;
let origin: string;
let token: string;
let other: { tenant: string; token: string };

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly body: any;
}
const scim = async (method: string, path: string, body?: unknown, by = token): Promise<Answer> => {
  const response = await fetch(`${api.url}/scim/v2${path}`, {
    method,
    headers: { authorization: `Bearer ${by}`, "content-type": "application/scim+json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
};
const made = async (path: string, body: unknown): Promise<{ id: string }> => {
  const answer = await scim("POST", path, body);
  expect([answer.status, answer.body]).toEqual([201, expect.objectContaining({ id: expect.any(String) })]);
  return answer.body;
};
const patch = (path: string, ...Operations: unknown[]) =>
  scim("PATCH", path, { schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], Operations });
const own = async (tenant: string, domain: string) =>
  db
    .insertInto("domains")
    .values({ id: `dom_${domain}`, tenant, domain, token: "t", verified_at: new Date() })
    .execute();

beforeAll(async () => {
  one = await platform(sharedStack());
  origin = new URL(one.env("api").PUBLIC_URL ?? "").origin;
  sink = await startMailSink({ smtp: 0, page: 0 });
  api = await one.start("api", { MAIL_URL: sink.smtp });
  db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  token = (await createScimToken(db, one.tenant, { name: "directory" }, anOwner, byTest(one))).token;
  const tenant = (await ensureTenant(db, "another", byTest(one))).id;
  other = { tenant, token: (await createScimToken(db, tenant, { name: "theirs" }, anOwner, byTest(one))).token };
  await own(one.tenant, "corp.example");
  await own(tenant, "else.example");
});
afterAll(async () => {
  await db?.destroy();
  await one?.stop();
  await sink?.close();
});

test("every route wants a SCIM token; keys, sessions and tokens that have ended are none", async () => {
  const ended = await createScimToken(db, one.tenant, { name: "ended" }, anOwner, byTest(one));
  await revokeScimToken(db, one.tenant, ended.row.id, byTest(one));
  const expired = await createScimToken(
    db,
    one.tenant,
    { name: "e", expires_at: new Date(Date.now() - 1) },
    anOwner,
    byTest(one),
  );
  const mistyped = `${token.slice(0, -1)}${token.endsWith("x") ? "y" : "x"}`;
  for (const { method, path } of scimRoutes({ db, publicUrl: new URL(origin) })) {
    for (const by of ["", one.adminKey, ended.token, expired.token, mistyped]) {
      const answer = await scim(method.toUpperCase(), path.replace(":id", "scu_x"), undefined, by);
      expect([method, path, answer.status, answer.body.schemas]).toEqual([
        ...[method, path, 401, ["urn:ietf:params:scim:api:messages:2.0:Error"]],
      ]);
    }
  }
  const dump = JSON.stringify(await db.selectFrom("scim_tokens").selectAll().execute());
  expect(dump).not.toContain(token);
  expect(api.output()).not.toContain(token);
  const old = await createScimToken(db, one.tenant, { name: "old" }, anOwner, byTest(one));
  const fresh = await rotateScimToken(db, one.tenant, old.row.id, 60, anOwner, byTest(one));
  for (const by of [old.token, fresh.token]) expect((await scim("GET", "/Users", undefined, by)).status).toBe(200);
});

test("it says what it can do", async () => {
  expect((await scim("GET", "/ServiceProviderConfig")).body).toMatchObject({
    patch: { supported: true },
    bulk: { supported: false },
  });
  expect((await scim("GET", "/ResourceTypes")).body.Resources).toMatchObject([{ id: "User" }, { id: "Group" }]);
  expect((await scim("GET", "/Schemas")).body.totalResults).toBe(2);
  expect((await scim("GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User")).body.name).toBe("User");
  expect((await scim("GET", "/Nothing")).status).toBe(404);
});

test("people are made once, found by name and id, paged, changed; the address stays the person's own", async () => {
  const users: { id: string }[] = [];
  for (let i = 0; i < 5; i++)
    users.push(await made("/Users", { userName: `p${i}@corp.example`, externalId: `x${i}`, name: { givenName: "P" } }));
  const [first] = users;
  const again = await scim("POST", "/Users", { userName: "P0@corp.example" });
  expect([again.status, again.body.scimType]).toEqual([409, "uniqueness"]);
  const found = await scim("GET", `/Users?filter=${encodeURIComponent('userName eq "P0@CORP.example"')}`);
  expect(found.body).toMatchObject({ totalResults: 1, Resources: [{ id: first?.id, externalId: "x0", active: true }] });
  expect((await scim("GET", `/Users?filter=${encodeURIComponent('externalId eq "x3"')}`)).body.totalResults).toBe(1);
  expect((await scim("GET", `/Users?filter=${encodeURIComponent('externalId eq "none"')}`)).body.Resources).toEqual([]);
  expect((await scim("GET", `/Users?filter=${encodeURIComponent("userName pr")}`)).body.scimType).toBe("invalidFilter");
  const pages = await Promise.all([1, 3, 5, 7].map((start) => scim("GET", `/Users?startIndex=${start}&count=2`)));
  expect(pages.flatMap(({ body }) => body.Resources.map(({ id }: { id: string }) => id))).toEqual(
    users.map(({ id }) => id),
  );
  expect(pages.map(({ body }) => [body.totalResults, body.itemsPerPage])).toEqual([
    [5, 2],
    [5, 2],
    [5, 1],
    [5, 0],
  ]);
  expect((await scim("GET", "/Users?count=0")).body).toMatchObject({ totalResults: 5, Resources: [] });

  const changed = await patch(`/Users/${first?.id}`, { op: "replace", path: "displayName", value: "P Zero" });
  expect(changed.body).toMatchObject({ displayName: "P Zero", name: { givenName: "P" } });
  const put = await scim("PUT", `/Users/${first?.id}`, { userName: "zero", active: true });
  expect(put.body).toMatchObject({ userName: "zero", displayName: "", emails: [{ value: "p0@corp.example" }] });
  const moved = await patch(`/Users/${first?.id}`, {
    op: "replace",
    path: 'emails[type eq "work"].value',
    value: "z@evil.example",
  });
  expect([moved.status, moved.body.scimType]).toEqual([400, "mutability"]);
  const roles = await db.selectFrom("memberships").select("role").where("tenant", "=", one.tenant).execute();
  expect(new Set(roles.map(({ role }) => role))).toEqual(new Set(["read-only"]));
});

test("a directory speaks for its own domains and its own organization", async () => {
  const stranger = await scim("POST", "/Users", { userName: "eve@else.example" });
  expect([stranger.status, stranger.body.scimType]).toEqual([400, "invalidValue"]);
  expect((await scim("POST", "/Users", { userName: "no address" })).status).toBe(400);
  const mine = await made("/Users", { userName: "own@corp.example" });
  const group = await made("/Groups", { displayName: "Own" });
  for (const path of [`/Users/${mine.id}`, `/Groups/${group.id}`]) {
    const seen = await scim("GET", path, undefined, other.token);
    expect([seen.status, seen.body.detail]).toEqual([404, expect.stringContaining("no such")]);
    expect((await scim("DELETE", path, undefined, other.token)).status).toBe(404);
    expect((await scim("PUT", path, { userName: "x", displayName: "x" }, other.token)).status).toBe(404);
  }
  const theirs = await scim("POST", "/Groups", { displayName: "T", members: [{ value: mine.id }] }, other.token);
  expect([theirs.status, theirs.body.scimType]).toEqual([400, "invalidValue"]);
  expect((await scim("GET", "/Users", undefined, other.token)).body.totalResults).toBe(0);
});

test("who is deactivated is out at once, everywhere, and cannot come back by himself; the last owner stays", async () => {
  const email = "gone@corp.example";
  const { id } = await made("/Users", { userName: email });
  const here = visitor(api.url, origin);
  expect((await signInByMail(here, sink, email)).status).toBe(200);
  expect((await here.get("/access")).status).toBe(200);
  // As Entra writes it.
  const off = await patch(`/Users/${id}`, { op: "Replace", path: "active", value: "False" });
  expect([off.status, off.body.active]).toEqual([200, false]);
  expect((await here.get("/me")).status).toBe(401);
  await signInByMail(here, sink, email);
  expect((await here.get("/access", { "astralog-organization": one.tenant })).status).toBe(404);
  await patch(`/Users/${id}`, { op: "replace", value: { active: true } });
  expect((await here.get("/access")).status).toBe(200);
  expect((await scim("DELETE", `/Users/${id}`)).status).toBe(204);
  expect((await here.get("/me")).status).toBe(401);
  expect((await scim("GET", `/Users/${id}`)).status).toBe(404);

  await db.transaction().execute(async (trx) => {
    const person = await ensurePerson(trx, "boss@corp.example");
    await trx
      .insertInto("memberships")
      .values({ tenant: one.tenant, person: person.id, role: "owner", sources: null })
      .execute();
  });
  const boss = await made("/Users", { userName: "boss@corp.example" });
  expect((await patch(`/Users/${boss.id}`, { op: "replace", path: "active", value: false })).status).toBe(409);
  expect((await scim("DELETE", `/Users/${boss.id}`)).status).toBe(409);
  const told = await db.selectFrom("audit_events").select("action").where("tenant", "=", one.tenant).execute();
  const counted = (action: string) => told.filter((event) => event.action === action).length;
  expect([counted("scim.user_deactivated"), counted("scim.user_deleted")]).toEqual([1, 1]);
});

test("groups are teams: their members follow the directory, and they see nothing until somebody here says so", async () => {
  const [a, b] = [
    await made("/Users", { userName: "ga@corp.example" }),
    await made("/Users", { userName: "gb@corp.example" }),
  ];
  const { id } = await made("/Groups", { displayName: "Ops", externalId: "ops", members: [{ value: a.id }] });
  expect((await scim("POST", "/Groups", { displayName: "Ops" })).body.scimType).toBe("uniqueness");
  expect(await db.selectFrom("teams").select("sources").where("id", "=", id).executeTakeFirst()).toEqual({
    sources: [],
  });
  const members = async () =>
    ((await scim("GET", `/Groups/${id}`)).body.members as { value: string }[]).map(({ value }) => value).sort();
  await patch(`/Groups/${id}`, { op: "add", path: "members", value: [{ value: b.id }] });
  expect(await members()).toEqual([a.id, b.id].sort());
  await patch(`/Groups/${id}`, { op: "remove", path: `members[value eq "${a.id}"]` });
  expect(await members()).toEqual([b.id]);
  expect((await patch(`/Groups/${id}`, { op: "add", path: "members", value: [{ value: "scu_nobody" }] })).status).toBe(
    400,
  );
  await patch(`/Users/${b.id}`, { op: "replace", path: "active", value: false });
  expect(await members()).toEqual([]);
  const found = await scim("GET", `/Groups?filter=${encodeURIComponent('displayName eq "Ops"')}`);
  expect(found.body).toMatchObject({ totalResults: 1, Resources: [{ id, externalId: "ops" }] });
  expect((await scim("DELETE", `/Groups/${id}`)).status).toBe(204);
  expect(await db.selectFrom("teams").select("id").where("id", "=", id).execute()).toEqual([]);
  // A team that somebody made here is none of the directory's business.
  await db
    .insertInto("teams")
    .values({ id: "tm_000000000000", tenant: one.tenant, name: "Here", sources: null })
    .execute();
  expect((await scim("GET", "/Groups/tm_000000000000")).status).toBe(404);
  expect((await scim("POST", "/Groups", { displayName: "Here" })).status).toBe(409);
});

test("what is no SCIM is answered in SCIM's own words, and hostile names reach nothing", async () => {
  const bad = await fetch(`${api.url}/scim/v2/Users`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/scim+json" },
    body: "{",
  });
  expect([bad.status, ((await bad.json()) as { scimType: string }).scimType]).toEqual([400, "invalidSyntax"]);
  expect((await scim("PATCH", "/Users/x", { Operations: [] })).body.scimType).toBe("invalidSyntax");
  const hostile = JSON.parse(
    '{"userName":"proto@corp.example","__proto__":{"active":false},"tenant":"tn_x","person":"usr_x","role":"owner"}',
  );
  const { id } = await made("/Users", hostile);
  const row = await db.selectFrom("scim_users").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
  expect([row.tenant, row.active]).toEqual([one.tenant, true]);
  const member = await db.selectFrom("memberships").select("role").where("person", "=", row.person).executeTakeFirst();
  expect(member?.role).toBe("read-only");
});

test("a directory fills the plan's seats and no more; whom it deactivates makes room", async () => {
  const members = await db.selectFrom("memberships").select("person").where("tenant", "=", one.tenant).execute();
  await setPlan(db, one.tenant, { overrides: { seats: members.length + 1 } }, byTest(one));
  const last = await made("/Users", { userName: "last@corp.example" });
  const over = await scim("POST", "/Users", { userName: "over@corp.example" });
  expect([over.status, over.body.detail]).toEqual([403, expect.stringMatching(/seats/)]);
  const idle = await made("/Users", { userName: "idle@corp.example", active: false });
  const on = { op: "replace", path: "active", value: true };
  expect((await patch(`/Users/${idle.id}`, on)).status).toBe(403);
  // Who has his seat already is changed as before.
  expect((await patch(`/Users/${last.id}`, on)).status).toBe(200);
  expect((await patch(`/Users/${last.id}`, { ...on, value: false })).status).toBe(200);
  expect((await patch(`/Users/${idle.id}`, on)).status).toBe(200);
  await setPlan(db, one.tenant, { overrides: {} }, byTest(one));
});
