/** Who sees and may do what: members limited to sources, teams, custom roles and limited keys, in a real api. */
import { connectPostgres } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { byTest, planter, until } from "../api.driver.ts";
import { createSource } from "../control/sources.ts";
import type { Db } from "../postgres.ts";
import { type As, actorsOf, patient } from "./organizations.driver.ts";

let one: Platform;
let api: RunningService;
let db: Db;
let second: string;
let actors: ReturnType<typeof actorsOf>;
const asKey = (key: string): As => actors.asKey(key);
const member = (...who: Parameters<typeof actors.member>) => actors.member(...who);

beforeAll(async () => {
  one = await platform(sharedStack());
  api = await one.start("api", patient);
  db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  actors = actorsOf(one, api, db);
  second = (await createSource(db, one.tenant, { name: "second" }, byTest(one))).id;
  const plant = planter(one);
  await plant.events(one.tenant, one.source, 0, 1, [{ message: "from the first" }]);
  await plant.events(one.tenant, second, 0, 2, [{ message: "from the second" }]);
  await plant.ledger(one.tenant, second, [{ partition: 0, offset: 2, accepted: 1, stored: 1 }]);
  for (const [source, offset] of [
    [one.source, 3],
    [second, 4],
  ] as const)
    await plant.letter({ tenant: one.tenant, source, partition: 0, offset, index: -1, reason: "not_avro" });
  await plant.close();
});

afterAll(async () => {
  await db?.destroy();
  await one?.stop();
});

/** What somebody sees of events, in every way there is to see some. */
const seenBy = async (call: As) => ({
  search: (await call("GET", "/search")).body.events.map(({ message }: { message: string }) => message).sort(),
  events: await Promise.all(
    ["0-1-0", "0-2-0", "0-1-0/context", "0-2-0/context"].map(async (id) => (await call("GET", `/events/${id}`)).status),
  ),
  facet: (await call("GET", "/facets?fields=source")).body.facets[0].values
    .map(({ value }: { value: string }) => value)
    .sort(),
  counted: (await call("GET", "/histogram")).body.buckets.reduce(
    (sum: number, { counts }: { counts: Record<string, number> }) =>
      sum + Object.values(counts).reduce((a, b) => a + b, 0),
    0,
  ),
  receipt: (await call("GET", "/receipts/0-2x1")).body.state,
});
const everything = {
  search: ["from the first", "from the second"],
  events: [200, 200, 200, 200],
  facet: ["app", "second"],
  counted: 2,
  receipt: "stored",
};
const first = {
  search: ["from the first"],
  events: [200, 404, 200, 404],
  facet: ["app"],
  counted: 1,
  receipt: "pending",
};

test("who is limited to sources sees those alone, and a team's besides; what is taken away is gone at once", async () => {
  const { call: owner } = await member("owner");
  const { person, call } = await member("admin", { sources: [one.source] });
  expect(await seenBy(call)).toMatchObject({ ...first, search: first.search, facet: [expect.any(String)] });
  const dead = (body: { dead: { source: string }[] }) => body.dead.map(({ source }) => source);
  expect(dead((await call("GET", "/dead")).body)).toEqual([one.source]);
  expect((await call("GET", "/dead/0-4")).status).toBe(404);
  expect((await call("POST", "/dead/0-4/replay")).status).toBe(404);
  expect((await call("GET", "/sources")).body.sources.map(({ id }: { id: string }) => id)).toEqual([one.source]);
  expect((await call("PATCH", `/sources/${second}`, { disabled: true })).status).toBe(404);
  const { body: team } = await owner("POST", "/teams", { name: "seconds", sources: [second] });
  expect((await owner("PUT", `/teams/${team.id}/members/${person}`)).body.members).toEqual([person]);
  expect(await seenBy(call)).toMatchObject(everything);
  expect((await owner("GET", `/members/${person}`)).body).toMatchObject({ sources: [one.source], teams: [team.id] });
  expect((await owner("DELETE", `/teams/${team.id}/members/${person}`)).status).toBe(200);
  expect(await seenBy(call)).toMatchObject({ counted: 1, receipt: "pending" });
  await owner("PUT", `/teams/${team.id}/members/${person}`);
  expect((await owner("DELETE", `/teams/${team.id}`)).status).toBe(204);
  expect((await call("GET", "/access")).body.sources).toEqual([one.source]);
});

test("a custom role is what it names: changed at once for who has it, and not deleted while somebody does", async () => {
  const { call: owner } = await member("owner");
  const { body: role } = await owner("POST", "/roles", { name: "watchers", permissions: ["events.read"] });
  const { call, person } = await member(role.id);
  expect([(await call("GET", "/search")).status, (await call("GET", "/sources")).status]).toEqual([200, 403]);
  expect(
    (await owner("PATCH", `/roles/${role.id}`, { permissions: ["sources.read", "sources.read"] })).body.permissions,
  ).toEqual(["sources.read"]);
  expect([(await call("GET", "/search")).status, (await call("GET", "/sources")).status]).toEqual([403, 200]);
  expect((await owner("DELETE", `/roles/${role.id}`)).body.code).toBe("in_use");
  expect((await owner("POST", "/roles", { name: "watchers", permissions: ["events.read"] })).body.code).toBe(
    "name_taken",
  );
  await owner("PATCH", `/members/${person}`, { role: "member" });
  expect((await owner("DELETE", `/roles/${role.id}`)).status).toBe(204);
  const { roles, built_in } = (await owner("GET", "/roles")).body;
  expect(roles.map(({ name }: { name: string }) => name)).not.toContain("watchers");
  expect(built_in[0]).toMatchObject({ id: "owner" });
});

test("a key may be limited to permissions and sources, and can make or renew no key that is not", async () => {
  const admin = asKey(one.adminKey);
  const make = async (by: As, body: Record<string, unknown>): Promise<{ id: string; call: As }> => {
    const made = await by("POST", "/keys", body);
    expect([body, made.status]).toEqual([body, 201]);
    const call = asKey(made.body.key);
    await until("the key", async () => ((await call("GET", "/access")).status === 401 ? undefined : true));
    return { id: made.body.id, call };
  };
  const query = await make(admin, { kind: "query", sources: [one.source] });
  expect(await seenBy(query.call)).toMatchObject({ counted: 1, receipt: "pending", events: first.events });
  const keeper = await make(admin, { kind: "admin", permissions: ["keys.read", "keys.write"], sources: [second] });
  expect((await keeper.call("GET", "/sources")).body.code).toBe("forbidden");
  const { body: keys } = await keeper.call("GET", "/keys");
  expect(keys.keys.map(({ id }: { id: string }) => id)).toEqual([keeper.id]);
  const { body: unlimited } = await admin("POST", "/keys", { kind: "admin" });
  for (const [method, path, body] of [
    ["POST", "/keys", { kind: "admin" }],
    ["POST", "/keys", { kind: "query", sources: [second] }],
    ["POST", "/keys", { kind: "admin", permissions: ["keys.read"] }],
    ["POST", "/keys", { kind: "admin", permissions: ["keys.read"], sources: [one.source] }],
    ["POST", "/keys", { kind: "ingest", source: one.source }],
    ["POST", `/keys/${unlimited.id}/rotate`, {}],
    ["DELETE", `/keys/${unlimited.id}`, undefined],
    ["DELETE", `/keys/${query.id}`, undefined],
  ] as const) {
    const reply = await keeper.call(method, path, body);
    expect([method, path, body, reply.status]).toEqual([method, path, body, 403]);
  }
  const narrow = await make(keeper.call, { kind: "admin", permissions: ["keys.read"], sources: [second] });
  expect((await narrow.call("POST", "/keys", { kind: "ingest", source: second })).status).toBe(403);
  const ingest = await keeper.call("POST", "/keys", { kind: "ingest", source: second });
  expect(ingest.status).toBe(201);
  const { body: renewed } = await keeper.call("POST", `/keys/${keeper.id}/rotate`, {});
  expect(renewed).toMatchObject({ permissions: ["keys.read", "keys.write"], sources: [second] });
  for (const [body, detail] of [
    [{ kind: "query", permissions: ["keys.write"] }, /cannot have keys.write/],
    [{ kind: "ingest", source: one.source, permissions: ["events.read"] }, /leave permissions/],
    [{ kind: "query", sources: ["src_000000000000"] }, /no source/],
    [{ kind: "query", hash: "0".repeat(64) }, /unknown field "hash"/],
    [{ kind: "query", last_used_at: "2020-01-01T00:00:00Z" }, /unknown field/],
  ] as const) {
    const reply = await admin("POST", "/keys", body);
    expect([body, reply.status]).toEqual([body, 400]);
    expect(reply.body.detail).toMatch(detail);
  }
});
