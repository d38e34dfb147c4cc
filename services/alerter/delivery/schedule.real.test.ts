/**
 * The whole schedule of tries, walked with a clock that is moved: the stage itself over the real topics, real receivers, and
 * nobody who waits three days.
 */
import { randomBytes } from "node:crypto";
import {
  createKafka,
  createLog,
  createMetrics,
  createNotifier,
  createProducer,
  createRegistry,
  loadConfig,
  makeWebhookSecret,
  nextTryMs,
} from "@astralog/chassis";
import { type AlertTransition, encodeRecord, topics } from "@astralog/schemas";
import { readRule, rulePartition } from "@astralog/schemas/alerts/index";
import {
  type AlertDriver,
  createAlertDriver,
  type Platform,
  platform,
  type Receiver,
  sharedStack,
  startReceiver,
  until,
  verified,
  webhookRecord,
} from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { shape } from "../config.ts";
import { createRules } from "../rules.ts";
import { pagesAt } from "./compose.ts";
import { createControl } from "./control.ts";
import { createJournal } from "./journal.ts";
import { createDeliveryMetrics } from "./metrics.ts";
import { type Stage, startStage } from "./stage.ts";

let one: Platform;
let driver: AlertDriver;
let parts: Awaited<ReturnType<typeof connect>>;
let stage: Stage;
/** The clock that the stage goes by. */
let now = Date.now();
const secret = makeWebhookSecret();
const hooks: Receiver[] = [];
const ruleId = "walk";
/** Its name leads to the receiver once, and inside from then on; beside a good address, too. */
const rebound = "rebound.example.com";
const leadsTo = [["127.0.0.1"], ["169.254.169.254"], ["127.0.0.1", "10.0.0.1"], ["::ffff:10.0.0.1"]];
let asked = 0;
const resolve = (host: string) => {
  if (host !== rebound) throw new Error(`nobody asked for ${host}`);
  const addresses = leadsTo[asked++] ?? ["192.168.0.1"];
  return Promise.resolve(addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })));
};

/** What a process of the alerter has, but its consumers: records are handed over by the test. */
const connect = async () => {
  const config = loadConfig(shape, { ...one.env("alerter"), OUTGOING_ALLOWED: "127.0.0.0/8" });
  const log = createLog("schedule", "fatal");
  const kafka = createKafka(config, log, "schedule");
  const registry = createRegistry(config);
  const producer = await createProducer(kafka, { log, metrics: createMetrics("schedule") }, { lingerMs: 0 });
  const rules = createRules(log, () => undefined);
  const definition = { id: ruleId, name: "Walk", when: { type: "match", query: "x", by: ["service"] } };
  const read = readRule({ ...definition, notify: hooks.map((_, i) => `hook${i}`) });
  if ("problems" in read) throw new Error(JSON.stringify(read.problems));
  const key = `${one.tenant}/${ruleId}`;
  rules.change(key, {
    ...{ tenant: one.tenant, rule: ruleId, version: 1, effective_from: 0n },
    definition: JSON.stringify(read.rule),
  });
  const control = await createControl({ kafka, registry, rules, log });
  const journal = await createJournal({ kafka, producer, registry, log });
  const notifier = createNotifier(config, { resolve });
  const metrics = createDeliveryMetrics(createMetrics("schedule"));
  const pages = pagesAt(config.PUBLIC_URL);
  const partition = rulePartition(key);
  const begin = async (): Promise<Stage> => {
    await journal.caughtUp(partition);
    const begun = startStage({ control, journal, notifier, log, pages, metrics, now: () => now });
    begun.assigned([{ partition }]);
    return begun;
  };
  const topic = kafka.name(topics.alertTransitions.name);
  const id = await registry.idOf("AlertTransition", topic);
  let offset = 0;
  const happens = (service: string): Promise<void> => {
    const transition: AlertTransition = {
      ...{ id: randomBytes(16).toString("hex"), kind: "change", tenant: one.tenant, rule: ruleId, rule_version: 1 },
      ...{ rule_name: "Walk", group: { service }, labels: {}, severity: "warning", sequence: 0, from_state: "ok" },
      ...{ incident: randomBytes(16).toString("hex"), to_state: "firing", judged_at: BigInt(now) },
      ...{ window_from: BigInt(now), window_to: BigInt(now), value: 1, threshold: null, completeness: 1 },
      ...{ reason: "the event matches", query: "x", events: [], lines: [] },
    };
    const value = encodeRecord("AlertTransition", id, transition);
    const record = { offset: offset++, key: null, value, headers: {}, timestamp: now };
    return stage.handle({ topic, partition, records: [record] } as never);
  };
  return {
    ...{ journal, begin, happens, partition },
    close: async () => {
      notifier.close();
      await Promise.all([control.close(), journal.close()]);
      await producer.close();
    },
  };
};

beforeAll(async () => {
  one = await platform(sharedStack());
  driver = await createAlertDriver(one);
  hooks.push(
    await startReceiver((response) => response.writeHead(500).end()),
    await startReceiver((response) => response.writeHead(301, { location: "http://169.254.169.254/" }).end()),
    await startReceiver((response) => void response.destroy()),
    await startReceiver((response) => response.writeHead(410).end()),
    await startReceiver((response, before) => response.writeHead(before < 9 ? 503 : 204).end()),
    await startReceiver((response) => response.writeHead(500).end()),
  );
  for (const [i, hook] of hooks.entries()) {
    const id = `hook${i}`;
    const url = i === 5 ? hook.url.replace("127.0.0.1", rebound) : hook.url;
    await driver.say("AlertDestination", `${one.tenant}/${id}`, webhookRecord(one, id, url, { secret }));
  }
  parts = await connect();
  stage = await parts.begin();
});
afterAll(async () => {
  await stage?.close();
  await parts?.close();
  await driver?.close();
  await one?.stop();
  for (const hook of hooks) await hook.close();
});

test("ten tries over three days under one id, by whichever process; 410 ends it at once; a name that turns inside is asked no more; then it is given up", async () => {
  const [failing, moved, reset, gone, last, turned] = hooks as [
    ...[Receiver, Receiver, Receiver],
    ...[Receiver, Receiver, Receiver],
  ];
  const patient = [failing, moved, reset, last];
  const tried = (count: number) => () => patient.every(({ got }) => got.length >= count) || undefined;
  const { notices, ended } = parts.journal.of(parts.partition);
  /** What came of try n is written down: only then is it known when the next is due. */
  const written = (count: number) => () =>
    [...notices.values()].filter(({ attempts }) => attempts === count).length === patient.length + 1 || undefined;
  await parts.happens("shop");
  await until("the first try", tried(1));
  for (let failed = 1; ; failed++) {
    const wait = nextTryMs(failed);
    if (wait === undefined) break;
    await until(`what came of try ${failed}`, written(failed));
    // Another process goes on where this one stopped.
    if (failed === 4) {
      await stage.close();
      stage = await parts.begin();
    }
    now += wait - 1_000;
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(patient.map(({ got }) => got.length)).toEqual(patient.map(() => failed));
    now += 1_000;
    await until(`try ${failed + 1}`, tried(failed + 1));
  }
  await until("the end", () => notices.size === 0 || undefined);
  expect(patient.map(({ got }) => got.length)).toEqual([10, 10, 10, 10]);
  for (const { got } of patient) {
    expect(new Set(got.map(({ id }) => id)).size).toBe(1);
    for (const each of got) expect(verified(each, secret).type).toBe("alert.firing");
  }
  expect(gone.got).toHaveLength(1);
  expect(parts.journal.gone.get(`${one.tenant}/hook3`)).toMatchObject({
    version: 1,
    problem: expect.stringContaining("410"),
  });
  // The name was looked up once for each try, and the connection went where it had been judged to lead, or nowhere.
  expect([turned.got.length, asked]).toEqual([1, 10]);
  expect(turned.got[0]?.headers.host).toContain(rebound);
  // What came of each stands in the topic for a while, then it is forgotten there.
  expect([...ended.keys()].filter((key) => key.startsWith("notice/"))).toHaveLength(6);
  await parts.happens("desk");
  await until("the next to be tried", tried(11));
  expect(gone.got).toHaveLength(1);
}, 90_000);
