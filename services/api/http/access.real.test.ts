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
import { byTest, planter, until } from "../api.driver.ts";
import { createAuditCounts } from "../audit/audit-counts.ts";
import { createAudit } from "../audit/audit-request.ts";
import { createControlEndpoints } from "../control/control-endpoints.ts";
import { createKey } from "../control/keys.ts";
import { createSource } from "../control/sources.ts";
import { ensureTenant } from "../control/tenants.ts";
import { createMemberEndpoints } from "../organizations/member-endpoints.ts";
import { createRoleEndpoints, createTeamEndpoints } from "../organizations/team-endpoints.ts";
import type { Db } from "../postgres.ts";
import { createScimEndpoints } from "../scim/scim-endpoints.ts";
import { createScimToken } from "../scim/scim-tokens.ts";
import { createViewEndpoints } from "../views/view-endpoints.ts";
import { asking, plantMember, plantRoles, plantSession, type Route, routesOf } from "./access.driver.ts";
import type { Caller } from "./caller.ts";
import { paramNames } from "./endpoint.ts";

const anOwner = { grants: new Set(["owners.write"] as const), sources: "all" } as const;

let one: Platform;
let api: RunningService;
let db: Db;
let ask: ReturnType<typeof asking>;
let routes: Route[];
let members: Record<BuiltInRole, string>;
/** By path: an id of each parameter that another tenant has, and one that nobody has. */
let theirs: Record<string, readonly [their: string, nobodys: string]>;

/** What a route needs besides ids to get as far as looking for them. */
const bodies: Record<string, unknown> = {
  "PATCH /sources/{id}": { disabled: true },
  "PATCH /members/{person}": { role: "read-only" },
  "PATCH /teams/{id}": { name: "theirs" },
  "PATCH /roles/{id}": { name: "theirs" },
  "PATCH /sso/connections/{id}": { name: "theirs" },
  "PATCH /views/{id}": { name: "theirs" },
  "PATCH /dashboards/{id}": { name: "theirs" },
  "PATCH /audit/streams/{id}": { name: "theirs" },
  "PUT /alerts/rules/{id}": { id: "theirs", name: "theirs", when: { type: "match", query: "" } },
  "PATCH /alerts/destinations/{id}": { name: "theirs" },
  "PATCH /storage/connections/{id}": { name: "theirs" },
  "POST /alerts/incidents/{id}/snooze": { until: "2099-01-01T00:00:00Z" },
  "PUT /retention/rules/{id}": { name: "theirs", kind: "keep", query: "level:debug", days: 3 },
  "POST /access/grants/{id}/decision": { approve: true },
};

beforeAll(async () => {
  one = await platform(sharedStack());
  api = await one.start("api", { REQUESTS_PER_MINUTE: "1000000", REFUSALS_PER_MINUTE: "1000000" });
  db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  ask = asking(api, new URL(one.env("api").PUBLIC_URL ?? "").origin);
  members = await plantRoles(db, one.tenant);
  const other = (await ensureTenant(db, "the others", byTest(one))).id;
  const source = await createSource(db, other, { name: "theirs" }, byTest(one));
  const { row: key } = await createKey(db, other, { kind: "query" }, byTest(one));
  const stranger = await plantMember(db, other, "owner");
  const [stream, grant] = ["ast_000000000001", "acg_000000000001"];
  await db
    .insertInto("audit_streams")
    .values({
      ...{ id: stream, tenant: other, name: "theirs", url: "https://example.com", secret: "", cursor: 0 },
      disabled_at: new Date(),
    })
    .execute();
  await db
    .insertInto("access_grants")
    .values({ id: grant, tenant: other, person: stranger, reason: "because of a test", permissions: [], seconds: 60 })
    .execute();
  const [team, role, invitation] = ["tm_000000000001", "rol_000000000001", "inv_000000000001"];
  await db.insertInto("teams").values({ id: team, tenant: other, name: "theirs", sources: null }).execute();
  await db.insertInto("roles").values({ id: role, tenant: other, name: "theirs", permissions: [] }).execute();
  await db
    .insertInto("invitations")
    .values({
      ...{ id: invitation, tenant: other, email: "x@example.com", role: "member", sources: null, created_by: stranger },
      token_hash: "0".repeat(64),
      expires_at: new Date(Date.now() + 86_400_000),
    })
    .execute();
  const [connection, identity, domain] = ["sso_000000000001", "idn_000000000001", "dom_000000000001"];
  const saml = {
    kind: "saml",
    issuer: "x",
    entry_point: "https://x.example",
    certificates: "",
    client_id: null,
  } as const;
  await db
    .insertInto("sso_connections")
    .values({ id: connection, tenant: other, name: "theirs", client_secret: null, ...saml })
    .execute();
  const vouched = { issuer: "x", subject: "x", email: "x@example.com", connection };
  await db
    .insertInto("identities")
    .values({ id: identity, person: stranger, ...vouched })
    .execute();
  await db
    .insertInto("domains")
    .values({ id: domain, tenant: other, domain: "their.example", token: "t", verified_at: null })
    .execute();
  const scimToken = await createScimToken(db, other, { name: "theirs" }, anOwner, byTest(one));
  const [producer, mark] = ["prd_000000000001", "an_000000000001"];
  await db
    .insertInto("producers")
    .values({
      ...{ id: producer, tenant: other, source: source.id, username: "theirs", rotated_from: null },
      ...{ expires_at: null, revoked_at: new Date() },
    })
    .execute();
  await db
    .insertInto("retention_rules")
    .values({ id: "ret_000000000001", tenant: other, definition: "{}", created_by: stranger })
    .execute();
  const asked = { tenant: other, scope: "{}", reason: "theirs", requested_by: stranger, created_at: new Date() };
  await db
    .insertInto("deletions")
    .values({ id: "del_000000000001", ...asked, watched_until: new Date(), certificate: "{}" })
    .execute();
  const shown = { tenant: other, owner: stranger, owner_name: "theirs", name: "theirs", shared: true, content: "{}" };
  await db
    .insertInto("views")
    .values([
      { id: "vw_000000000001", kind: "view", ...shown },
      { id: "db_000000000001", kind: "dashboard", ...shown },
    ])
    .execute();
  await db
    .insertInto("annotations")
    .values({
      id: mark,
      tenant: other,
      kind: "note",
      title: "theirs",
      at: new Date(),
      until: null,
      created_by: stranger,
    })
    .execute();
  await db
    .insertInto("storage_connections")
    .values({
      ...{ id: "sto_000000000001", tenant: other, name: "theirs", kind: "s3", endpoint: "https://s3.example.com" },
      ...{ region: "eu-central-1", bucket: "theirs", prefix: "", encryption: "bucket", kms_key: "", archive: false },
      ...{ access_key_id: "theirs", secret_access_key: "v1.theirs" },
    })
    .execute();
  const alert = { tenant: other, created_at: new Date(), body: "{}" };
  const [foreign, nobodys] = ["a".repeat(32), "b".repeat(32)];
  await db
    .insertInto("alert_rules")
    .values({ tenant: other, id: "theirs", version: 1, effective_from: new Date(), definition: "{}", deleted_at: null })
    .execute();
  await db
    .insertInto("alert_destinations")
    .values({
      ...{ id: "dst_000000000001", tenant: other, name: "theirs", kind: "webhook", disabled_at: null },
      ...{ settings: JSON.stringify({ url: "https://example.com" }), template: '{"title":"","text":""}' },
    })
    .execute();
  await db
    .insertInto("alert_actions")
    .values({
      ...{ id: "act_000000000001", tenant: other, kind: "silence", matchers: "[]", ends_at: null, schedule: null },
      created_by: stranger,
    })
    .execute();
  await db
    .insertInto("alert_incidents")
    .values({ ...alert, id: foreign, rule: "theirs", state: "firing", closed: false })
    .execute();
  await db
    .insertInto("alert_notices")
    .values({ ...alert, id: "ntf_1", destination: "dst_000000000001", status: "taken", incidents: [] })
    .execute();
  const plant = planter(one);
  await plant.events(other, source.id, 0, 7, [{ message: "theirs", trace_id: "abc123" }]);
  await plant.ledger(other, source.id, [{ partition: 0, offset: 7, accepted: 1, stored: 1 }]);
  await plant.letter({ tenant: other, source: source.id, partition: 0, offset: 8, index: -1, reason: "not_avro" });
  await plant.close();
  const session = await db.selectFrom("sessions").select("id").executeTakeFirst();
  await plantSession(db, stranger);
  const theirSession = session ?? (await db.selectFrom("sessions").select("id").executeTakeFirstOrThrow());
  theirs = {
    "/sources/{id}": [source.id, "src_000000000000"],
    "/keys/{id}": [key.id, "key_000000000000"],
    "/members/{person}": [stranger, "usr_000000000000"],
    "/teams/{id}": [team, "tm_000000000000"],
    "/roles/{id}": [role, "rol_000000000000"],
    "/invitations/{id}": [invitation, "inv_000000000000"],
    "/audit/streams/{id}": [stream, "ast_000000000000"],
    "/access/grants/{id}": [grant, "acg_000000000000"],
    "/platform/access/{id}": [grant, "acg_000000000000"],
    "/platform/organizations/{id}": [other, "tn_000000000000"],
    "/organizations/{id}": [other, "tn_000000000000"],
    "/producers/{id}": [producer, "prd_000000000000"],
    "/views/{id}": ["vw_000000000001", "vw_000000000000"],
    "/dashboards/{id}": ["db_000000000001", "db_000000000000"],
    "/annotations/{id}": [mark, "an_000000000000"],
    "/events/{id}": ["0-7-0", "0-9-0"],
    "/traces/{id}": ["abc123", "abc124"],
    "/receipts/{receipt}": ["0-7x1", "0-9x1"],
    "/dead/{id}": ["0-8", "0-9"],
    "/me/sessions/{id}": [theirSession.id, "ses_000000000000"],
    "/me/passkeys/{id}": ["AAAA", "BBBB"],
    "/me/identities/{id}": [identity, "idn_000000000000"],
    "/me/identities/{provider}": ["nobody", "nothing"],
    "/sso/connections/{id}": [connection, "sso_000000000000"],
    "/sso/domains/{id}": [domain, "dom_000000000000"],
    "/sso/scim-tokens/{id}": [scimToken.row.id, "sct_000000000000"],
    "/storage/connections/{id}": ["sto_000000000001", "sto_000000000000"],
    "/alerts/rules/{id}": ["theirs", "nobodys"],
    "/deletions/{id}": ["del_000000000001", "del_000000000000"],
    "/retention/rules/{id}": ["ret_000000000001", "ret_000000000000"],
    "/alerts/destinations/{id}": ["dst_000000000001", "dst_000000000000"],
    "/alerts/incidents/{id}": [foreign, nobodys],
    "/alerts/silences/{id}": ["act_000000000001", "act_000000000000"],
    "/alerts/notices/{id}": ["ntf_1", "ntf_0"],
    "/auth/": ["sso_nobody", "sso_000000000000"],
  };
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
});

test("every route × every built-in role: what its permissions say, and no failure of ours", async () => {
  const wrong: unknown[] = [];
  for (const route of routes) {
    if (route.access === "anyone") continue;
    for (const role of builtInRoles) {
      const may: readonly string[] = roles[role].may;
      const allowed = route.access === "signed-in" || route.access === "member" || may.includes(route.access);
      const id = route.path.includes("{") ? idsOf(route)[1] : "";
      const { status, body } = await ask(
        await asRole(role),
        route.method,
        addressed(route.path, id),
        route.method === "GET" ? undefined : {},
      );
      const right = status < 500 && (allowed ? status !== 401 && status !== 403 : body?.code === "forbidden");
      if (!right) wrong.push([called(route), role, allowed, status, body?.code, body?.detail]);
    }
  }
  expect(wrong).toEqual([]);
});

test("every route × every kind of key and none at all", async () => {
  const askers = { none: {}, ingest: asKey(one.ingestKey), query: asKey(one.queryKey), admin: asKey(one.adminKey) };
  const wrong: unknown[] = [];
  for (const route of routes) {
    for (const [kind, headers] of Object.entries(askers)) {
      const id = route.path.includes("{") ? idsOf(route)[1] : "";
      const { status, body } = await ask(
        headers,
        route.method,
        addressed(route.path, id),
        route.method === "GET" ? undefined : {},
      );
      const may: readonly string[] = kind === "none" ? [] : keyPermissions[kind as keyof typeof keyPermissions];
      const allowed = route.access === "member" ? may.length > 0 : may.includes(route.access);
      const right =
        route.access === "anyone"
          ? status < 500
          : status < 500 &&
            (kind === "none"
              ? status === 401
              : allowed
                ? status !== 401 && status !== 403
                : body?.code === "forbidden");
      if (!right) wrong.push([called(route), kind, allowed, status, body?.code, body?.detail]);
    }
  }
  expect(wrong).toEqual([]);
});

/** Without what differs in every answer, and without the id that was asked for. */
const bare = (body: unknown, id: string): string =>
  JSON.stringify(body ?? null, (name, value) =>
    name === "request_id" || name === "stats" ? undefined : value,
  ).replaceAll(id, "ID");

test("another tenant's id is answered as one that nobody has, by people and by keys", async () => {
  const key = await createKey(db, one.tenant, { kind: "admin" }, byTest(one));
  await until("the key", async () => ((await ask(asKey(key.key), "GET", "/keys")).status === 200 ? true : undefined));
  // Who is not signed in yet belongs to no tenant.
  for (const route of routes.filter(({ path, access }) => path.includes("{") && access !== "anyone")) {
    const [foreign, unknown] = idsOf(route);
    const body = route.method === "GET" ? undefined : (bodies[called(route)] ?? {});
    const askers = [() => asRole("owner"), () => asKey(key.key), () => asKey(one.queryKey)];
    for (const headers of askers) {
      const there = await ask(await headers(), route.method, addressed(route.path, foreign), body);
      const nowhere = await ask(await headers(), route.method, addressed(route.path, unknown), body);
      expect([called(route), there.status, bare(there.body, foreign)]).toEqual([
        called(route),
        nowhere.status,
        bare(nowhere.body, unknown),
      ]);
      if (there.status !== 403)
        expect([called(route), there.status]).toEqual([called(route), route.path.startsWith("/receipts") ? 200 : 404]);
    }
  }
  // And nothing of theirs has changed.
  const rows = await db.selectFrom("sources").selectAll().where("name", "=", "theirs").execute();
  expect(rows.map(({ disabled }) => disabled)).toEqual([false]);
  expect(await db.selectFrom("teams").selectAll().where("name", "=", "theirs").execute()).toHaveLength(1);
  expect(
    (
      await db
        .selectFrom("keys")
        .selectAll()
        .where("id", "=", theirs["/keys/{id}"]?.[0] ?? "")
        .executeTakeFirstOrThrow()
    ).revoked_at,
  ).toBeNull();
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
  for (const [organization, nobody] of [[other, "tn_000000000000"]] as const) {
    const there = await ask({ cookie, "astralog-organization": organization }, "GET", "/sources");
    const nowhere = await ask({ cookie, "astralog-organization": nobody }, "GET", "/sources");
    expect([there.status, bare(there.body, "")]).toEqual([404, bare(nowhere.body, "")]);
  }
  expect((await ask({ cookie: bound, "astralog-organization": other }, "GET", "/access")).body.organization.id).toBe(
    one.tenant,
  );
});
