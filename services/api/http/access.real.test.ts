/**
 * Every route there is, with every kind of asker, and with the ids of another tenant. The routes come from the running
 * api itself, so one that is added is walked too, or fails this for want of an id to walk it with.
 */
import { createLog } from "@astralog/chassis";
import { type BuiltInRole, builtInRoles, keyPermissions, type Permission, permissions, roles } from "@astralog/schemas";
import { connectPostgres } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Request, Response } from "express";
import { createAccessEndpoints } from "../access/access-endpoints.ts";
import { byTest, until } from "../api.driver.ts";
import { createAuditCounts } from "../audit/audit-counts.ts";
import { createAudit } from "../audit/audit-request.ts";
import { createControlEndpoints } from "../control/control-endpoints.ts";
import { createKey } from "../control/keys.ts";
import { createMemberEndpoints } from "../organizations/member-endpoints.ts";
import { createRoleEndpoints, createTeamEndpoints } from "../organizations/team-endpoints.ts";
import type { Db } from "../postgres.ts";
import { createScimEndpoints } from "../scim/scim-endpoints.ts";
import { createViewEndpoints } from "../views/view-endpoints.ts";
import { asking, plantRoles, plantSession, type Route, routesOf } from "./access.driver.ts";
import type { Caller } from "./caller.ts";
import { paramNames } from "./endpoint.ts";
import { bodies, plantTheirs, type Theirs } from "./theirs.driver.ts";

let one: Platform;
let api: RunningService;
let db: Db;
let ask: ReturnType<typeof asking>;
let routes: Route[];
let members: Record<BuiltInRole, string>;
let theirs: Theirs;

beforeAll(async () => {
  one = await platform(sharedStack());
  api = await one.start("api", { REQUESTS_PER_MINUTE: "1000000", REFUSALS_PER_MINUTE: "1000000" });
  db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  ask = asking(api, new URL(one.env("api").PUBLIC_URL ?? "").origin);
  members = await plantRoles(db, one.tenant);
  theirs = await plantTheirs(one, db);
  routes = await routesOf(api);
});

afterAll(async () => {
  await db?.destroy();
  await one?.stop();
});

const idsOf = ({ method, path }: Route): readonly [string, string] => {
  const found = Object.entries(theirs).find(([begin]) => path.startsWith(begin));
  if (found === undefined) throw new Error(`${method} ${path}: put a foreign and an unknown id of it into this test`);
  return found[1];
};
/** The first parameter is the one that is somebody's; a second one is somebody of ours. */
const addressed = (path: string, id: string): string => path.replace(/\{\w+\}/, id).replace(/\{\w+\}/, members.member);

/** A session of its own for each request: some of the requests end it. */
const asRole = async (role: BuiltInRole) => ({ cookie: await plantSession(db, members[role]) });
const asKey = (key: string) => ({ authorization: `Bearer ${key}` });

const called = ({ method, path }: Route): string => `${method} ${path}`;

test("every route names a permission that is, or says that it needs none", () => {
  expect(routes.length).toBeGreaterThan(40);
  for (const { access } of routes) {
    expect(["anyone", "signed-in", "member", "plans.write", "access.request", ...Object.keys(permissions)]).toContain(
      access,
    );
  }
  // A permission that no route asks for would be a promise about nothing.
  const asked = new Set(routes.map(({ access }) => access));
  const byRule = ["owners.write"];
  for (const name of Object.keys(permissions)) if (!byRule.includes(name)) expect(asked).toContain(name);
  // What nobody has set up is not there.
  expect(routes.filter(({ path }) => path.startsWith("/partners/"))).toEqual([]);
});

const has = (may: readonly string[], { access }: Route): boolean =>
  access === "member" ? may.length > 0 : may.includes(access);

/** What is wrong with how each route answers one asker: he gets in where he may, is refused where not, and nothing breaks. */
const walk = async (asker: string, headers: () => Promise<Record<string, string>>, may: (route: Route) => boolean) => {
  const wrong: unknown[] = [];
  for (const route of routes) {
    if (route.access === "anyone" && asker !== "nobody") continue;
    const id = route.path.includes("{") ? idsOf(route)[1] : "";
    const body = route.method === "GET" ? undefined : {};
    const { status, body: said } = await ask(await headers(), route.method, addressed(route.path, id), body);
    const refused = asker === "nobody" ? status === 401 : said?.code === "forbidden";
    const right = route.access === "anyone" || (may(route) ? status !== 401 && status !== 403 : refused);
    // Who walks beside may take the last place: exports are few at once.
    const failed = status >= 500 && said?.code !== "busy";
    if (failed || !right) wrong.push([called(route), asker, status, said?.code, said?.detail]);
  }
  return wrong;
};

test("every route × every built-in role: what its permissions say, and no failure of ours", async () => {
  const walks = builtInRoles.map((role) =>
    walk(
      role,
      () => asRole(role),
      (route) => route.access === "signed-in" || has(roles[role].may, route),
    ),
  );
  expect((await Promise.all(walks)).flat()).toEqual([]);
});

test("every route × every kind of key and none at all", async () => {
  const keys = { ingest: one.ingestKey, query: one.queryKey, admin: one.adminKey };
  const walks = (Object.keys(keys) as (keyof typeof keys)[]).map((kind) =>
    walk(
      kind,
      () => Promise.resolve(asKey(keys[kind])),
      (route) => has(keyPermissions[kind], route),
    ),
  );
  const nobody = walk(
    "nobody",
    () => Promise.resolve({}),
    () => false,
  );
  expect((await Promise.all([...walks, nobody])).flat()).toEqual([]);
});

/** Without what differs in every answer, and without the id that was asked for. */
const bare = (body: unknown, id: string): string =>
  JSON.stringify(body ?? null, (name, value) =>
    name === "request_id" || name === "stats" ? undefined : value,
  ).replaceAll(id, "ID");

test("another tenant's id is answered as one that nobody has, by people and by keys", async () => {
  const key = await createKey(db, one.tenant, { kind: "admin" }, byTest(one));
  await until("the key", async () => ((await ask(asKey(key.key), "GET", "/keys")).status === 200 ? true : undefined));
  const compare = async (headers: () => Promise<Record<string, string>>): Promise<void> => {
    // Who is not signed in yet belongs to no tenant.
    for (const route of routes.filter(({ path, access }) => path.includes("{") && access !== "anyone")) {
      const [foreign, unknown] = idsOf(route);
      const body = route.method === "GET" ? undefined : (bodies[called(route)] ?? {});
      const there = await ask(await headers(), route.method, addressed(route.path, foreign), body);
      const nowhere = await ask(await headers(), route.method, addressed(route.path, unknown), body);
      const said = [called(route), there.status, bare(there.body, foreign)];
      expect(said).toEqual([called(route), nowhere.status, bare(nowhere.body, unknown)]);
      const found = route.path.startsWith("/receipts") ? 200 : 404;
      if (there.status !== 403) expect([called(route), there.status]).toEqual([called(route), found]);
    }
  };
  await Promise.all([
    compare(() => asRole("owner")),
    ...[key.key, one.queryKey].map((each) => compare(() => Promise.resolve(asKey(each)))),
  ]);
  // And nothing of theirs has changed.
  const rows = await db.selectFrom("sources").selectAll().where("name", "=", "theirs").execute();
  expect(rows.map(({ disabled }) => disabled)).toEqual([false]);
  expect(await db.selectFrom("teams").selectAll().where("name", "=", "theirs").execute()).toHaveLength(1);
  const [theirKey = ""] = theirs["/keys/{id}"] ?? [];
  const { revoked_at } = await db.selectFrom("keys").selectAll().where("id", "=", theirKey).executeTakeFirstOrThrow();
  expect(revoked_at).toBeNull();
});

test("another tenant's id takes the same statements as one that nobody has, so that time tells nothing either", async () => {
  const kinds: string[] = [];
  const told = db.withPlugin({
    transformQuery: ({ node }) => {
      kinds.push(node.kind);
      return node;
    },
    transformResult: ({ result }) => Promise.resolve(result),
  });
  const log = createLog("test", "silent");
  const counts = createAuditCounts({ db, log });
  // Its clock would outlive the test; nothing here comes in floods.
  await counts.close();
  const audit = createAudit({ db: told, signer: byTest(one).signer, counts });
  const deps = { db: told, audit, log };
  const send = () => Promise.reject(new Error("nothing is sent"));
  const endpoints = [
    ...createControlEndpoints({ ...deps, sourceChanged: () => Promise.resolve() }),
    ...[createTeamEndpoints, createRoleEndpoints, createViewEndpoints, createScimEndpoints].flatMap((create) =>
      create(deps),
    ),
    ...createMemberEndpoints({ ...deps, send }),
    ...createAccessEndpoints({ ...deps, sourceUse: () => Promise.resolve(new Map()) }),
  ];
  const owns: ReadonlySet<Permission> = new Set(roles.owner.may);
  const session = { id: "ses_000000000001", person: members.owner, mfaAt: new Date() };
  const actor = { kind: "user", id: members.owner, name: "" } as const;
  const caller: Caller = { tenant: one.tenant, actor, permissions: owns, grants: owns, sources: "all", session };
  const request = { ip: "127.0.0.1", headers: {} };
  const response = { req: request, locals: { requestId: "same-work", asker: caller } } as unknown as Response;
  let walked = 0;
  for (const { method, path, access, params, query, body, handle } of endpoints) {
    const [first = "", second] = paramNames(path);
    if (first === "" || access === "access.request") continue;
    const route = { method: method.toUpperCase(), path: path.replaceAll(/:(\w+)/g, "{$1}"), access, stepUp: false };
    const work = async (id: string) => {
      kinds.length = 0;
      const given = { [first]: id, ...(second === undefined ? {} : { [second]: members.member }) };
      const input = {
        params: params.parse(given),
        query: query.parse({}),
        body: body?.parse(bodies[called(route)] ?? {}),
        ...{ caller, unchanged: () => {}, request: request as Request, response },
      };
      const code = await Promise.resolve(handle(input)).then(
        () => "done",
        (error: { code?: string }) => error.code,
      );
      return [called(route), code, ...kinds];
    };
    const [foreign, unknown] = idsOf(route);
    const there = await work(foreign);
    expect(there).toEqual(await work(unknown));
    expect(there.length).toBeGreaterThan(2);
    expect(there[1]).toBe("not_found");
    walked++;
  }
  expect(walked).toBeGreaterThan(20);
});

test("the header names another organization: as if it were not there, for a session bound to one as well", async () => {
  const other = theirs["/organizations/{id}"]?.[0] ?? "";
  const cookie = await plantSession(db, members.owner);
  const bound = await plantSession(db, members.owner, one.tenant);
  const there = await ask({ cookie, "astralog-organization": other }, "GET", "/sources");
  const nowhere = await ask({ cookie, "astralog-organization": "tn_000000000000" }, "GET", "/sources");
  expect([there.status, bare(there.body, "")]).toEqual([404, bare(nowhere.body, "")]);
  const own = await ask({ cookie: bound, "astralog-organization": other }, "GET", "/access");
  expect(own.body.organization.id).toBe(one.tenant);
});
