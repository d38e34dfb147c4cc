/** Transitions to real receivers: signed, once each, again under the same id when it must be, and one by one. */
import { makeWebhookSecret } from "@astralog/chassis";
import type { RuleInput } from "@astralog/schemas/alerts/index";
import {
  type AlertDriver,
  createAlertDriver,
  type Platform,
  platform,
  type Receiver,
  type RunningService,
  sharedStack,
  startReceiver,
  until,
  verified,
  webhookRecord,
} from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";

let one: Platform;
let receiver: RunningService;
let alerter: RunningService;
let driver: AlertDriver;
const secret = makeWebhookSecret();
const before = makeWebhookSecret();
const hooks: Receiver[] = [];
const allowed = { OUTGOING_ALLOWED: "127.0.0.0/8" };

beforeAll(async () => {
  one = await platform(sharedStack());
  [receiver] = await Promise.all([one.start("receiver"), one.start("redactor"), one.start("api")]);
  driver = await createAlertDriver(one);
  alerter = await one.start("alerter", allowed);
});
afterAll(async () => {
  await driver?.close();
  await one?.stop();
  for (const hook of hooks) await hook.close();
});

const send = (message: string, service = "shop"): Promise<true> => sendAll([{ message, service }]);

const sendAll = (events: readonly object[]): Promise<true> =>
  until("accepted events", async () => {
    const answer = await fetch(`${receiver.url}/v1/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${one.ingestKey}`, "content-type": "application/json" },
      body: JSON.stringify(events),
    });
    await answer.arrayBuffer();
    return answer.ok ? true : undefined;
  });

const hook = async (...answer: Parameters<typeof startReceiver>): Promise<Receiver> => {
  const made = await startReceiver(...answer);
  hooks.push(made);
  return made;
};

const destination = async (id: string, url: string): Promise<void> => {
  const secrets = { secret, before, before_until: new Date(Date.now() + 600_000).toISOString() };
  await driver.say("AlertDestination", `${one.tenant}/${id}`, webhookRecord(one, id, url, secrets));
};

const rule = (id: string, query: string, notify: string[], more = {}) =>
  driver.put(one.tenant, { id, name: id, when: { type: "match", query, by: ["service"] }, notify, ...more });

test("each transition is told once, signed; who is slow, gone or failing holds up nobody", async () => {
  const good = await hook();
  const slow = await hook(() => undefined);
  const gone = await hook((response) => response.writeHead(410).end());
  const moved = await hook((response) => response.writeHead(301, { location: good.url }).end());
  const failing = await hook((response, n) => response.writeHead(n === 0 ? 500 : 200).end());
  const reset = await hook((response, n) => (n === 0 ? response.destroy() : response.writeHead(200).end()));
  const all = { good, slow, gone, moved, failing, reset };
  for (const [id, { url }] of Object.entries(all)) await destination(id, url);
  await destination("inside", "https://169.254.169.254/latest");
  await rule("panics", "panic", [...Object.keys(all), "inside"]);

  for (let n = 0; n < 5; n++) {
    await send(`panic ${n}`);
    await until(`notice ${n}`, () => good.got[n]);
  }
  await until("a second try", () => (failing.got.length >= 6 && reset.got.length >= 6) || undefined);
  const transitions = driver.of("panics").map(({ id }) => id);
  const bodies = good.got.map((got) => verified(got, secret));
  expect(bodies.flatMap(({ data }) => data.incidents.map(({ transition }) => transition)).sort()).toEqual(
    transitions.sort(),
  );
  expect(bodies[0]).toMatchObject({
    type: "alert.firing",
    data: {
      happening: "began",
      rule: { id: "panics", severity: "warning" },
      incidents: [{ group: { service: "shop" } }],
    },
  });
  expect(bodies[0]?.data.incidents[0]?.lines[0]).toContain("panic 0");
  expect(verified(good.got[0] as never, before).type).toBe("alert.firing");
  // Failed once, and again under the same id; the others in between, too.
  for (const { got } of [failing, reset]) {
    const ids = got.map(({ id }) => id);
    expect(ids.filter((id) => id === ids[0])).toHaveLength(2);
    expect(new Set(ids).size).toBe(5);
  }
  expect(new Set(good.got.map(({ id }) => id)).size).toBe(5);
  expect(gone.got).toHaveLength(1);
  expect(moved.got.length).toBeGreaterThan(0);
}, 60_000);

test("a process that is killed between sending and writing it down sends again under the same id, and nothing else", async () => {
  const held = await hook((response, n) => (n === 0 ? undefined : response.writeHead(200).end()));
  const other = await hook();
  await destination("held", held.url);
  await destination("other", other.url);
  await rule("crashes", "crash", ["held", "other"]);
  await send("crash now");
  await until("both", () => (held.got.length === 1 && other.got.length === 1) || undefined);
  await alerter.kill("SIGKILL");
  alerter = await one.start("alerter", allowed);
  await until("the repeat", () => held.got[1]);
  expect(held.got.map(({ id }) => id)).toEqual([held.got[0]?.id, held.got[0]?.id]);
  await send("crash again");
  // The other's answer may not have been written down either: then it has a repeat, too, by which it is known as one.
  const idsOf = ({ got }: Receiver) => new Set(got.map(({ id }) => id));
  for (const one of [held, other]) await until("the next", () => idsOf(one).size === 2 || undefined);
  expect(other.got.length).toBeLessThanOrEqual(3);
}, 60_000);

test("of a burst each event is told", async () => {
  const hooked = await hook();
  await destination("flooded", hooked.url);
  const when: RuleInput["when"] = { type: "match", query: "flood", by: ["service"], window: "1d", limit: 1_000 };
  await driver.put(one.tenant, { id: "floods", name: "floods", when, notify: ["flooded"] });
  await sendAll(Array.from({ length: 250 }, (_, n) => ({ message: `flood ${n}`, service: "shop" })));
  await until("all transitions", () => driver.of("floods")[249]);
  const told = () =>
    new Set(hooked.got.flatMap((got) => verified(got, secret).data.incidents.map(({ transition }) => transition)));
  await until("all of them", () => (told().size === 250 ? true : undefined));
}, 60_000);

test("what is silenced is not told; the end of the silence tells what still lasts", async () => {
  const hooked = await hook();
  await destination("quiet", hooked.url);
  const key = `${one.tenant}/sil_1`;
  await driver.say("AlertAction", key, {
    ...{ tenant: one.tenant, action: "sil_1", kind: "silence", incident: "", starts_at: 0n, ends_at: 0n },
    matchers: JSON.stringify([{ label: "service", op: "=", values: ["silent"] }]),
    ...{ schedule: "", by: "", comment: "", updated_at: 0n },
  });
  await rule("noises", "noise", ["quiet"]);
  await send("noise", "silent");
  await send("noise", "loud");
  await until("the loud one", () => hooked.got[0]);
  await until("both transitions", () => driver.of("noises")[1]);
  expect(hooked.got.map((got) => verified(got, secret).data.incidents[0]?.group.service)).toEqual(["loud"]);
  await driver.say("AlertAction", key, null);
  const late = await until("the silent one", () => hooked.got[1]);
  expect(verified(late, secret).data.incidents[0]?.group).toEqual({ service: "silent" });
}, 60_000);
