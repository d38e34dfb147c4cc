import { setTimeout as sleep } from "node:timers/promises";
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

let one: Platform;
let receiver: RunningService;

let driver: AlertDriver;
let first: RunningService;

beforeAll(async () => {
  one = await platform(sharedStack());
  [receiver] = await Promise.all([one.start("receiver"), one.start("redactor"), one.start("api")]);
  driver = await createAlertDriver(one);
  first = await one.start("alerter");
  // It learns while the other tests run.
  await driver.put(one.tenant, {
    ...{ id: "odd", name: "Odd" },
    when: {
      ...{ type: "anomaly", query: "orders", window: "10s", every: "10s" },
      ...{ learn: 2, at_least: 5, season: "none", direction: "up" },
    },
  });
});
afterAll(async () => {
  await driver?.close();
  await one?.stop();
});

const send = async (events: readonly unknown[]): Promise<void> => {
  await until("an accepted batch", async () => {
    const answer = await fetch(`${receiver.url}/v1/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${one.ingestKey}`, "content-type": "application/json" },
      body: JSON.stringify(events),
    });
    await answer.arrayBuffer();
    return answer.ok ? true : undefined;
  });
};

test("an event that matches is told, once and within a second of its acknowledgement, from the moment its rule was saved", async () => {
  await driver.put(one.tenant, {
    id: "panics",
    name: "Panics",
    when: { type: "match", query: "panic", by: ["service"] },
  });
  // The rule is in force; no alerter needs to know it yet.
  await send([{ message: "kernel panic at once", service: "first" }]);
  const early = await until("the first", () => driver.of("panics")[0]);
  expect(early).toMatchObject({
    from_state: "ok",
    to_state: "firing",
    group: { service: "first" },
    labels: { service: "first", rule: "panics", severity: "warning" },
    query: "panic",
    completeness: 1,
  });
  expect(JSON.parse(early.lines[0] ?? "")).toMatchObject({ message: "kernel panic at once", service: "first" });

  for (let n = 0; n < 5; n++) {
    await send([{ message: `panic ${n}`, service: "shop" }, { message: "all is well" }]);
    const acknowledged = Date.now();
    const told = await until(`event ${n}`, () => driver.of("panics")[n + 1]);
    expect(told.heardAt - acknowledged).toBeLessThan(1_000);
  }
  const ids = driver.of("panics").map(({ id }) => id);
  expect(new Set(ids).size).toBe(6);
  expect(
    new Set(
      driver
        .of("panics")
        .filter(({ group }) => group.service === "shop")
        .map(({ incident }) => incident),
    ).size,
  ).toBe(1);
});

test("a rule of a kind that this version does not know is said to be unjudged, and to whom it tells, until it is judged", async () => {
  const say = (version: number, rule: object) =>
    driver.say("AlertRule", `${one.tenant}/newer`, {
      ...{ tenant: one.tenant, rule: "newer", version, effective_from: BigInt(Date.now()) },
      definition: JSON.stringify({ id: "newer", name: "Newer", severity: "critical", ...rule }),
    });
  const changes = () => driver.of("newer").map(({ from_state: from, to_state: to }) => `${from} > ${to}`);
  await say(1, { when: { type: "oracle", query: "doom" }, of_tomorrow: true });
  const [told] = await until("it to be told", () => (changes().length === 1 ? driver.of("newer") : undefined));
  expect(told).toMatchObject({ to_state: "errored", rule_name: "Newer", severity: "critical", query: "doom" });
  expect(told?.reason).toContain("when.type: must be one of match");
  // The others are judged meanwhile, and it is said once.
  await send([{ message: "kernel panic beside it", service: "beside" }]);
  await until("another rule's", () => driver.of("panics").find(({ group }) => group.service === "beside"));
  expect(changes()).toEqual(["ok > errored"]);
  await say(2, { when: { type: "match", query: "doom" } });
  await until("its end", () => changes()[1]);
  await send([{ message: "the doom itself" }]);
  await until("what it finds", () => changes()[2]);
  expect(changes()).toEqual(["ok > errored", "errored > resolved", "ok > firing"]);
});

test("alerters share the work: while one comes and another goes, each event is told once", async () => {
  await driver.put(one.tenant, {
    id: "shared",
    name: "Shared",
    when: { type: "match", query: "shared", limit: 1_000 },
  });
  let sent = 0;
  const stop = new AbortController();
  const sending = (async () => {
    while (!stop.signal.aborted) {
      await send([{ message: `shared ${sent++}` }]);
      await sleep(50);
    }
  })();
  await until("the first ones", () => driver.of("shared")[5]);
  const second = await one.start("alerter");
  await sleep(2_000);
  await first.kill("SIGTERM");
  await sleep(2_000);
  stop.abort();
  await sending;
  await until("all of them", () => (driver.of("shared").length >= sent ? true : undefined));
  await sleep(500);
  const said = driver.of("shared").map(({ lines }) => (JSON.parse(lines[0] ?? "") as { message: string }).message);
  expect(said.toSorted()).toEqual(Array.from({ length: sent }, (_, n) => `shared ${n}`).toSorted());
  expect((await fetch(`${second.ops}/readyz`)).status).toBe(200);
});

test("a value far from what a rule has learned is told, with what was usual, and its end", async () => {
  // Two whole windows that are as ever, with one event each or none.
  const begun = Date.now();
  await until("two windows", () => (Date.now() > begun + 21_000 ? true : undefined));
  expect(driver.of("odd")).toEqual([]);
  await send(Array.from({ length: 60 }, (_, n) => ({ message: `many orders ${n}`, service: "shop" })));
  const told = await until("it to be told", () => driver.of("odd")[0]);
  expect(told).toMatchObject({ from_state: "ok", to_state: "firing", query: "orders" });
  expect(told.reason).toMatch(/^60, usually 0 ± 5/);
  const ended = await until("its end", () => driver.of("odd")[1]);
  expect(ended).toMatchObject({ from_state: "firing", to_state: "resolved", incident: told.incident });
});
