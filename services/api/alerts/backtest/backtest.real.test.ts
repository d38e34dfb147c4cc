/** What a rule over history says is what it said live, transition by transition. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type RuleInput, sameOf } from "@astralog/schemas/alerts/index";
import {
  type AlertDriver,
  createAlertDriver,
  type Platform,
  platform,
  type RunningService,
  sharedStack,
  until,
} from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { callApi } from "../../api.driver.ts";
import { domainOf, senderOf } from "../../producers/native.driver.ts";

let one: Platform;
let receiver: RunningService;
let driver: AlertDriver;
let call: ReturnType<typeof callApi>;
let domain: ReturnType<typeof domainOf>;
let native: (message: string) => Promise<unknown>;

beforeAll(async () => {
  one = await platform(sharedStack());
  call = callApi(await one.start("api"));
  [receiver] = await Promise.all([
    one.start("receiver"),
    one.start("redactor"),
    one.start("sink"),
    one.start("alerter"),
  ]);
  driver = await createAlertDriver(one);
  // The same source has two ways in: what goes to Kafka directly lies in other lanes.
  domain = domainOf(one);
  const made = await domain.create(one.source);
  const sender = await senderOf(one, made);
  native = (message) =>
    sender.send({ topic: made.topic, partition: 0, value: Buffer.from(JSON.stringify({ message, service: "shop" })) });
});
afterAll(async () => {
  await driver?.close();
  await domain?.close();
  await one?.stop();
});

const ten = { window: "10s", every: "10s" };
const rules: readonly RuleInput[] = [
  { id: "each", name: "Each", when: { type: "match", query: "panic", by: ["host"], window: "10s" } },
  {
    id: "errors",
    name: "Errors",
    when: { type: "threshold", query: "level:error", by: ["service"], above: 4, ...ten },
  },
  {
    id: "slow",
    name: "Slow",
    when: { type: "threshold", query: "ms:*", value: "avg(ms)", above: 10, window: "20s", every: "10s" },
  },
  {
    id: "share",
    name: "Share",
    when: { type: "ratio", query: "level:error", of: "", above: 0.3, at_least: 3, ...ten },
    lateness: "2s",
  },
  { id: "gone", name: "Gone", when: { type: "absence", query: "", by: ["service"], ...ten } },
  {
    id: "often",
    name: "Often",
    when: { type: "threshold", query: "level:error", above: 8, resolve: 2, ...ten },
    windows: { true: 2, of: 2 },
  },
  { id: "native", name: "Native", when: { type: "threshold", query: "native", by: ["source"], above: 2, ...ten } },
  { id: "natives", name: "Natives", when: { type: "match", query: "native panic", window: "10s" } },
  {
    id: "shift",
    name: "Shift",
    when: {
      ...{ type: "change", query: "level:error", by: ["service"], before: "10s", up: 10, down: 10, at_least: 1 },
      ...ten,
    },
  },
  { id: "fresh", name: "Fresh", when: { type: "new_pattern", query: "", learn: "0s", ...ten } },
  { id: "odd", name: "Odd", when: { type: "anomaly", query: "", learn: 2, at_least: 5, season: "none", ...ten } },
];

const send = async (events: readonly unknown[], key: string = randomUUID()): Promise<void> => {
  await until("an accepted batch", async () => {
    const answer = await fetch(`${receiver.url}/v1/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${one.ingestKey}`, "content-type": "application/json", "idempotency-key": key },
      body: JSON.stringify(events),
    });
    await answer.arrayBuffer();
    return answer.ok ? true : undefined;
  });
};

/** An event among others; some say a time of their own, late or to come. */
const anEvent = (n: number, mails: boolean): Record<string, unknown> => ({
  message: `${n % 17 === 0 ? "panic" : "request"} ${n} ${["done", "failed", "again"][n % 3]}`,
  service: ["shop", "cart", "mail"][n % (mails ? 3 : 2)],
  host: `h${n % 4}`,
  level: n % 5 < 2 ? "error" : "info",
  ms: (n * 37.7) % 113,
  ...(n % 7 === 0 ? { timestamp: new Date(Date.now() - 900 * (n % 9)).toISOString() } : {}),
  ...(n % 23 === 0 ? { timestamp: new Date(Date.now() + 60_000).toISOString() } : {}),
});

test("the same transitions, the same hash, again and again", async () => {
  // Shortly before windows begin, so that each run has as many.
  await sleep(10_000 - ((Date.now() + 1_500) % 10_000));
  const since = new Map<string, number>();
  for (const rule of rules) since.set(rule.id, await driver.put(one.tenant, rule));
  const first = Date.now();
  let n = 0;
  while (Date.now() - first < 23_500) {
    const batch = Array.from({ length: 1 + (n % 4) }, () => anEvent(n++, Date.now() - first < 9_000));
    const key = randomUUID();
    await send(batch, key);
    // A client's own retry.
    if (n % 6 === 0) await send(batch, key);
    if (n % 3 === 0) await native(`native ${n % 5 === 0 ? "panic" : "request"} ${n}`);
    await sleep(120 + 15 * (n % 13));
  }
  // A window that has ended for every rule, and some time for the sink.
  const to = (Math.floor(Date.now() / 10_000) + 1) * 10_000 + 2_000;
  await until("the end", () => (Date.now() > to + 2_500 ? true : undefined));

  for (const rule of rules) {
    const from = since.get(rule.id) ?? 0;
    const ask = () =>
      call(one.queryKey, "POST", "/alerts/backtest", {
        ...{ rules: [rule], versions: [1] },
        ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString() },
      });
    const { status, body } = await ask();
    expect([rule.id, status]).toEqual([rule.id, 200]);
    const [run] = body.runs as { hash: string; transitions: Record<string, unknown>[] }[];
    // Live goes on while it is asked, and on a busy machine is behind.
    const heard = () => driver.of(rule.id).filter(({ window_to: end }) => Number(end) + 2_000 <= to);
    await until(`what ${rule.id} says live`, () =>
      heard().length >= (run?.transitions.length ?? 0) ? true : undefined,
    );
    const live = heard().sort((a, b) => Number(a.window_to - b.window_to) || (a.id < b.id ? -1 : 1));
    const plain = (of: Record<string, unknown>[]) => of.map((each) => JSON.stringify(each));
    expect([rule.id, ...plain(run?.transitions ?? [])]).toEqual([
      rule.id,
      ...plain(
        live.map((each) => {
          const [id, incident, sequence, , , windowFrom, windowTo, value, threshold, events, lines] = sameOf(each);
          return {
            ...{ id, incident, sequence, group: each.group, from: each.from_state, to: each.to_state },
            window_from: new Date(windowFrom as number).toISOString(),
            window_to: new Date(windowTo as number).toISOString(),
            ...{ value, threshold, reason: each.reason, events, lines },
          };
        }),
      ),
    ]);
    // What is usual takes longer to be learned.
    if (rule.id !== "odd") expect([rule.id, (run?.transitions ?? []).length > 0]).toEqual([rule.id, true]);
    expect(((await ask()).body.runs as { hash: string }[])[0]?.hash).toBe(run?.hash);
  }
  // With a rule its incidents end.
  await driver.remove(one.tenant, "gone");
  await until("the end of what was absent", () =>
    driver.of("gone").find(({ reason }) => reason === "the rule was changed or removed"),
  );
  // Judged soon after its window's end, and at once where an event matches; `bench` says how soon.
  const late = driver.heard
    .filter(({ rule, kind }) => kind === "change" && rule !== "share" && rule !== "each")
    .map(({ heardAt, window_to: end }) => heardAt - Number(end))
    .sort((a, b) => a - b);
  expect(late[late.length >> 1]).toBeLessThan(4_000);
});

test("two versions are compared, and a threshold is suggested for so many alerts a week", async () => {
  const when = { type: "threshold", query: "level:error", by: ["service"], ...ten } as const;
  const { status, body } = await call(one.queryKey, "POST", "/alerts/backtest", {
    rules: [
      { id: "errors", name: "Errors", when: { ...when, above: 1 } },
      { id: "errors", name: "Errors", when: { ...when, above: 10_000 } },
    ],
    days: 1,
    per_week: 14,
  });
  expect(status).toBe(200);
  const runs = body.runs as { firings: number; suggestion: { threshold: number; firings: number } }[];
  expect(runs[0]?.firings).toBeGreaterThan(2);
  expect(runs[1]?.firings).toBe(0);
  // Twice a week is less than was measured, so it is higher than 1.
  expect(runs[0]?.suggestion.firings).toBeLessThanOrEqual(2);
  expect(runs[0]?.suggestion.threshold).toBeGreaterThan(1);
  const { only_first: firsts } = body.differences as { only_first: unknown[] };
  expect(firsts.length).toBeGreaterThan(2);
});

test("what is wrong with a rule is named", async () => {
  const { status, body } = await call(one.queryKey, "POST", "/alerts/backtest", {
    rules: [{ id: "x", name: "X", when: { type: "threshold", query: "a", above: 1, window: "1m", every: "7s" } }],
  });
  expect(status).toBe(400);
  expect(body.detail).toContain("rules.0.when.every");
  const long = await call(one.queryKey, "POST", "/alerts/backtest", {
    rules: [{ id: "x", name: "X", when: { type: "match", query: "a" } }],
    from: "2020-01-01",
  });
  expect([long.status, long.body.detail]).toEqual([400, expect.stringContaining("31 days")]);
});
