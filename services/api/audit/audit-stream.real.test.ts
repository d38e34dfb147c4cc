/** A trail on its way to webhooks, received by the scheme's own library. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { createConfiguredKeys, createLog, createOutgoing } from "@astralog/chassis";
import type { AuditEvent } from "@astralog/schemas";
import { connectPostgres } from "@astralog/schemas/postgres";
import { type Platform, platform, sharedStack } from "@astralog/testbed";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { Webhook } from "standardwebhooks";
import { byTest, callApi, until } from "../api.driver.ts";
import { ensureTenant } from "../control/tenants.ts";
import type { Db } from "../postgres.ts";
import { createEnvelope } from "../secrets/envelope.ts";
import { startAuditSender } from "./audit-sender.ts";
import { type AuditStreams, createAuditStreams } from "./audit-streams.ts";
import { type By, recordAct } from "./audit-trail.ts";

const log = createLog("test", "fatal");
const outgoing = createOutgoing({ allowed: ["127.0.0.1/32"] });
const envelope = createEnvelope(createConfiguredKeys([Buffer.alloc(32, 3)]));
let one: Platform;
let db: Db;
let by: By;
let streams: AuditStreams;
let sender: ReturnType<typeof startAuditSender>;
let tenant: string;
let hook: Awaited<ReturnType<typeof receiver>>;

const start = () => startAuditSender({ ...{ db, envelope, outgoing, log }, signer: by.signer, leading: () => true });

beforeAll(async () => {
  one = await platform(sharedStack());
  db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  by = byTest(one);
  streams = createAuditStreams({ db, envelope, outgoing });
});
afterAll(async () => {
  await db?.destroy();
  await one?.stop();
});
beforeEach(async () => {
  tenant = (await ensureTenant(db, `tenant ${performance.now()}`, by)).id;
  hook = await receiver();
  sender = start();
});
afterEach(async () => {
  await sender.stop();
  await hook.close();
});

interface Delivery {
  readonly id: string;
  readonly seq: number;
  /** Which of the secrets it was told verify it. */
  readonly good: readonly boolean[];
  readonly status: number;
}

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let text = "";
  for await (const piece of request.setEncoding("utf8")) text += piece;
  return text;
};

/** Answers with what `answer` gives, 204 unless told; keeps what came. */
const receiver = async () => {
  const came: Delivery[] = [];
  const state = { secrets: [] as string[], answer: (_seq: number): number => 204, redirected: 0 };
  const server = createServer(async (request, response) => {
    if (request.url === "/elsewhere") state.redirected++;
    const body = await bodyOf(request);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const good = state.secrets.map((secret) => {
      try {
        new Webhook(secret).verify(body, headers);
        return true;
      } catch {
        return false;
      }
    });
    const { data } = JSON.parse(body) as { data: AuditEvent };
    const status = state.answer(data.seq);
    came.push({ id: headers["webhook-id"] ?? "", seq: data.seq, good, status });
    response.writeHead(status, status === 301 ? { location: "/elsewhere" } : {}).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return {
    ...{ came, state, url },
    taken: () => came.filter(({ status }) => status === 204).map(({ seq }) => seq),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
};

const act = (count: number): Promise<void> =>
  db.transaction().execute(async (trx) => {
    for (let i = 0; i < count; i++)
      await recordAct(trx, by, { tenant, action: "verify.run", target: { kind: "verify", id: String(i) } });
  });
const endOf = async (): Promise<number> =>
  (await db.selectFrom("audit_chains").select("seq").where("tenant", "=", tenant).executeTakeFirstOrThrow()).seq;
const upTo = (seq: number): number[] => Array.from({ length: seq }, (_, i) => i + 1);
const only = async () => {
  const [stream] = await streams.list(tenant);
  if (stream === undefined) throw new Error("there is no stream");
  return stream;
};
/** The next try is due now, not when the schedule has it. */
const hurry = () => db.updateTable("audit_streams").set({ next_at: new Date() }).where("tenant", "=", tenant).execute();

const make = async (from: "start" | "now" = "start") => {
  const made = await streams.create(tenant, { name: "SIEM", url: hook.url, from }, by);
  hook.state.secrets = [made.secret];
  return made;
};

test("every event arrives, signed and in order, through senders that stop and start; what comes later follows", async () => {
  await act(30);
  const { row: made, secret } = await make();
  expect(made.secret).not.toContain(secret.slice(6));
  await until("some", () => (hook.came.length > 5 ? true : undefined));
  await sender.stop();
  sender = start();
  const second = start();
  await act(20);
  const end = await endOf();
  await until("all", () => (hook.taken().includes(end) ? true : undefined));
  await second.stop();
  expect(hook.came.every(({ good, id, seq }) => good[0] && id === `audit_${tenant}_${seq}`)).toBe(true);
  // At least once, and never one before the one in front of it.
  const firsts = hook.taken().filter((seq, i, all) => all.indexOf(seq) === i);
  expect(firsts).toEqual(upTo(end));
  // The answer is known to the receiver before it is to us.
  const row = await until("the cursor", async () => ((await only()).cursor === end ? await only() : undefined));
  expect(row).toMatchObject({ attempts: 0, problem: "", disabled_at: null });
});

test("from now on means from now on", async () => {
  await act(5);
  const before = await endOf();
  await make("now");
  await until("the first", () => (hook.came.length > 0 ? true : undefined));
  expect(hook.came[0]?.seq).toBe(before + 1);
});

test("an event that is refused is tried again under the same id, and none overtakes it; a redirect is not followed", async () => {
  let answer = 500;
  hook.state.answer = (seq) => (seq === 3 ? answer : 204);
  await act(5);
  await make();
  await until("the refusal", () => hook.came.find(({ seq }) => seq === 3));
  await until("its wait", async () => ((await only()).attempts === 1 ? true : undefined));
  expect((await only()).next_at.getTime()).toBeGreaterThan(Date.now() + 3_000);
  answer = 301;
  await hurry();
  const waiting = await until("the second", async () => ((await only()).attempts === 2 ? await only() : undefined));
  expect(waiting).toMatchObject({ cursor: 2, problem: "It answered 301, a redirect, which is not followed." });
  expect(waiting.next_at.getTime()).toBeGreaterThan(Date.now() + 250_000);
  answer = 204;
  await hurry();
  const end = await endOf();
  await until("the rest", () => (hook.taken().includes(end) ? true : undefined));
  expect(hook.taken()).toEqual(upTo(end));
  expect(new Set(hook.came.filter(({ seq }) => seq === 3).map(({ id }) => id)).size).toBe(1);
  expect(hook.state.redirected).toBe(0);
});

test("410, or ten tries in vain, disable a stream; the trail says so, and enabling it leaves nothing out", async () => {
  hook.state.answer = (seq) => (seq === 2 ? 410 : 204);
  await act(3);
  const { row } = await make();
  const ended = await until("the end", async () => ((await only()).disabled_at === null ? undefined : await only()));
  expect(ended).toMatchObject({ cursor: 1, problem: "It answered 410: it wants no more." });
  const told = await db
    .selectFrom("audit_events")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("action", "=", "audit.stream_disabled")
    .execute();
  expect(told).toMatchObject([{ actor_kind: "system", target_id: row.id, result: "failed" }]);

  hook.state.answer = () => 500;
  await streams.change(tenant, row.id, { enabled: true }, by);
  for (let tries = 1; tries < 10; tries++) {
    await until("a try", async () => ((await only()).attempts >= tries ? true : undefined));
    await hurry();
  }
  await until("the end of patience", async () => ((await only()).disabled_at === null ? undefined : true));

  hook.state.answer = () => 204;
  await streams.change(tenant, row.id, { enabled: true }, by);
  const end = await endOf();
  await until("the rest", () => (hook.taken().includes(end) ? true : undefined));
  expect(hook.taken()).toEqual(upTo(end));
});

test("while a secret is rotated both sign; afterwards the new one alone", async () => {
  const { row, secret } = await make();
  const next = await streams.rotate(tenant, row.id, 3_600, by);
  hook.state.secrets = [secret, next.secret];
  await act(1);
  const both = await endOf();
  await until("both", () => hook.came.find(({ seq }) => seq === both));
  expect(hook.came.find(({ seq }) => seq === both)?.good).toEqual([true, true]);
  await db.updateTable("audit_streams").set({ secret_before_until: new Date() }).where("id", "=", row.id).execute();
  await act(1);
  const alone = await endOf();
  await until("the new one", () => hook.came.find(({ seq }) => seq === alone));
  expect(hook.came.find(({ seq }) => seq === alone)?.good).toEqual([false, true]);
});

test("no stream leads inside, and none of another organization is reached", async () => {
  const strict = createAuditStreams({ db, envelope, outgoing: createOutgoing({ allowed: [] }) });
  for (const url of ["http://127.0.0.1/", "https://169.254.169.254/latest", "https://[::1]/", "https://10.0.0.1:22/"])
    await expect(strict.create(tenant, { name: "x", url, from: "now" }, by)).rejects.toMatchObject({
      code: "address_refused",
    });
  const { row } = await make();
  for (const reach of [
    () => streams.change(one.tenant, row.id, { enabled: false }, by),
    () => streams.rotate(one.tenant, row.id, 0, by),
    () => streams.remove(one.tenant, row.id, by),
  ])
    await expect(reach()).rejects.toMatchObject({ code: "not_found" });
  await streams.remove(tenant, row.id, by);
  expect(await streams.list(tenant)).toEqual([]);
});

test("a running api sends what happens in it", async () => {
  // The other sender has another key, and would only be in the way.
  await sender.stop();
  const api = await one.start("api", { OUTGOING_ALLOWED: "127.0.0.1/32" });
  const call = callApi(api);
  const path = "/audit/streams";
  await until("the key", async () => ((await call(one.adminKey, "GET", path)).status === 200 ? true : undefined));
  expect((await call(one.adminKey, "POST", path, { name: "x", url: "http://10.0.0.1/" })).body.code).toBe(
    "address_refused",
  );
  const made = await call(one.adminKey, "POST", path, { name: "SIEM", url: hook.url });
  expect(made.status).toBe(201);
  hook.state.secrets = [String(made.body.secret)];
  await call(one.adminKey, "POST", "/sources", { name: "told" });
  await until("the stream's own making, and the source", () => (hook.came.length >= 2 ? true : undefined));
  expect(hook.came.every(({ good }) => good[0])).toBe(true);
  const { body } = await call(one.adminKey, "GET", path);
  expect(JSON.stringify(body)).not.toContain("whsec_");
  expect(body.streams).toMatchObject([{ id: made.body.id, enabled: true, failed_tries: 0, problem: "" }]);
  const rotated = await call(one.adminKey, "POST", `${path}/${made.body.id}/rotate`, {});
  expect([rotated.status, rotated.body.secret === made.body.secret]).toEqual([201, false]);
  expect(api.output()).not.toContain("whsec_");
});
