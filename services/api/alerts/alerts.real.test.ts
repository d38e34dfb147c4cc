/** Alerts from the api to a receiver and back: rules, destinations, incidents, what people say, and what was sent. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connectPostgres } from "@astralog/schemas/postgres";
import { createAlertDriver, type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Webhook } from "standardwebhooks";
import { callApi, type Reply, until } from "../api.driver.ts";
import { forgetAlerts } from "./forget.ts";

let one: Platform;
let api: RunningService;
let receiver: RunningService;
let ask: (method: string, path: string, body?: unknown) => Promise<Reply>;
const got: { headers: Record<string, string>; body: string }[] = [];
let status = 204;
const server = createServer((request, response) => {
  let body = "";
  request.on("data", (piece) => void (body += piece));
  request.on("end", () => {
    got.push({ headers: request.headers as Record<string, string>, body });
    response.writeHead(status).end();
  });
});
const allowed = { OUTGOING_ALLOWED: "127.0.0.0/8" };
const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;

beforeAll(async () => {
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  one = await platform(sharedStack());
  [api, receiver] = await Promise.all([one.start("api", allowed), one.start("receiver"), one.start("redactor")]);
  await one.start("alerter", allowed);
  ask = (...rest) => callApi(api)(one.adminKey, ...rest);
});
afterAll(async () => {
  await one?.stop();
  server.close();
  server.closeAllConnections();
});

const send = async (message: string, service = "shop"): Promise<void> => {
  const answer = await fetch(`${receiver.url}/v1/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${one.ingestKey}`, "content-type": "application/json" },
    body: JSON.stringify([{ message, service }]),
  });
  await answer.arrayBuffer();
  if (answer.status === 401 || answer.status === 503) return send(message, service);
};
const rule = (id: string, more: object = {}) => ({
  id,
  name: id,
  when: { type: "match", query: id, by: ["service"] },
  ...more,
});

test("a destination takes a test that its secret verifies; the secret is never shown again; strangers get no mail", async () => {
  expect(
    (await ask("POST", "/alerts/destinations", { name: "in", kind: "webhook", settings: { url: "https://10.0.0.1/" } }))
      .body.code,
  ).toBe("address_refused");
  const mail = { name: "m", kind: "email", settings: { to: ["someone@example.com"] } };
  expect((await ask("POST", "/alerts/destinations", mail)).body.detail).toContain("no member's");
  const made = await ask("POST", "/alerts/destinations", {
    name: "hook",
    kind: "webhook",
    settings: { url: url() },
    standard: true,
  });
  expect(made.status).toBe(201);
  expect((await ask("POST", `/alerts/destinations/${made.body.id}/test`)).body).toEqual({
    outcome: "taken",
    problem: "",
  });
  const [first] = got.splice(0);
  expect(new Webhook(String(made.body.secret)).verify(first?.body ?? "", first?.headers ?? {})).toMatchObject({
    type: "alert.test",
  });
  expect(JSON.stringify((await ask("GET", "/alerts/destinations")).body)).not.toContain("whsec_");
  const rotated = await ask("POST", `/alerts/destinations/${made.body.id}/rotate`, { overlap_seconds: 60 });
  await ask("POST", `/alerts/destinations/${made.body.id}/test`);
  const [second] = got.splice(0);
  for (const { body } of [made, rotated])
    new Webhook(String(body.secret)).verify(second?.body ?? "", second?.headers ?? {});
  const slack = await ask("POST", "/alerts/destinations", {
    name: "s",
    kind: "slack",
    secrets: { url: `${url()}/T0/SECRETPATH` },
  });
  expect(JSON.stringify(slack.body)).not.toContain("SECRETPATH");
  expect((await ask("POST", `/alerts/destinations/${slack.body.id}/test`)).body.outcome).toBe("taken");
  expect(JSON.parse(got.splice(0)[0]?.body ?? "")).toHaveProperty("attachments");
  const preview = await ask("POST", "/alerts/destinations/preview", { title: "{{rule}} {{state}}" });
  expect(preview.body.title).toBe("Checkout errors firing");
  expect((await ask("POST", "/alerts/destinations/preview", { title: "{{nothing}}" })).body.detail).toContain(
    "{{nothing}}",
  );
});

test("a set of rules is planned, applied once, and says what it changes", async () => {
  const rules = [rule("panic"), rule("later", { depends_on: ["panic"] })];
  const plan = await ask("POST", "/alerts/rules/plan", { rules });
  expect(plan.body.changes).toMatchObject([
    { id: "panic", change: "create" },
    { id: "later", change: "create" },
  ]);
  await ask("POST", "/alerts/rules/apply", { rules });
  expect((await ask("POST", "/alerts/rules/apply", { rules })).body.changes).toEqual([]);
  const changed = [rule("panic", { severity: "critical" })];
  expect((await ask("POST", "/alerts/rules/plan", { rules: changed, prune: true })).body.changes).toMatchObject([
    { id: "panic", change: "update", fields: [{ field: "severity", before: '"warning"', after: '"critical"' }] },
    { id: "later", change: "delete" },
  ]);
  expect((await ask("GET", "/alerts/rules")).body.rules).toHaveLength(2);
  const refused = await ask("PUT", "/alerts/rules/panic", rule("panic", { notify: ["dst_000000000000"] }));
  expect(refused.body.detail).toContain("there is no destination");
  const headers = { authorization: `Bearer ${one.adminKey}` };
  expect((await fetch(`${api.url}/api/v1/alerts/rules/later`, { method: "DELETE", headers })).status).toBe(204);
});

test("an event becomes an incident with its evidence, is told, and what people say of it is heard", async () => {
  await send("panic in the kitchen");
  await until("a notice", () => got.find(({ body }) => body.includes("alert.firing")));
  const incident = await until("an incident", async () => {
    const { body } = await ask("GET", "/alerts/incidents?open=true");
    return (body.incidents as { id: string; rule: string }[]).find((each) => each.rule === "panic");
  });
  const shown = await until("its change", async () => {
    const { body } = await ask("GET", `/alerts/incidents/${incident.id}`);
    return (body.changes as unknown[]).length > 0 ? body : undefined;
  });
  expect(shown).toMatchObject({ state: "firing", changes: [{ to_state: "firing", query: "panic" }] });
  expect(JSON.stringify(shown)).toContain("panic in the kitchen");
  const sent = await until("what was sent", async () => {
    const { body } = await ask("GET", `/alerts/notices?incident=${incident.id}`);
    return (body.notices as { id: string; status: string; tries: unknown[] }[]).find((each) => each.status === "taken");
  });
  expect(sent.tries).toHaveLength(1);
  got.length = 0;
  expect((await ask("POST", `/alerts/notices/${sent.id}/repeat`)).body.outcome).toBe("taken");
  expect(got[0]?.headers["webhook-id"]).toBe(sent.id);
  expect((await ask("POST", `/alerts/incidents/${incident.id}/acknowledge`, { comment: "mine" })).status).toBe(201);
  expect((await ask("POST", `/alerts/incidents/${incident.id}/resolve`)).status).toBe(201);
  const end = await until("the end", () => got.find(({ body }) => body.includes("alert.resolved")));
  expect(end.body).toContain("resolved it by hand");
  await until(
    "its end here",
    async () => (await ask("GET", `/alerts/incidents/${incident.id}`)).body.closed === true || undefined,
  );
});

test("410 turns a destination off, here too, and the trail says so", async () => {
  status = 410;
  await send("panic again");
  const [off] = await until("it to be off", async () => {
    const { body } = await ask("GET", "/alerts/destinations");
    const found = (body.destinations as { enabled: boolean; problem: string }[]).filter(({ enabled }) => !enabled);
    return found.length > 0 ? found : undefined;
  });
  expect(off?.problem).toContain("410");
  const { body } = await ask("GET", "/audit?limit=1000");
  expect(JSON.stringify(body)).toContain("alert.destination_disabled");
});

test("lists have the newest first, page by page", async () => {
  const all = (await ask("GET", "/alerts/notices")).body.notices as { id: string; created_at: string }[];
  expect(all.length).toBeGreaterThan(1);
  expect(all.map(({ created_at }) => created_at)).toEqual(
    all
      .map(({ created_at }) => created_at)
      .sort()
      .reverse(),
  );
  const pages: string[] = [];
  for (let cursor = ""; ; ) {
    const { body } = await ask("GET", `/alerts/notices?limit=1${cursor}`);
    pages.push(...(body.notices as { id: string }[]).map(({ id }) => id));
    if (body.next === null) break;
    cursor = `&cursor=${body.next}`;
  }
  expect(pages).toEqual(all.map(({ id }) => id));
});

test("what the control topics have lost or were told by others is put right from Postgres", async () => {
  status = 204;
  await ask("PUT", "/alerts/rules/panic", rule("panic", { notify: [] }));
  const destinations = (await ask("GET", "/alerts/destinations")).body.destinations as { id: string }[];
  for (const { id } of destinations) await ask("PATCH", `/alerts/destinations/${id}`, { enabled: true });
  const driver = await createAlertDriver(one, { kafkaOnly: true });
  try {
    await driver.remove(one.tenant, "panic");
    for (const { id } of destinations) await driver.say("AlertDestination", `${one.tenant}/${id}`, null);
    await driver.put(one.tenant, rule("stranger") as never);
    await api.kill("SIGTERM");
    api = await one.start("api", allowed);
    got.length = 0;
    await until("it to be told again", async () => {
      // An incident that ended with its rule is over: another group's is new.
      await send("panic and stranger", "elsewhere");
      return got.find(({ body }) => body.includes('"id":"panic"'));
    });
    const heard = driver.of("stranger").length;
    const judged = driver.of("panic").length;
    await send("panic and stranger again", "elsewhere");
    await until("the other to be judged", () => driver.of("panic").length > judged || undefined);
    expect(driver.of("stranger")).toHaveLength(heard);
  } finally {
    await driver.close();
  }
}, 60_000);

test("what is long over is let go of: incidents with all that hangs on them, notices, ended silences", async () => {
  const db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  const day = 86_400_000;
  const old = new Date(Date.now() - 100 * day);
  const [over, open] = ["0".repeat(32), "1".repeat(32)];
  try {
    for (const [id, until] of [
      [over, old.getTime()],
      [open, 0],
    ] as const) {
      const body = JSON.stringify({ until });
      const row = { tenant: one.tenant, id, rule: "r", state: "firing", closed: until > 0, created_at: old, body };
      await db.insertInto("alert_incidents").values(row).execute();
      await db
        .insertInto("alert_changes")
        .values({ tenant: one.tenant, id: `c${id}`, incident: id, at: old, body: "{}" })
        .execute();
      const said = { id: `act_${id}`, tenant: one.tenant, kind: "snooze", incident: id, created_by: "me" } as const;
      await db
        .insertInto("alert_actions")
        .values({ ...said, matchers: "[]", ends_at: null, schedule: null })
        .execute();
      const notice = {
        tenant: one.tenant,
        id: `n${id}`,
        destination: "d",
        incidents: [id],
        created_at: old,
        body: "{}",
      };
      await db
        .insertInto("alert_notices")
        .values({ ...notice, status: until > 0 ? "taken" : "due" })
        .execute();
    }
    const before = (await ask("GET", "/alerts/incidents")).body.incidents as unknown[];
    expect(await forgetAlerts(db, new Date(Date.now() - 90 * day))).toBe(1);
    const after = (await ask("GET", "/alerts/incidents")).body.incidents as { id: string }[];
    expect(after).toHaveLength(before.length - 1);
    expect(after.map(({ id }) => id)).toContain(open);
    for (const table of ["alert_changes", "alert_actions", "alert_notices"] as const) {
      const ids = (await db.selectFrom(table).select("id").execute()).map(({ id }) => id);
      expect(ids.filter((id) => id.endsWith(over) || id.endsWith(open))).toEqual([expect.stringContaining(open)]);
    }
  } finally {
    await db.destroy();
  }
});
