/** Buckets of one's own over the api, on a real server of buckets, behind one that withholds one right after another. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import {
  createBucket,
  createControlTable,
  createKafka,
  createLog,
  createMetrics,
  createOutgoing,
  createProducer,
  createRegistry,
  kafkaShape,
  loadConfig,
} from "@astralog/chassis";
import { type BucketServer, choosePorts, startBucketServer, state } from "@astralog/local";
import { type AuditHead, encodeRecord, isSignedHead, topics } from "@astralog/schemas";
import { clientKeyId, newClientKey } from "@astralog/schemas/encrypted-object";
import { connectPostgres } from "@astralog/schemas/postgres";
import { archiveFolder, archiveNames } from "@astralog/schemas/storage";
import { askAs, type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { sql } from "kysely";
import { callApi, type Reply, until } from "../api.driver.ts";
import type { Db } from "../postgres.ts";
import { startSts } from "./sts.driver.ts";

jest.setTimeout(240_000);

let one: Platform;
let api: RunningService;
let db: Db;
let buckets: BucketServer;
let folder: string;
let ask: (method: string, path: string, body?: unknown) => Promise<Reply>;
let sts: Awaited<ReturnType<typeof startSts>>;
const ourselves = { id: "AKIAOURSELVES", secret: "our-own-secret" };
const withRoles = () => ({
  ...{ OUTGOING_ALLOWED: "127.0.0.0/8", STORAGE_AWS_PRINCIPAL: "arn:aws:iam::111122223333:user/astralog" },
  ...{ STORAGE_AWS_ACCESS_KEY_ID: ourselves.id, STORAGE_AWS_SECRET_ACCESS_KEY: ourselves.secret },
  STORAGE_STS_URL: sts.url,
});
let withhold: (method: string, url: string, headers: Record<string, unknown>) => boolean = () => false;
/** Hands on what it does not refuse, host and signature as they came. */
const guard = createServer((incoming, response) => {
  if (withhold(incoming.method ?? "", incoming.url ?? "", incoming.headers)) {
    incoming.resume();
    response.writeHead(403).end("<Error><Code>AccessDenied</Code><Message>secret words</Message></Error>");
    return;
  }
  const { method, url: path, headers } = incoming;
  const onward = request(`${buckets.url}${path ?? ""}`, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  incoming.pipe(onward);
});

beforeAll(async () => {
  folder = mkdtempSync(join(state, "storage-"));
  await new Promise<void>((resolve) => void guard.listen(0, "127.0.0.1", resolve));
  const { port } = await choosePorts({ port: 0 });
  [buckets, one] = await Promise.all([
    startBucketServer({ dir: folder, log: join(folder, "log"), port, buckets: ["theirs"] }),
    platform(sharedStack()),
  ]);
  // Each session has half a second before it is renewed.
  const session = () => ({ id: buckets.accessKeyId, secret: buckets.secretAccessKey, seconds: 1 });
  sts = await startSts(ourselves, session);
  api = await one.start("api", withRoles());
  db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  ask = (...rest) => callApi(api)(one.adminKey, ...rest);
  await until("the admin key", async () =>
    (await ask("GET", "/storage/connections")).status === 200 ? true : undefined,
  );
});

afterAll(async () => {
  await db?.destroy();
  await one?.stop();
  await buckets?.stop();
  guard.close();
  guard.closeAllConnections();
  sts?.close();
  rmSync(folder, { recursive: true, force: true });
});

const askClickHouse = (query: string) => {
  const { url, database, users } = one.stack.clickhouse;
  return askAs(url, database, "astralog_admin", users.astralog_admin ?? "")(query);
};

const given = (more: object = {}) => ({
  ...{ name: "ours", kind: "compatible", bucket: "theirs", prefix: "logs/" },
  endpoint: `http://127.0.0.1:${(guard.address() as AddressInfo).port}`,
  ...{ access_key_id: buckets.accessKeyId, secret_access_key: buckets.secretAccessKey, ...more },
});
const create = (more: object = {}) => ask("POST", "/storage/connections", given(more));

test("a bucket that lacks a right is refused by that right's name, and nothing is left behind", async () => {
  const lacking: Record<string, typeof withhold> = {
    put: (method) => method === "PUT",
    put_if_new: (method, _, headers) => method === "PUT" && Number(headers["content-length"]) === 5,
    get: (method, url) => method === "GET" && !url.includes("list-type"),
    list: (method, url) => method === "GET" && url.includes("list-type"),
    delete: (method) => method === "DELETE",
  };
  for (const [right, when] of Object.entries(lacking)) {
    withhold = when;
    const { status, body } = await create();
    expect([right, status, body.code]).toEqual([right, 422, "storage_unfit"]);
    expect(body.detail).toContain(`${right}: `);
    expect(body.detail).toContain("AccessDenied");
    expect(body.detail).not.toContain("secret words");
  }
  withhold = () => false;
  const wrong = await create({ secret_access_key: "not-the-secret-key" });
  expect(wrong.body.detail).toContain("SignatureDoesNotMatch");
  expect((await ask("GET", "/storage/connections")).body.connections).toEqual([]);
});

test("addresses inside, and what is no bucket, are refused", async () => {
  const inside = (endpoint: string) => create({ endpoint });
  for (const address of ["http://10.0.0.1", "https://169.254.169.254", "https://[::1]:8443", "https://localhost:22"])
    expect([address, (await inside(address)).status]).toEqual([address, address.includes("localhost") ? 422 : 400]);
  for (const more of [
    { prefix: "no-slash" },
    { prefix: "../" },
    { bucket: "A" },
    { kind: "s3", endpoint: undefined },
    { endpoint: "https://a.example/path" },
  ])
    expect((await create(more)).body.code).toBe("invalid_request");
});

test("keys go in, are kept sealed, go sealed to the archive, and never come out", async () => {
  const made = await create();
  expect(made.status).toBe(201);
  const id = made.body.id;
  expect((await create()).body.code).toBe("name_taken");
  const path = `/storage/connections/${id}`;
  expect((await ask("POST", `${path}/probe`)).body).toEqual({ ok: true, lacking: null, problem: "" });
  expect((await ask("PATCH", path, { secret_access_key: "lonely-secret" })).body.code).toBe("invalid_request");
  const wrong = { access_key_id: buckets.accessKeyId, secret_access_key: "another-secret" };
  expect((await ask("PATCH", path, wrong)).body.code).toBe("storage_unfit");
  const changed = await ask("PATCH", path, { name: "renamed", archive: false });
  expect(changed.body).toMatchObject({ name: "renamed", archive: false, version: 2 });

  const kept = await sql<{ text: string }>`select to_jsonb(c)::text as text from storage_connections c
    union all select to_jsonb(o)::text from outbox o union all select to_jsonb(e)::text from audit_events e`.execute(
    db,
  );
  const everything = JSON.stringify([
    kept.rows,
    made.body,
    changed.body,
    (await ask("GET", "/storage/connections")).body,
  ]);
  expect(everything).not.toContain(buckets.secretAccessKey);
  expect(api.output()).not.toContain(buckets.secretAccessKey);
  for (const action of ["created", "probed", "changed"]) expect(everything).toContain(`storage.connection_${action}`);
  const row = await db.selectFrom("storage_connections").selectAll().executeTakeFirstOrThrow();
  expect(row.secret_access_key).toMatch(/^v1\.dk_/);

  expect((await ask("DELETE", path)).status).toBe(204);
  expect((await ask("GET", path)).status).toBe(404);
});

test("on a plan without storage of one's own nothing is connected and nothing goes on, and what is there can be ended", async () => {
  const path = `/storage/connections/${(await create({ name: "from before" })).body.id}`;
  const plan = (name: string) => db.updateTable("tenants").set({ plan: name }).where("id", "=", one.tenant).execute();
  const server = { name: "ours", url: "http://127.0.0.1:1", username: "u", password: "p", database: "logs" };
  await plan("team");
  expect((await ask("PATCH", path, { name: "renamed", archive: true })).status).toBe(200);
  expect((await ask("PATCH", path, { archive: false })).body).toMatchObject({ archive: false });
  for (const refused of [
    await create({ name: "another" }),
    await ask("PATCH", path, { archive: true }),
    await ask("POST", "/storage/clickhouse", server),
  ]) {
    expect([refused.status, refused.body.code]).toEqual([409, "over_plan"]);
    expect(refused.body.detail).toContain("own_storage: the organization's plan (team) does not have it; business and");
  }
  await plan("enterprise");
  expect((await ask("PATCH", path, { archive: true })).body).toMatchObject({ archive: true });
  expect((await ask("POST", "/storage/clickhouse", server)).body.code).toBe("storage_unfit");
  expect((await ask("DELETE", path)).status).toBe(204);
});

test("client keys are made or given, kept sealed, shown once or never, and a bucket with them is not searched in place", async () => {
  const own = newClientKey().toString("base64");
  for (const [more, word] of [
    [{ client_key: own }, "client_key goes with client_encryption"],
    [{ client_encryption: true, client_key: own.slice(2) }, "openssl rand -base64 32"],
  ] as const) {
    const { status, body } = await create(more);
    expect([status, body.code]).toEqual([400, "invalid_request"]);
    expect(body.detail).toContain(word);
  }
  const made = await create({ name: "made", client_encryption: true });
  const key = String(made.body.client_key);
  expect(made.body).toMatchObject({
    client_encryption: true,
    client_keys: [{ id: clientKeyId(Buffer.from(key, "base64")), given: false }],
  });
  const given = await create({ name: "given", client_encryption: true, client_key: own });
  expect(given.body.client_keys).toMatchObject([{ id: clientKeyId(Buffer.from(own, "base64")), given: true }]);
  expect(given.body.client_key).toBeUndefined();
  const path = `/storage/connections/${given.body.id}`;
  expect((await ask("POST", `${path}/probe`)).body.ok).toBe(true);
  expect((await ask("POST", `${path}/client-keys`, { client_key: own })).body.code).toBe("invalid_request");
  const renewed = await ask("POST", `${path}/client-keys`, {});
  expect(renewed.body).toMatchObject({ version: 2, client_keys: [{ given: false }, { given: true }] });
  const keys = { access_key_id: buckets.accessKeyId, secret_access_key: buckets.secretAccessKey };
  expect((await ask("PATCH", path, keys)).body.client_keys).toHaveLength(2);
  const plain = await create({ name: "plain" });
  expect(plain.body).toMatchObject({ client_encryption: false, client_keys: [] });
  const without = await ask("POST", `/storage/connections/${plain.body.id}/client-keys`, {});
  expect(without).toMatchObject({ status: 400, body: { code: "invalid_request" } });

  const kept = await sql<{ text: string }>`select to_jsonb(c)::text as text from storage_connections c
    union all select to_jsonb(o)::text from outbox o union all select to_jsonb(e)::text from audit_events e`.execute(
    db,
  );
  const everything = JSON.stringify([kept.rows, (await ask("GET", "/storage/connections")).body, api.output()]);
  for (const secret of [own, key, String(renewed.body.client_key)]) expect(everything).not.toContain(secret);
  expect(everything).toContain("storage.connection_client_key_renewed");
  const asReader = (where: string) => callApi(api)(one.queryKey, "GET", where);
  const { places } = (await asReader("/search/places")).body as unknown as {
    places: { name: string; searchable: boolean }[];
  };
  expect(places.map(({ name, searchable }) => [name, searchable])).toEqual([
    ...[
      ["made", false],
      ["given", false],
      ["plain", true],
    ],
  ]);
  for (const where of ["/search", "/histogram", "/fields"])
    expect(await asReader(`${where}?place=${given.body.id}`)).toMatchObject({
      ...{ status: 409, body: { code: "bucket_encrypted" } },
    });
  for (const { id } of [made.body, given.body, plain.body])
    expect((await ask("DELETE", `/storage/connections/${id}`)).status).toBe(204);
});

test("a role opens a bucket instead of keys, for this organization and this folder alone, in sessions that are renewed", async () => {
  const role = "arn:aws:iam::444455556666:role/logs";
  const byRole = (more: object = {}) => {
    const { access_key_id: _, secret_access_key: __, ...rest } = given();
    return ask("POST", "/storage/connections", { ...rest, kind: "s3", region: "us-east-1", role_arn: role, ...more });
  };
  const identity = (await ask("GET", "/storage/identity")).body;
  expect(identity).toMatchObject({ principal: "arn:aws:iam::111122223333:user/astralog", external_id: one.tenant });
  expect(JSON.stringify(identity.trust_policy)).toContain(`"sts:ExternalId":"${one.tenant}"`);
  for (const more of [{ kind: "compatible" }, { access_key_id: "one-too-many" }, { role_arn: "role/logs" }])
    expect((await byRole(more)).body.code).toBe("invalid_request");
  sts.refuse(true);
  const refused = await byRole();
  expect([refused.status, refused.body.code]).toEqual([422, "storage_unfit"]);
  expect(refused.body.detail).toContain(
    `AccessDenied. Its trust policy must name this installation and the external id ${one.tenant}`,
  );
  expect(refused.body.detail).not.toContain("secret words");
  sts.refuse(false);
  const tokens = new Set<unknown>();
  withhold = (_, __, headers) => {
    tokens.add(headers["x-amz-security-token"]);
    return false;
  };
  const made = await byRole();
  expect(made.body).toMatchObject({ role_arn: role, access_key_id: "" });
  expect(sts.asked[0]).toMatchObject({ role, externalId: one.tenant });
  expect(sts.asked[0]?.policy).toContain('"arn:aws:s3:::theirs/logs/*"');
  const path = `/storage/connections/${made.body.id}`;
  await until("a second session", async () => {
    expect((await ask("POST", `${path}/probe`)).body.ok).toBe(true);
    return tokens.size > 1 ? true : undefined;
  });
  expect(tokens).not.toContain(undefined);
  // Keys end the role.
  const keys = { access_key_id: buckets.accessKeyId, secret_access_key: buckets.secretAccessKey };
  expect((await ask("PATCH", path, keys)).body).toMatchObject({ role_arn: "", access_key_id: keys.access_key_id });
  withhold = () => false;
  expect((await ask("DELETE", path)).status).toBe(204);
});

test("what the control topic has lost of it, or was told by others, is put right from Postgres", async () => {
  const { body: made } = await create({ name: "put right" });
  const env = one.env("api");
  const context = { log: createLog("test", "fatal"), metrics: createMetrics("test") };
  const kafka = createKafka(loadConfig(kafkaShape, env), context.log, "test");
  const topic = kafka.name(topics.storage.name);
  const schemaId = await createRegistry(loadConfig(kafkaShape, env)).idOf("StorageConnection", topic);
  const told: string[] = [];
  const table = await createControlTable(kafka, context, {
    principal: "api",
    topic: topics.storage,
    onChange: (key, record) => void told.push(`${record === undefined ? "-" : "+"}${key}`),
  });
  const producer = await createProducer(kafka, context, { lingerMs: 0 });
  try {
    const [ours, strange] = [`${one.tenant}/${made.id}`, `${one.tenant}/sto_stranger`];
    const said = await until("the connection", () => table.get(ours));
    const value = encodeRecord("StorageConnection", schemaId, { ...said, connection: "sto_stranger" });
    await producer.send({ topic, partition: 0, key: Buffer.from(strange), value });
    await producer.send({ topic, partition: 0, key: Buffer.from(ours), value: null });
    await until("the loss", () => (told.includes(`-${ours}`) && told.includes(`+${strange}`) ? true : undefined));
    // Corrected each half minute, and at the start.
    await api.kill("SIGTERM");
    api = await one.start("api", withRoles());
    const again = await until("it to be told again", () => table.get(ours));
    expect({ ...JSON.parse(again.definition), sealed: "" }).toEqual({ ...JSON.parse(said.definition), sealed: "" });
    await until("the stranger's end", () => (table.get(strange) === undefined ? true : undefined));
  } finally {
    await Promise.all([table.close(), producer.close()]);
  }
  expect((await ask("DELETE", `/storage/connections/${made.id}`)).status).toBe(204);
});

test("a bucket is given the audit trail's head, keeps it, and an api whose trail contradicts it says so", async () => {
  const named = (name: string) => create({ name, archive: false });
  const [honest, forged] = [(await named("honest")).body.id, (await named("forged")).body.id];
  const settings = { ...given(), encryption: "bucket", kms_key: "", region: "us-east-1" } as const;
  const bucketOf = (id: string) =>
    createBucket({
      ...{
        settings: { ...settings, kind: "compatible" },
        keys: settings,
        folder: archiveFolder({ prefix: "logs/", id }),
      },
      outgoing: createOutgoing({ allowed: ["127.0.0.0/8"] }),
    });
  const headsIn = (id: string) =>
    until("a head in the bucket", async () => {
      const objects = await bucketOf(id).list("audit-heads/");
      return objects.length > 0 ? objects.map(({ name }) => name) : undefined;
    });
  const [name = ""] = await headsIn(honest);
  const kept = JSON.parse(String(await bucketOf(honest).get(name)));
  expect(isSignedHead(kept.head, kept.public_key)).toBe(true);
  expect(name).toBe(archiveNames.auditHead(kept.head.seq));
  expect(kept.head.tenant).toBe(one.tenant);
  await headsIn(forged);
  // The trail goes on; its next head would come in five minutes.
  expect((await ask("PATCH", `/storage/connections/${honest}`, { name: "still honest" })).status).toBe(200);

  // The next api puts the head of today anew: one bucket has it, the other one of a trail that never was.
  const today = await until("the trail's end in Kafka", async () => {
    const chain = await db.selectFrom("audit_chains").select("seq").where("tenant", "=", one.tenant).executeTakeFirst();
    const { head, ...rest } = (await ask("GET", "/audit/head")).body;
    return (head as AuditHead).seq === chain?.seq ? { ...rest, head: head as AuditHead } : undefined;
  });
  await api.kill();
  const put = (id: string, head: unknown) =>
    bucketOf(id).putNew(archiveNames.auditHead(today.head.seq), Buffer.from(JSON.stringify({ ...today, head })));
  expect(await put(honest, today.head)).toBe(true);
  expect(await put(forged, { ...today.head, hash: "f".repeat(64) })).toBe(true);
  api = await one.start("api", { OUTGOING_ALLOWED: "127.0.0.0/8" });
  const metrics = await until("both buckets", async () => {
    const text = await (await fetch(`${api.ops}/metrics`)).text();
    const outcomes = ["contradicted", "put"].every((outcome) => text.includes(`outcome="${outcome}"`));
    return outcomes ? text : undefined;
  });
  expect(metrics).toMatch(/audit_anchors_total\{[^}]*outcome="contradicted"[^}]*\} 1/);
  expect(metrics).toMatch(/audit_anchors_total\{[^}]*outcome="put"[^}]*\} 1/);
  expect(api.output().match(/has another head of this audit trail/g)).toHaveLength(1);
});

test("what was archived is found in the bucket as it is in Astralog, within what the asker may see", async () => {
  const receiver = await one.start("receiver");
  await Promise.all([
    one.start("redactor"),
    one.start("sink"),
    one.start("archive", { OUTGOING_ALLOWED: "127.0.0.0/8", FLUSH_SECONDS: "1" }),
  ]);
  const { body } = await create({ name: "searched" });
  const place = body.id;
  const now = Date.now();
  const trace = "a".repeat(32);
  const at = (i: number) => now - i * 9_000_000 - (i === 39 ? 90 * 86_400_000 : 0);
  const events = Array.from({ length: 40 }, (_, i) => ({
    ...{ message: `event ${i} ${i % 3 === 0 ? "card declined" : "fine"}`, n: i, trace_id: i % 4 === 0 ? trace : "" },
    ...{ service: i % 2 === 0 ? "shop" : "cart", level: i % 5 === 0 ? "error" : "info" },
    // Today, the days before, and one that lies far from when it came.
    timestamp: new Date(at(i)),
  }));
  await until("the events to be taken", async () => {
    const answer = await fetch(`${receiver.url}/v1/events`, {
      ...{ method: "POST", body: JSON.stringify(events) },
      headers: { authorization: `Bearer ${one.ingestKey}`, "content-type": "application/json", "idempotency-key": "a" },
    });
    await answer.arrayBuffer();
    return answer.ok ? true : undefined;
  });
  const asKey = async (key: string, path: string, parameters: Record<string, string>) => {
    const { status, body: found } = await callApi(api)(key, "GET", `${path}?${new URLSearchParams(parameters)}`);
    const { stats: _, request_id: __, next, ...rest } = found;
    return { status, ...rest, more: typeof next === "string" } as unknown as Reply["body"];
  };
  const find = (path: string, parameters: Record<string, string>) => asKey(one.queryKey, path, parameters);
  const all = { limit: "1000" };
  await until("the events to be stored", async () =>
    (await find("/search", all)).events?.length === 40 ? true : undefined,
  );
  let last: unknown;
  await until("the events to be archived", async () => {
    const answer = await find("/search", { ...all, place });
    last = answer.detail ?? answer.events.length;
    return answer.events?.length === 40 ? true : undefined;
  }).catch((error: unknown) => {
    throw new Error(`the bucket's last answer: ${String(last)}`, { cause: error });
  });
  const day = (ago: number) => new Date(now - ago * 86_400_000).toISOString();
  const event = (await find("/search", { q: "n:8" })).events[0] as { id: string; timestamp: string } | undefined;
  for (const [path, parameters] of [
    ["/search", { q: "", limit: "7" }],
    ["/search", { q: 'level:error service:shop "card declined"' }],
    ["/search", { q: "n:>30", from: day(3.5) }],
    ["/search", { q: "declined", from: day(2), to: day(1) }],
    ["/search", { q: "", to: day(30) }],
    ["/search", { q: "/declin[e]d/ NOT service:cart source:app" }],
    ["/query", { q: "| stats count(), p95(n) by service, level" }],
    ["/query", { q: "declined | stats count() by bin(1d)", from: day(3) }],
    ["/histogram", { q: "fine", from: day(4), to: day(0) }],
    ["/histogram", { q: "service:cart" }],
    ["/facets", { q: "declined", fields: "service,level,source,n" }],
    ["/distribution", { field: "n", from: day(40) }],
    ["/fields", { from: day(40) }],
    [`/events/${event?.id}/context`, { at: event?.timestamp ?? "" }],
    [`/traces/${trace}`, { from: day(40) }],
  ] as [string, Record<string, string>][]) {
    const there = await find(path, { ...parameters, place });
    expect([path, parameters, there]).toEqual([path, parameters, await find(path, parameters)]);
    expect(there.status).toBe(200);
  }
  expect(await find("/search", { place: "sto_000000000000" })).toMatchObject({ status: 404, code: "not_found" });
  expect(await find(`/events/${event?.id}/context`, { place })).toMatchObject({ code: "invalid_request" });

  // One who sees another source alone finds nothing here.
  const other = (await ask("POST", "/sources", { name: "other" })).body.id;
  const limited = (await ask("POST", "/keys", { kind: "query", name: "limited", sources: [other] })).body.key;
  await until("the limited key", async () =>
    (await asKey(limited, "/search", all)).status === 200 ? true : undefined,
  );
  expect((await asKey(limited, "/search", { ...all, place })).events).toEqual([]);
  expect((await asKey(limited, "/query", { q: "| stats count()", place })).rows).toEqual([[0]]);

  // What the server withholds is told by its name; the secret key stands in no log of ours or of ClickHouse's.
  const reads: typeof withhold = (method, url) => /^(?:GET|HEAD)$/.test(method) && url.includes(".parquet");
  for (const [when, code] of [
    [(method, url) => method === "GET" && url.includes("list-type"), "storage_refused"],
    [reads, "storage_refused"],
  ] as [typeof withhold, string][]) {
    withhold = when;
    const refused = await until("a refusal", async () => {
      const answer = await find("/search", { q: "fine", place });
      return answer.status === 200 ? undefined : answer;
    });
    expect(refused).toMatchObject({ status: 502, code });
    expect(refused.detail).toContain("AccessDenied. Allow s3:ListBucket and s3:GetObject");
  }
  withhold = () => false;
  // In two pieces: this question is one of those that are looked through.
  const [begins, ends] = [buckets.secretAccessKey.slice(0, 8), buckets.secretAccessKey.slice(8)];
  const logged =
    await askClickHouse(`SELECT toString(count()) AS n FROM merge('system', '^(query_log|text_log|processes)$')
    WHERE position(toString(tuple(*)), '${begins}' || '${ends}') > 0`);
  expect(logged).toEqual([{ n: "0" }]);
  await buckets.stop();
  const down = await until("it to be away", async () => {
    const answer = await find("/search", { place });
    return answer.status === 200 ? undefined : answer;
  });
  expect(down).toMatchObject({ status: 502, code: "storage_failed" });
  expect(down.detail).toBe('The bucket "searched" cannot be searched: The bucket\'s server does not answer.');
  expect(api.output()).not.toContain(buckets.secretAccessKey);
});
