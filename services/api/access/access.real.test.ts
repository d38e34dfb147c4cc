/** Staff and customers of a real api: nothing without a grant, nothing beyond it, and all of it in the customer's trail. */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { connectPostgres } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { byTest, callApi } from "../api.driver.ts";
import { createKey } from "../control/keys.ts";
import { ensureTenant } from "../control/tenants.ts";
import { type Answer, type Visitor, visitor } from "../people/people.driver.ts";
import { ensurePerson } from "../people/people.ts";
import { createSessions } from "../people/sessions.ts";
import type { Db } from "../postgres.ts";
import { endExpired } from "./grants.ts";
import { setStaff } from "./staff.ts";

let one: Platform;
let api: RunningService;
let db: Db;
let other: string;

const minute = 60_000;
const ago = (ms: number): Date => new Date(Date.now() - ms);

beforeAll(async () => {
  one = await platform(sharedStack());
  db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  api = await one.start("api");
  other = (await ensureTenant(db, "other", byTest(one))).id;
  for (const role of ["owner", "admin", "member"]) await person(role, role);
  for (const name of ["sam", "sue"]) {
    await person(name);
    await setStaff(db, `${name}@example.com`, true, byTest(one));
  }
});
afterAll(async () => {
  await db?.destroy();
  await one?.stop();
});

const person = (name: string, role?: string): Promise<string> =>
  db.transaction().execute(async (trx) => {
    const { id } = await ensurePerson(trx, `${name}@example.com`);
    if (role !== undefined)
      await trx.insertInto("memberships").values({ tenant: one.tenant, person: id, role, sources: null }).execute();
    return id;
  });

interface Browser extends Visitor {
  readonly session: string;
}

/** Signed in, the second factor proven so long ago. */
const signedIn = async (name: string, provenAgo: number | null = 0): Promise<Browser> => {
  const sessions = createSessions({ db, idleMs: 3_600_000, lifeMs: 86_400_000 });
  const { id } = await db
    .selectFrom("people")
    .select("id")
    .where("email", "=", `${name}@example.com`)
    .executeTakeFirstOrThrow();
  const mfaAt = provenAgo === null ? null : ago(provenAgo);
  const { id: session, token } = await db
    .transaction()
    .execute((trx) => sessions.start(trx, { person: id, method: "email", ip: "127.0.0.1", userAgent: "test", mfaAt }));
  const here = visitor(api.url, new URL(one.env("api").PUBLIC_URL ?? "").origin);
  here.cookies.set("__Host-astralog", token);
  return { ...here, session };
};

const within = (organization: string) => ({ "astralog-organization": organization });
const outcome = ({ status, body }: Answer): unknown[] => [status, body?.code];
const sourcesOf = (here: Visitor, organization = one.tenant) => here.get("/sources", within(organization));
const reason = "Customer asked why events of last night are missing";
const ask = (here: Visitor, more: Record<string, unknown> = {}) =>
  here.post("/platform/access", { organization: one.tenant, reason, seconds: 600, ...more });
const decide = (here: Visitor, id: string, approve = true) =>
  here.post(`/access/grants/${id}/decision`, { approve }, within(one.tenant));

/** Asked for by sam and approved by the owner. */
const granted = async (more: Record<string, unknown> = {}): Promise<{ id: string; staff: Browser }> => {
  const staff = await signedIn("sam");
  const asked = await ask(staff, more);
  expect(outcome(asked)).toEqual([201, undefined]);
  expect(outcome(await decide(await signedIn("owner"), asked.body.id))).toEqual([200, undefined]);
  return { id: asked.body.id as string, staff };
};
const trailOf = async (grant: string) =>
  (
    await db
      .selectFrom("audit_events")
      .selectAll()
      .where("tenant", "=", one.tenant)
      .where("target_id", "=", grant)
      .orderBy("seq")
      .execute()
  ).map(({ action, actor_name, details }) => ({ action, actor_name, details: JSON.parse(details) }));

test("being staff opens nothing; a grant opens what it says, there alone, and its end shuts it at once", async () => {
  const staff = await signedIn("sam");
  expect(outcome(await sourcesOf(staff))).toEqual([404, "not_found"]);
  const asked = await ask(staff);
  expect([asked.status, asked.body.state, asked.body.organization]).toEqual([201, "requested", one.tenant]);
  expect(outcome(await ask(staff))).toEqual([409, "too_many"]);
  expect(outcome(await sourcesOf(staff))).toEqual([404, "not_found"]);

  const owner = await signedIn("owner");
  const { body: seen } = await owner.get("/access/grants", within(one.tenant));
  expect(seen.grants).toMatchObject([{ id: asked.body.id, reason, email: "sam@example.com", state: "requested" }]);
  const approved = await decide(owner, asked.body.id);
  expect([approved.status, approved.body.state]).toEqual([200, "active"]);
  expect(Date.parse(approved.body.expires_at) - Date.parse(approved.body.decided_at)).toBe(600_000);
  expect(outcome(await decide(owner, asked.body.id))).toEqual([409, "already_decided"]);

  expect((await sourcesOf(staff)).body.sources).toHaveLength(1);
  expect((await staff.get("/search", within(one.tenant))).status).toBe(200);
  const again = await signedIn("sam");
  for (let i = 0; i < 3; i++) expect((await sourcesOf(again)).status).toBe(200);
  for (const [method, path, body] of [
    ["POST", "/sources", { name: "theirs" }],
    ["POST", "/keys", { kind: "query" }],
    ["GET", "/audit", undefined],
    ["POST", `/access/grants/${asked.body.id}/decision`, { approve: true }],
    ["POST", "/invitations", { email: "x@example.com", role: "member" }],
  ] as const)
    expect([path, ...outcome(await staff.send(method, path, body, within(one.tenant)))]).toEqual([
      path,
      403,
      "forbidden",
    ]);
  expect(outcome(await sourcesOf(staff, other))).toEqual([404, "not_found"]);
  // Another one of the staff has nothing by it.
  expect(outcome(await sourcesOf(await signedIn("sue")))).toEqual([404, "not_found"]);

  expect((await owner.post(`/access/grants/${asked.body.id}/end`, {}, within(one.tenant))).body.state).toBe("ended");
  expect(outcome(await sourcesOf(staff))).toEqual([404, "not_found"]);
  expect(await trailOf(asked.body.id)).toMatchObject([
    { action: "staff_access.requested", actor_name: "sam@example.com (platform staff)", details: { reason } },
    { action: "staff_access.approved", actor_name: "owner@example.com", details: { as: "member" } },
    { action: "staff_access.used", details: { session: staff.session } },
    { action: "staff_access.used", details: { session: again.session } },
    { action: "staff_access.ended", actor_name: "owner@example.com", details: { why: "revoked" } },
  ]);
});

test("each step needs the right person and a fresh second factor", async () => {
  for (const provenAgo of [null, 11 * minute])
    expect(outcome(await ask(await signedIn("sam", provenAgo)))).toEqual([403, "step_up_required"]);
  expect((await ask(await signedIn("owner"))).status).toBe(403);
  expect((await ask(await signedIn("sam"), { seconds: 8 * 3_600 + 1 })).status).toBe(400);
  expect((await ask(await signedIn("sam"), { reason: "because" })).status).toBe(400);
  expect((await ask(await signedIn("sam"), { permissions: ["keys.write"] })).status).toBe(400);
  const { body: asked } = await ask(await signedIn("sam"));
  expect(outcome(await decide(await signedIn("member"), asked.id))).toEqual([403, "forbidden"]);
  expect(outcome(await decide(await signedIn("owner", null), asked.id))).toEqual([403, "step_up_required"]);
  const byKey = await callApi(api)(one.adminKey, "POST", `/access/grants/${asked.id}/decision`, { approve: true });
  expect(byKey.status).toBe(403);
  expect((await decide(await signedIn("admin"), asked.id, false)).body.state).toBe("denied");
  expect(outcome(await sourcesOf(await signedIn("sam")))).toEqual([404, "not_found"]);
  const { id } = await granted();
  expect(outcome(await sourcesOf(await signedIn("sam", 61 * minute)))).toEqual([403, "step_up_required"]);
  expect((await (await signedIn("sam")).post(`/platform/access/${id}/end`, {})).body.state).toBe("ended");
});

test("access runs out by itself, and the trail says that it did; who is staff no more is out", async () => {
  const { id, staff } = await granted({ permissions: ["sources.read"] });
  expect((await sourcesOf(staff)).status).toBe(200);
  expect(outcome(await staff.get("/search", within(one.tenant)))).toEqual([403, "forbidden"]);
  const past = { decided_at: ago(11 * minute), expires_at: ago(minute) };
  await db.updateTable("access_grants").set(past).where("id", "=", id).execute();
  expect(outcome(await sourcesOf(staff))).toEqual([404, "not_found"]);
  await endExpired(db, byTest(one));
  await endExpired(db, byTest(one));
  expect((await trailOf(id)).at(-1)).toMatchObject({ action: "staff_access.ended", details: { why: "expired" } });
  expect((await trailOf(id)).filter(({ action }) => action === "staff_access.ended")).toHaveLength(1);

  const next = await granted();
  expect((await sourcesOf(next.staff)).status).toBe(200);
  await setStaff(db, "sam@example.com", false, byTest(one));
  expect(outcome(await sourcesOf(next.staff))).toEqual([404, "not_found"]);
  await setStaff(db, "sam@example.com", true, byTest(one));
  await next.staff.post(`/platform/access/${next.id}/end`, {});
});

test("a colleague decides only where the organization lets him, and nobody on his own request", async () => {
  const staff = await signedIn("sam");
  const { body: asked } = await ask(staff);
  const sue = await signedIn("sue");
  const path = `/platform/access/${asked.id}/decision`;
  expect(outcome(await sue.post(path, { approve: true }))).toEqual([403, "forbidden"]);
  const owner = await signedIn("owner");
  const policy = { staff_may_approve: true };
  expect((await owner.send("PUT", "/access/policy", policy, within(one.tenant))).body).toEqual(policy);
  expect(outcome(await staff.post(path, { approve: true }))).toEqual([403, "forbidden"]);
  expect((await sue.get("/platform/access")).body.grants).toMatchObject([{ id: asked.id, organization: one.tenant }]);
  expect((await sue.post(path, { approve: true })).body.state).toBe("active");
  expect((await sourcesOf(staff)).status).toBe(200);
  expect((await trailOf(asked.id))[1]).toMatchObject({
    action: "staff_access.approved",
    actor_name: "sue@example.com (platform staff)",
    details: { as: "staff" },
  });
  await staff.post(`/platform/access/${asked.id}/end`, {});
});

test("staff choose plans with a fresh second factor, and the organization's trail says who", async () => {
  const path = `/platform/organizations/${other}/plan`;
  const wanted = { plan: "team", overrides: { seats: 40 } };
  expect((await (await signedIn("owner")).send("PUT", path, wanted)).status).toBe(403);
  expect(outcome(await (await signedIn("sue", null)).send("PUT", path, wanted))).toEqual([403, "step_up_required"]);
  const { body } = await (await signedIn("sue")).send("PUT", path, wanted);
  expect(body).toMatchObject({ plan: "team", limits: { seats: 40, retention_days: 30 }, overridden: ["seats"] });
  const told = await db
    .selectFrom("audit_events")
    .select(["actor_name"])
    .where("tenant", "=", other)
    .where("action", "=", "plan.changed")
    .execute();
  expect(told).toHaveLength(1);
});

test("a review lists what is held with its last use, and ends what is unused, owners excepted", async () => {
  const long = ago(200 * 86_400_000);
  const idle = await person("idle", "member");
  const { row } = await createKey(db, one.tenant, { kind: "query", name: "forgotten" }, byTest(one));
  const producer = { id: "prd_000000000001", tenant: one.tenant, source: one.source, username: "forgotten too" };
  await db
    .insertInto("producers")
    .values({ ...producer, expires_at: null, revoked_at: null, rotated_from: null })
    .execute();
  await sql`update producers set created_at = ${long} where id = ${producer.id}`.execute(db);
  await sql`update keys set created_at = ${long} where id = ${row.id}`.execute(db);
  await sql`update memberships set created_at = ${long} where tenant = ${one.tenant}`.execute(db);
  const owner = await signedIn("owner");
  await signedIn("member");
  await db
    .deleteFrom("sessions")
    .where("person", "=", await person("admin"))
    .execute();
  const { body: dry } = await owner.get("/access/review?unused_days=90", within(one.tenant));
  const find = (id: string) => (dry.held as Record<string, unknown>[]).find((held) => held.id === id);
  expect(find(row.id)).toMatchObject({ kind: "key", name: "forgotten", unused: true, idle_days: 200, kept: "" });
  expect(find(idle)).toMatchObject({ kind: "membership", what: "member", unused: true });
  expect(find(await person("member"))).toMatchObject({ unused: false });
  // He has denied a request in the trail.
  expect(find(await person("admin"))).toMatchObject({ unused: false });
  expect(find(await person("owner"))).toMatchObject({ kept: "Owners are removed by hand." });
  const body = { unused_days: 90 };
  expect((await owner.post("/access/review", body, within(one.tenant))).body).toEqual({
    ended: expect.arrayContaining([
      { kind: "key", id: row.id },
      { kind: "membership", id: idle },
      { kind: "producer", id: producer.id },
    ]),
    left: [],
  });
  const { body: after } = await owner.get("/access/review?unused_days=90", within(one.tenant));
  expect(
    (after.held as { unused: boolean; kept: string }[]).filter(({ unused, kept }) => unused && kept === ""),
  ).toEqual([]);
});

/** The operator's command, as it is run on a machine that has the secrets. */
const operate = async (...args: string[]): Promise<{ out: string; err: string; code: number | null }> => {
  const { POSTGRES_URL = "", AUDIT_SIGNING_KEY = "" } = one.env("api");
  const script = fileURLToPath(new URL("../operate.ts", import.meta.url));
  const env = { PATH: process.env.PATH, POSTGRES_URL, AUDIT_SIGNING_KEY };
  const child = spawn(process.execPath, [script, ...args], { env });
  const code = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { out, err, code: await code };
};

test("the operator's command sets plans and staff, and says what is wrong", async () => {
  const set = ["plan", "--tenant", other, "--plan", "business", "--set", "daily_bytes=1000", "--set", "features="];
  expect(JSON.parse((await operate(...set)).out)).toMatchObject({
    plan: "business",
    overrides: { daily_bytes: 1000, features: [], seats: 40 },
    limits: { daily_bytes: 1000, partitions: 6 },
  });
  const [shown, wrong, staff, closed] = await Promise.all([
    operate("plan", "--tenant", other, "--clear"),
    operate("plan", "--tenant", other, "--set", "daily_bytes=lots"),
    operate("staff", "--add", "sue@example.com"),
    operate("person", "--email", "sam@example.com", "--disable"),
  ]);
  expect(JSON.parse(shown.out)).toMatchObject({ plan: "business", overrides: {} });
  expect([wrong.code, wrong.out]).toEqual([1, ""]);
  expect(wrong.err).toContain("daily_bytes");
  expect(JSON.parse(staff.out).staff).toMatchObject([{ email: "sam@example.com" }, { email: "sue@example.com" }]);
  expect(JSON.parse(closed.out)).toMatchObject({ email: "sam@example.com", disabled_at: expect.any(String) });
});
