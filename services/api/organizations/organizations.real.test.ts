/** Organizations, members, teams, roles and invitations in a real api over a real Postgres and a real SMTP server. */
import { type MailSink, startMailSink } from "@astralog/local";
import { keyPermissions } from "@astralog/schemas";
import { connectPostgres } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { byTest } from "../api.driver.ts";
import { createSource } from "../control/sources.ts";
import { plantMember, plantSession, type Reply } from "../http/access.driver.ts";
import { linkFor } from "../people/people.driver.ts";
import type { Db } from "../postgres.ts";
import { type As, actorsOf, patient } from "./organizations.driver.ts";

let one: Platform;
let api: RunningService;
let sink: MailSink;
let db: Db;
let second: string;
let actors: ReturnType<typeof actorsOf>;
const asKey = (key: string): As => actors.asKey(key);
const asPerson = (...who: Parameters<typeof actors.asPerson>): Promise<As> => actors.asPerson(...who);
const member = (...who: Parameters<typeof actors.member>) => actors.member(...who);
const acts = async (action: string): Promise<Record<string, unknown>[]> =>
  (await db.selectFrom("audit_events").selectAll().where("tenant", "=", one.tenant).orderBy("seq").execute())
    .filter((event) => event.action === action)
    .map((event) => ({ actor: event.actor_id, target: event.target_id, ...JSON.parse(event.details) }));

beforeAll(async () => {
  one = await platform(sharedStack());
  sink = await startMailSink({ smtp: 0, page: 0 });
  api = await one.start("api", { MAIL_URL: sink.smtp, ...patient });
  db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  actors = actorsOf(one, api, db);
  second = (await createSource(db, one.tenant, { name: "second" }, byTest(one))).id;
});

afterAll(async () => {
  await db?.destroy();
  await one?.stop();
  await sink?.close();
});

const invited = async (by: As, email: string, body: Record<string, unknown> = { role: "member" }): Promise<string> => {
  expect(await by("POST", "/invitations", { email, ...body })).toMatchObject({ status: 201 });
  return linkFor(sink, email.toLowerCase());
};
const stranger = async (email: string): Promise<As> => {
  const { id } = await db
    .insertInto("people")
    .values({ id: `usr_${email.slice(0, 4).padEnd(12, "0")}`, email })
    .returning("id")
    .executeTakeFirstOrThrow();
  return asPerson(id);
};

test("an invitation is mailed, shows what it is for, and of fifty who take it at once one gets in; to nobody else is it worth anything", async () => {
  const owner = await member("owner");
  const token = await invited(owner.call, "Anna@Example.com");
  const [mail] = sink.mails().filter(({ to }) => to.includes("anna@example.com"));
  expect(mail?.text).toContain(`${new URL(one.env("api").PUBLIC_URL ?? "").origin}/invitation#${token}`);
  const rows = JSON.stringify(await db.selectFrom("invitations").selectAll().execute());
  expect(rows).not.toContain(token);
  expect(api.output()).not.toContain(token);

  const other = await stranger("carl@example.com");
  expect((await other("POST", "/invitations/show", { token })).body.code).toBe("not_found");
  expect((await other("POST", "/invitations/accept", { token })).body.code).toBe("not_found");
  const anna = await stranger("anna@example.com");
  const shown = await anna("POST", "/invitations/show", { token });
  expect(shown.body).toMatchObject({ organization: { id: one.tenant }, role: "member" });
  const tries = await Promise.all(Array.from({ length: 50 }, () => anna("POST", "/invitations/accept", { token })));
  expect(tries.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(tries.filter(({ status }) => status === 404)).toHaveLength(49);
  expect((await anna("GET", "/access")).body.permissions).toContain("events.read");
  expect((await acts("member.joined")).filter(({ role }) => role === "member")).toHaveLength(1);
  expect(JSON.stringify(await acts("invitation.created"))).not.toContain(token);
  expect((await owner.call("POST", "/invitations", { email: "anna@example.com", role: "member" })).body.code).toBe(
    "already_member",
  );
});

test("an invitation ends when it is withdrawn, replaced or too old; and lasts a week at most", async () => {
  const { call } = await member("owner");
  const bert = await stranger("bert@example.com");
  const first = await invited(call, "bert@example.com");
  const { body: again } = await call("POST", "/invitations", { email: "bert@example.com", role: "auditor" });
  const token = await linkFor(sink, "bert@example.com", 1);
  expect((await bert("POST", "/invitations/accept", { token: first })).status).toBe(404);
  const open = (await call("GET", "/invitations")).body.invitations.filter(
    ({ email }: { email: string }) => email === "bert@example.com",
  );
  expect(open).toMatchObject([{ id: again.id, role: "auditor" }]);
  expect(Date.parse(again.expires_at) - Date.parse(again.created_at)).toBeLessThanOrEqual(7 * 86_400_000);
  await expect(
    db
      .updateTable("invitations")
      .set({ expires_at: new Date(Date.now() + 8 * 86_400_000) })
      .execute(),
  ).rejects.toThrow();
  await db
    .updateTable("invitations")
    .set({ expires_at: new Date(Date.now() - 1) })
    .where("id", "=", again.id)
    .execute();
  expect((await bert("POST", "/invitations/accept", { token })).status).toBe(404);
  await db
    .updateTable("invitations")
    .set({ expires_at: new Date(Date.now() + 60_000) })
    .where("id", "=", again.id)
    .execute();
  expect((await call("DELETE", `/invitations/${again.id}`)).status).toBe(204);
  expect((await bert("POST", "/invitations/accept", { token })).status).toBe(404);
  expect((await call("DELETE", `/invitations/${again.id}`)).status).toBe(404);
});

test("nobody gives, changes or takes away more than he has", async () => {
  const { call: admin } = await member("admin");
  const owner = await member("owner");
  const reader = await member("read-only");
  const limited = await member("admin", { sources: [second] });
  const { body: helpers } = await owner.call("POST", "/roles", {
    name: "helpers",
    permissions: ["members.read", "members.write"],
  });
  const helper = await member(helpers.id);
  // An admin key could make him a query key, and so give him events to read.
  const { body: likeKey } = await owner.call("POST", "/roles", {
    name: "like a key",
    permissions: keyPermissions.admin,
  });
  const keeper = await member(likeKey.id);
  for (const [who, method, path, body] of [
    [admin, "POST", "/invitations", { email: "x1@example.com", role: "owner" }],
    [admin, "PATCH", `/members/${owner.person}`, { role: "member" }],
    [admin, "DELETE", `/members/${owner.person}`, undefined],
    [admin, "PATCH", `/members/${reader.person}`, { role: "owner" }],
    [admin, "POST", "/roles", { name: "kings", permissions: ["owners.write"] }],
    // He may change members, but a reader has what he has not.
    [helper.call, "PATCH", `/members/${reader.person}`, { role: helpers.id }],
    [helper.call, "POST", "/invitations", { email: "x2@example.com", role: "member" }],
    [helper.call, "PATCH", `/members/${helper.person}`, { role: "admin" }],
    [keeper.call, "POST", "/keys", { kind: "query" }],
    [keeper.call, "POST", "/keys", { kind: "admin" }],
    // He may all, but on one source.
    [limited.call, "POST", "/invitations", { email: "x3@example.com", role: "member" }],
    [limited.call, "PATCH", `/members/${limited.person}`, { sources: null }],
    [limited.call, "PATCH", `/members/${reader.person}`, { sources: [second] }],
    [limited.call, "POST", "/teams", { name: "all", sources: null }],
    [limited.call, "POST", "/keys", { kind: "query" }],
    [limited.call, "POST", "/keys", { kind: "ingest", source: one.source }],
    [limited.call, "POST", "/sources", { name: "third" }],
    [limited.call, "GET", "/verify", undefined],
    [asKey(one.adminKey), "POST", "/invitations", { email: "x4@example.com", role: "owner" }],
    [asKey(one.adminKey), "PATCH", `/members/${reader.person}`, { role: "owner" }],
  ] as const) {
    const { status, body: answer } = await who(method, path, body);
    expect([method, path, body, status, answer?.code]).toEqual([method, path, body, 403, "forbidden"]);
  }
  expect(await invited(limited.call, "x5@example.com", { role: "member", sources: [second] })).toMatch(/^\S{43}$/);
  expect((await helper.call("PATCH", `/members/${helper.person}`, { sources: [one.source] })).status).toBe(200);
  expect((await admin("PATCH", `/members/${reader.person}`, { role: "member", sources: [second] })).body).toMatchObject(
    { role: "member", sources: [second] },
  );
  expect((await acts("member.changed")).at(-1)).toMatchObject({
    target: reader.person,
    was: { role: "read-only", sources: null },
    is: { role: "member", sources: [second] },
  });
});

test("what gives power asks a person for a second factor of the last minutes; a key, and what only takes, for none", async () => {
  const owner = await member("owner");
  const { person } = await member("read-only");
  const { body: role } = await owner.call("POST", "/roles", { name: "proven", permissions: ["events.read"] });
  const { body: adminKey } = await owner.call("POST", "/keys", { kind: "admin" });
  const acts = [
    ["PATCH", `/members/${person}`, { role: "member" }],
    ["POST", "/roles", { name: "unproven", permissions: ["events.read"] }],
    ["PATCH", `/roles/${role.id}`, { name: "still proven" }],
    ["POST", "/keys", { kind: "admin" }],
    ["POST", `/keys/${adminKey.id}/rotate`, { overlap_seconds: 60 }],
    ["DELETE", `/roles/${role.id}`, undefined],
    ["DELETE", `/members/${person}`, undefined],
  ] as const;
  for (const mfaAt of [null, new Date(Date.now() - 11 * 60_000)]) {
    const call = await asPerson(owner.person, one.tenant, mfaAt);
    for (const [method, path, body] of acts)
      expect([method, path, (await call(method, path, body)).body.code]).toEqual([method, path, "step_up_required"]);
    expect((await call("POST", "/keys", { kind: "query" })).status).toBe(201);
    expect(
      (await call("DELETE", `/keys/${(await owner.call("POST", "/keys", { kind: "admin" })).body.id}`)).status,
    ).toBe(200);
  }
  const key = asKey(one.adminKey);
  for (const [method, path, body] of acts)
    expect([path, (await key(method, path, body)).status < 300]).toEqual([path, true]);
});

test("wrong inputs are named; what is not asked for is refused; a parameter given twice is none", async () => {
  const { call, person } = await member("owner");
  for (const [method, path, body, detail] of [
    ["POST", "/invitations", { email: "nobody", role: "member" }, /email/],
    ["POST", "/invitations", { email: "a@example.com", role: "king" }, /role/],
    ["POST", "/invitations", { email: "a@example.com", role: "rol_000000000000" }, /role/],
    ["POST", "/invitations", { email: "a@example.com", role: "member", sources: ["src_000000000000"] }, /sources/],
    ["POST", "/invitations", { email: "a@example.com", role: "member", tenant: "tn_1" }, /unknown field "tenant"/],
    ["PATCH", `/members/${person}`, { role: "owner", sources: [second] }, /owner sees all/],
    ["PATCH", `/members/${person}`, JSON.parse('{"role":"owner","__proto__":{"x":1}}'), /__proto__/],
    ["PATCH", `/members/${person}`, {}, /at least one/],
    ["PATCH", `/members/${person}`, { person: "usr_1" }, /unknown field "person"/],
    ["POST", "/roles", { name: "x", permissions: ["plans.write"] }, /permissions/],
    ["POST", "/roles", { name: "x", permissions: [] }, /permissions/],
    ["POST", "/roles", { name: "x", permissions: ["events.read"], tenant: "tn_1" }, /unknown field/],
    ["POST", "/teams", { name: "a\nb" }, /control/],
    ["GET", "/members?limit=1&limit=2", undefined, /limit/],
    ["GET", "/members?role=owner", undefined, /unknown field "role"/],
    ["GET", "/members?cursor=x", undefined, /cursor/],
    ["GET", "/sources?cursor=x", undefined, /next/],
  ] as const) {
    const { status, body: answer } = await call(method, path, body);
    expect([path, body, status]).toEqual([path, body, 400]);
    expect(answer.detail).toMatch(detail);
  }
  const cookie = await plantSession(db, person);
  const form = await fetch(`${api.url}/api/v1/organizations`, {
    method: "POST",
    headers: { cookie, origin: new URL(one.env("api").PUBLIC_URL ?? "").origin, "content-type": "text/plain" },
    body: '{"name":"by a form"}',
  });
  expect(form.status).toBe(415);
});

test("the last owner stays, also when both leave at once; who is put out is out with the answer", async () => {
  const maker = await stranger("dora@example.com");
  const { body: made } = await maker("POST", "/organizations", { name: "Dora's" });
  const there = await asPerson("usr_dora00000000", made.id);
  const leave = (as: As) => as("POST", `/organizations/${made.id}/leave`);
  expect((await leave(there)).body.code).toBe("last_owner");
  expect((await there("PATCH", "/members/usr_dora00000000", { role: "admin" })).body.code).toBe("last_owner");
  const other = await plantMember(db, made.id, "owner");
  const otherThere = await asPerson(other, made.id);
  const both = await Promise.all([leave(there), leave(otherThere)]);
  expect(both.map(({ status }) => status).sort()).toEqual([204, 409]);
  const gone = both[0]?.status === 204 ? there : otherThere;
  expect((await gone("GET", "/members")).status).toBe(404);
  const owners = await db.selectFrom("memberships").selectAll().where("tenant", "=", made.id).execute();
  expect(owners.map(({ role }) => role)).toEqual(["owner"]);
  const stays = gone === there ? otherThere : there;
  const third = await plantMember(db, made.id, "member");
  const thirdThere = await asPerson(third, made.id);
  expect((await thirdThere("GET", "/members")).body.members).toHaveLength(2);
  expect((await stays("DELETE", `/members/${third}`)).status).toBe(204);
  expect((await thirdThere("GET", "/members")).status).toBe(404);
});

test("an organization's name is changed by whoever saw it as it is; of two who edit at once one is told", async () => {
  const { call } = await member("owner");
  const { etag, body } = await call("GET", "/organization");
  expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
  const edits = await Promise.all(
    ["one", "two"].map((name) => call("PATCH", "/organization", { name }, { "if-match": etag ?? "" })),
  );
  expect(edits.map(({ status }) => status).sort()).toEqual([200, 412]);
  const done = edits.find(({ status }) => status === 200);
  expect((await call("GET", "/organization")).etag).toBe(done?.etag);
  expect((await call("PATCH", "/organization", { name: "three" }, { "if-match": '"old"' })).body.code).toBe("changed");
  expect((await acts("organization.renamed")).at(-1)).toMatchObject({ was: body.name, is: done?.body.name });
  for (const path of ["/members/PERSON", `/sources/${one.source}`]) {
    const target = path.replace("PERSON", (await member("member")).person);
    const seen = await call("GET", target);
    const changes = path.startsWith("/sources") ? { retention_days: 31 } : { role: "auditor" };
    expect((await call("PATCH", target, changes, { "if-match": '"old"' })).status).toBe(412);
    const changed = await call("PATCH", target, changes, { "if-match": seen.etag ?? "" });
    expect([target, changed.status, (await call("GET", target)).etag]).toEqual([target, 200, changed.etag]);
  }
});

test("lists come in pages that neither skip nor repeat", async () => {
  const { call } = await member("owner");
  for (const name of ["p1", "p2", "p3"])
    await call("POST", "/invitations", { email: `${name}@example.com`, role: "auditor" });
  for (const list of ["members", "keys", "invitations"]) {
    const all = (await call("GET", `/${list}?limit=1000`)).body[list].map(
      ({ id, person }: { id?: string; person?: string }) => id ?? person,
    );
    const paged: unknown[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const { body: page }: Reply = await call("GET", `/${list}?limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`);
      paged.push(...page[list].map(({ id, person }: { id?: string; person?: string }) => id ?? person));
      cursor = page.next;
    }
    expect([list, paged]).toEqual([list, all]);
    expect(all.length).toBeGreaterThan(2);
  }
});
