/** For the tests of access: another organization with one of each kind of thing that has an id, and where that id is asked for. */
import type { Platform } from "@astralog/testbed";
import { byTest, planter } from "../api.driver.ts";
import { createKey } from "../control/keys.ts";
import { createSource } from "../control/sources.ts";
import { ensureTenant } from "../control/tenants.ts";
import type { Db } from "../postgres.ts";
import { createScimToken } from "../scim/scim-tokens.ts";
import { plantMember, plantSession } from "./access.driver.ts";

/** By the begin of a path: an id of its first parameter that another tenant has, and one that nobody has. */
export type Theirs = Record<string, readonly [their: string, nobodys: string]>;

/** What a route needs besides ids to get as far as looking for them. */
export const bodies: Record<string, unknown> = {
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
  "PATCH /storage/clickhouse/{id}": { name: "theirs" },
  "POST /alerts/incidents/{id}/snooze": { until: "2099-01-01T00:00:00Z" },
  "PUT /retention/rules/{id}": { name: "theirs", kind: "keep", query: "level:debug", days: 3 },
  "POST /imports/{id}/files": { name: "theirs", accepted: 0, refused: {} },
  "POST /imports/{id}/events": {
    name: "theirs",
    records: [
      {
        ...{ origin: "events.raw/0/1", received_at: 0 },
        events: [
          {
            ...{ timestamp: "0", level: 9, service: "", host: "", message: "", trace_id: "", span_id: "" },
            ...{ attribute_types: "", attributes: [] },
          },
        ],
      },
    ],
  },
  "POST /access/grants/{id}/decision": { approve: true },
};

const idOf = (prefix: string): string => `${prefix}_000000000001`;
const nobodys = (prefix: string): string => `${prefix}_000000000000`;
const both = (prefix: string) => [idOf(prefix), nobodys(prefix)] as const;
const [theirIncident, noIncident] = ["a".repeat(32), "b".repeat(32)];
const anOwner = { grants: new Set(["owners.write"] as const), sources: "all" } as const;

interface Other {
  readonly db: Db;
  readonly tenant: string;
  readonly source: string;
  readonly stranger: string;
}

const plantPeople = async ({ db, tenant, stranger }: Other): Promise<void> => {
  const named = { tenant, name: "theirs" };
  await db
    .insertInto("access_grants")
    .values({
      ...{ id: idOf("acg"), tenant, person: stranger },
      reason: "because of a test",
      permissions: [],
      seconds: 60,
    })
    .execute();
  await db
    .insertInto("teams")
    .values({ id: idOf("tm"), ...named, sources: null })
    .execute();
  await db
    .insertInto("roles")
    .values({ id: idOf("rol"), ...named, permissions: [] })
    .execute();
  await db
    .insertInto("invitations")
    .values({
      ...{ id: idOf("inv"), tenant, email: "x@example.com", role: "member", sources: null, created_by: stranger },
      ...{ token_hash: "0".repeat(64), expires_at: new Date(Date.now() + 86_400_000) },
    })
    .execute();
  await db
    .insertInto("sso_connections")
    .values({
      ...{ id: idOf("sso"), ...named, kind: "saml", issuer: "x", entry_point: "https://x.example" },
      ...{ certificates: "", client_id: null, client_secret: null },
    })
    .execute();
  await db
    .insertInto("identities")
    .values({
      ...{ id: idOf("idn"), person: stranger, issuer: "x", subject: "x", email: "x@example.com" },
      connection: idOf("sso"),
    })
    .execute();
  await db
    .insertInto("domains")
    .values({ id: idOf("dom"), tenant, domain: "their.example", token: "t", verified_at: null })
    .execute();
};

const plantSettings = async ({ db, tenant, source, stranger }: Other): Promise<void> => {
  const named = { tenant, name: "theirs" };
  await db
    .insertInto("audit_streams")
    .values({
      ...{ id: idOf("ast"), ...named, url: "https://example.com", secret: "", cursor: 0 },
      disabled_at: new Date(),
    })
    .execute();
  await db
    .insertInto("producers")
    .values({
      ...{ id: idOf("prd"), tenant, source, username: "theirs", rotated_from: null },
      ...{ expires_at: null, revoked_at: new Date() },
    })
    .execute();
  await db
    .insertInto("retention_rules")
    .values({ id: idOf("ret"), tenant, definition: "{}", created_by: stranger })
    .execute();
  await db
    .insertInto("deletions")
    .values({
      ...{ id: idOf("del"), tenant, scope: "{}", reason: "theirs", requested_by: stranger, created_at: new Date() },
      ...{ watched_until: new Date(), certificate: "{}" },
    })
    .execute();
  await db
    .insertInto("rehydrations")
    .values({
      ...{ id: idOf("reh"), tenant, connection: idOf("sto"), slot: null, definition: "{}", requested_by: stranger },
      ...{ events: 0, bytes: 0, ends_at: new Date(), ended_at: null },
    })
    .execute();
  await db
    .insertInto("takeouts")
    .values({
      ...{ id: idOf("tko"), tenant, requested_by: stranger, created_at: new Date(), expires_at: new Date() },
      ...{ parts: [], audit_seq: 1, state: "done" },
    })
    .execute();
  await db
    .insertInto("takeout_imports")
    .values({
      ...{ id: idOf("imp"), tenant, takeout: "tko_000000000009", manifest: "{}", requested_by: stranger },
      created_at: new Date(),
    })
    .execute();
  const shown = { ...named, owner: stranger, owner_name: "theirs", shared: true, content: "{}" };
  await db
    .insertInto("views")
    .values([
      { id: idOf("vw"), kind: "view", ...shown },
      { id: idOf("db"), kind: "dashboard", ...shown },
    ])
    .execute();
  await db
    .insertInto("annotations")
    .values({
      ...{ id: idOf("an"), tenant, kind: "note", title: "theirs", created_by: stranger },
      ...{ at: new Date(), until: null },
    })
    .execute();
  await db
    .insertInto("storage_connections")
    .values({
      ...{ id: idOf("sto"), ...named, kind: "s3", endpoint: "https://s3.example.com", region: "eu-central-1" },
      ...{ bucket: "theirs", prefix: "", encryption: "bucket", kms_key: "", archive: false },
      ...{ access_key_id: "theirs", secret_access_key: "v1.theirs" },
    })
    .execute();
  await db
    .insertInto("clickhouse_connections")
    .values({
      ...{
        id: idOf("sto"),
        ...named,
        url: "https://clickhouse.example.com",
        username: "theirs",
        password: "v1.theirs",
      },
      ...{ database: "theirs", cluster: "", mode: "off", server_version: "" },
    })
    .execute();
};

const plantAlerts = async ({ db, tenant, stranger }: Other): Promise<void> => {
  const alert = { tenant, created_at: new Date(), body: "{}" };
  await db
    .insertInto("alert_rules")
    .values({ tenant, id: "theirs", version: 1, effective_from: new Date(), definition: "{}", deleted_at: null })
    .execute();
  await db
    .insertInto("alert_destinations")
    .values({
      ...{ id: idOf("dst"), tenant, name: "theirs", kind: "webhook", disabled_at: null },
      ...{ settings: JSON.stringify({ url: "https://example.com" }), template: '{"title":"","text":""}' },
    })
    .execute();
  await db
    .insertInto("alert_actions")
    .values({
      ...{ id: idOf("act"), tenant, kind: "silence", matchers: "[]", created_by: stranger },
      ...{ ends_at: null, schedule: null },
    })
    .execute();
  await db
    .insertInto("alert_incidents")
    .values({ ...alert, id: theirIncident, rule: "theirs", state: "firing", closed: false })
    .execute();
  await db
    .insertInto("alert_notices")
    .values({ ...alert, id: "ntf_1", destination: idOf("dst"), status: "taken", incidents: [] })
    .execute();
};

const plantEvents = async (one: Platform, { tenant, source }: Other): Promise<void> => {
  const plant = planter(one);
  await plant.events(tenant, source, 0, 7, [{ message: "theirs", trace_id: "abc123" }]);
  await plant.ledger(tenant, source, [{ partition: 0, offset: 7, accepted: 1, stored: 1 }]);
  await plant.letter({ tenant, source, partition: 0, offset: 8, index: -1, reason: "not_avro" });
  await plant.close();
};

/** Makes that organization. */
export const plantTheirs = async (one: Platform, db: Db): Promise<Theirs> => {
  const tenant = (await ensureTenant(db, "the others", byTest(one))).id;
  const source = (await createSource(db, tenant, { name: "theirs" }, byTest(one))).id;
  const { row: key } = await createKey(db, tenant, { kind: "query" }, byTest(one));
  const stranger = await plantMember(db, tenant, "owner");
  const other = { db, tenant, source, stranger };
  await Promise.all([plantPeople(other), plantSettings(other), plantAlerts(other), plantEvents(one, other)]);
  const scimToken = await createScimToken(db, tenant, { name: "theirs" }, anOwner, byTest(one));
  await plantSession(db, stranger);
  const session = await db.selectFrom("sessions").select("id").where("person", "=", stranger).executeTakeFirstOrThrow();
  return {
    "/sources/{id}": [source, nobodys("src")],
    "/keys/{id}": [key.id, nobodys("key")],
    "/members/{person}": [stranger, nobodys("usr")],
    "/teams/{id}": both("tm"),
    "/roles/{id}": both("rol"),
    "/invitations/{id}": both("inv"),
    "/audit/streams/{id}": both("ast"),
    "/access/grants/{id}": both("acg"),
    "/platform/access/{id}": both("acg"),
    "/platform/organizations/{id}": [tenant, nobodys("tn")],
    "/organizations/{id}": [tenant, nobodys("tn")],
    "/producers/{id}": both("prd"),
    "/views/{id}": both("vw"),
    "/dashboards/{id}": both("db"),
    "/annotations/{id}": both("an"),
    "/events/{id}": ["0-7-0", "0-9-0"],
    "/traces/{id}": ["abc123", "abc124"],
    "/receipts/{receipt}": ["0-7x1", "0-9x1"],
    "/dead/{id}": ["0-8", "0-9"],
    "/me/sessions/{id}": [session.id, nobodys("ses")],
    "/me/passkeys/{id}": ["AAAA", "BBBB"],
    "/me/identities/{id}": both("idn"),
    "/me/identities/{provider}": ["nobody", "nothing"],
    "/sso/connections/{id}": both("sso"),
    "/sso/domains/{id}": both("dom"),
    "/sso/scim-tokens/{id}": [scimToken.row.id, nobodys("sct")],
    "/storage/connections/{id}": both("sto"),
    "/storage/clickhouse/{id}": both("sto"),
    "/alerts/rules/{id}": ["theirs", "nobodys"],
    "/deletions/{id}": both("del"),
    "/rehydrations/{id}": both("reh"),
    "/takeouts/{id}": both("tko"),
    "/imports/{id}": both("imp"),
    "/retention/rules/{id}": both("ret"),
    "/alerts/destinations/{id}": both("dst"),
    "/alerts/incidents/{id}": [theirIncident, noIncident],
    "/alerts/silences/{id}": both("act"),
    "/alerts/notices/{id}": ["ntf_1", "ntf_0"],
    "/auth/": ["sso_nobody", nobodys("sso")],
  };
};
