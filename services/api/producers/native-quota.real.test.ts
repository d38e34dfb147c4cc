/** What stops a native producer, by Kafka itself: its rate, its organization's day and plan, its source, its end. */
import { setTimeout as sleep } from "node:timers/promises";
import type { PlanOverrides } from "@astralog/schemas";
import { connectPostgres } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { byTest, callApi, planter, until } from "../api.driver.ts";
import { setPlan } from "../plans/tenant-plans.ts";
import type { Db } from "../postgres.ts";
import { eventValue, type MadeOverHttp, senderWith } from "./native.driver.ts";

type Sender = Awaited<ReturnType<typeof senderWith>>;

let one: Platform;
let api: RunningService;
let db: Db;
let tables: ReturnType<typeof planter>;
let call: (method: string, path: string, body?: unknown) => ReturnType<ReturnType<typeof callApi>>;

beforeAll(async () => {
  one = await platform(sharedStack());
  db = connectPostgres(one.deployment.postgresUrl, { max: 2 });
  tables = planter(one);
  [api] = await Promise.all([one.start("api"), one.start("redactor"), one.start("sink")]);
  call = (...what) => callApi(api)(one.adminKey, ...what);
  await until("the key", async () => ((await call("GET", "/producers")).status === 200 ? true : undefined));
});
afterAll(async () => {
  await tables?.close();
  await db?.destroy();
  await one?.stop();
});

const make = async (source = one.source): Promise<MadeOverHttp> => {
  const { status, body } = await call("POST", "/producers", { source });
  expect([status, body.code]).toEqual([201, undefined]);
  return body as unknown as MadeOverHttp;
};
const newSource = async (name: string, more: object = {}): Promise<string> =>
  (await call("POST", "/sources", { name, ...more })).body.id;
const plan = (overrides: PlanOverrides, name: "enterprise" | "free" = "enterprise") =>
  setPlan(db, one.tenant, { plan: name, overrides }, byTest(one));
const pauseOf = async (id: string): Promise<unknown> => {
  const { body } = await call("GET", "/producers");
  return (body.producers as Record<string, unknown>[]).find((each) => each.id === id)?.paused;
};
const untilPaused = (id: string, why: string | null) =>
  until(`paused: ${why}`, async () => ((await pauseOf(id)) === why ? true : undefined));

/** Sends one after the other until one is refused; resolves with how many were taken, and when the last, by performance.now(). */
const sendUntilRefused = async (sender: Sender, made: MadeOverHttp, message = "until refused") => {
  let taken = 0;
  let last = performance.now();
  for (;;) {
    const value = eventValue(made.schema_id, message);
    try {
      await sender.send({ topic: made.topic, partition: taken % 4, value });
    } catch {
      return { taken, last };
    }
    taken++;
    last = performance.now();
  }
};
const untilTaken = (sender: Sender, made: MadeOverHttp) =>
  until("its records to be taken", () =>
    sender.send({ topic: made.topic, partition: 0, value: eventValue(made.schema_id, "taken again") }).then(
      () => true,
      () => undefined,
    ),
  );
const storedOf = async (topic: string, message: string): Promise<number> => {
  const [row] = await tables.rows<{ n: string }>(
    `SELECT count() AS n FROM events WHERE topic = '${topic}' AND startsWith(message, '${message}')`,
  );
  return Number(row?.n);
};

test("a day that is used up ends what producers may send, in seconds; what was acknowledged is stored, and a raised plan lets them in", async () => {
  const daily_bytes = 300_000;
  const made = await make();
  const sender = await senderWith(one, made);
  await plan({ daily_bytes });
  const pad = `used up ${"x".repeat(10_000)}`;
  let taken = 0;
  while (taken * 10_000 < daily_bytes) {
    await sender.send({ topic: made.topic, partition: taken++ % 4, value: eventValue(made.schema_id, pad) });
  }
  const full = performance.now();
  const more = await sendUntilRefused(sender, made, "used up, and more");
  const seconds = (more.last - full) / 1000;
  process.stderr.write(`a day was used up; the last record was taken ${seconds.toFixed(1)} s later\n`);
  expect(seconds).toBeLessThan(10);
  expect(await pauseOf(made.id)).toBe("quota_exhausted");
  const all = taken + more.taken;
  await until("all that was acknowledged", async () =>
    (await storedOf(made.topic, "used up")) >= all ? true : undefined,
  );
  expect(await storedOf(made.topic, "used up")).toBe(all);

  await plan({ daily_bytes: 100 * daily_bytes });
  await untilTaken(sender, made);
  expect(await pauseOf(made.id)).toBeNull();
  await sender.close();
});

test("a plan without native producers stops those that were made before, and keeps them for when it has them again", async () => {
  const made = await make();
  const sender = await senderWith(one, made);
  await plan({}, "free");
  await sendUntilRefused(sender, made);
  await untilPaused(made.id, "over_plan");
  expect((await call("POST", "/producers", { source: one.source })).body.code).toBe("over_plan");
  await plan({});
  await untilTaken(sender, made);
  await sender.close();
});

test("brokers hold each producer to the lesser rate of its source and its organization, by waiting", async () => {
  const made = await make(await newSource("slow", { max_bytes_per_second: 1_000_000 }));
  const sender = await senderWith(one, made);
  const value = eventValue(made.schema_id, "x".repeat(50_000));
  /** Seconds that 600 kB take, one request after the other. */
  const timed = async (): Promise<number> => {
    const begun = performance.now();
    for (let i = 0; i < 12; i++) await sender.send({ topic: made.topic, partition: 0, value });
    return (performance.now() - begun) / 1000;
  };
  const free = await timed();
  await plan({ max_bytes_per_second: 50_000 });
  // Kafka has been told of all rates when this is answered.
  await make();
  const held = await timed();
  process.stderr.write(`600 kB took ${free.toFixed(1)} s, at 50 kB/s ${held.toFixed(1)} s\n`);
  // A broker looks at ten seconds: ten times the rate go through at once.
  expect(held).toBeGreaterThan(1.5);
  expect(held).toBeGreaterThan(free);
  await sender.close();
  await plan({});
});

test("the organization's days of retention bound those of a source, here as at the receiver", async () => {
  const made = await make(await newSource("kept", { retention_days: 400 }));
  const sender = await senderWith(one, made);
  await plan({ retention_days: 7 });
  const days = await until("an event under the new plan", async () => {
    await sender.send({ topic: made.topic, partition: 0, value: eventValue(made.schema_id, "kept") });
    const [row] = await tables.rows<{ days: number }>(
      `SELECT min(dateDiff('day', received_at, expires_on)) AS days FROM events WHERE topic = '${made.topic}' HAVING count() > 0`,
    );
    return row !== undefined && row.days < 10 ? row.days : undefined;
  });
  expect(days).toBeGreaterThanOrEqual(7);
  await sender.close();
  await plan({});
});

test("disabled or revoked under load, the last record is taken well within a second, a dozen times over, and others go on", async () => {
  const other = await make();
  const staying = await senderWith(one, other);
  let undisturbed = 0;
  let going = true;
  const load = (async () => {
    while (going) {
      await staying.send({ topic: other.topic, partition: 0, value: eventValue(other.schema_id, "undisturbed") });
      undisturbed++;
      await sleep(20);
    }
  })();
  const source = await newSource("in and out");
  /** Milliseconds from the answer to the last record that was taken. */
  const late: Record<string, number[]> = { disabled: [], revoked: [] };
  let made = await make(source);
  let sender = await senderWith(one, made);
  for (let i = 0; i < 6; i++) {
    await untilTaken(sender, made);
    const sending = sendUntilRefused(sender, made);
    await sleep(100);
    expect((await call("PATCH", `/sources/${source}`, { disabled: true })).status).toBe(200);
    const disabled = performance.now();
    late.disabled?.push((await sending).last - disabled);
    await call("PATCH", `/sources/${source}`, { disabled: false });
    await untilTaken(sender, made);
    const again = sendUntilRefused(sender, made);
    await sleep(100);
    expect((await call("DELETE", `/producers/${made.id}`)).status).toBe(200);
    const revoked = performance.now();
    late.revoked?.push((await again).last - revoked);
    await sender.close();
    if (i === 5) break;
    made = await make(source);
    sender = await senderWith(one, made);
  }
  going = false;
  await load;
  await staying.close();
  for (const [what, times] of Object.entries(late)) {
    const sorted = times.map((ms) => Math.round(ms)).toSorted((a, b) => a - b);
    process.stderr.write(`${what}: the last record was taken ${sorted.join(", ")} ms after the answer\n`);
    expect(sorted.at(-1)).toBeLessThan(1_000);
  }
  expect(undisturbed).toBeGreaterThan(20);
});
