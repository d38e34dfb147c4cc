/** The live tail over a running receiver and redactor: quick, whole, one's own, and honest when it cannot be whole. */
import { setTimeout as sleep } from "node:timers/promises";
import { connectPostgres } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { byTest, until } from "../api.driver.ts";
import { createKey, revokeKey } from "../control/keys.ts";
import { createSource } from "../control/sources.ts";
import { ensureTenant } from "../control/tenants.ts";
import { type Ear, listenTo } from "./tail.driver.ts";

let one: Platform;
let receiver: RunningService;
let api: RunningService;
let other: { tenant: string; ingest: string; query: string; queryId: string };
const ears: Ear[] = [];

const listen = async (q: string, key = one.queryKey, lastId?: string): Promise<Ear> => {
  const ear = await listenTo(api.url, key, q, lastId);
  ears.push(ear);
  await until("the tail to open", () => ear.heard.find(({ event }) => event === "open"));
  return ear;
};

/** Resolves with the moment of the acknowledgement. */
const send = async (events: readonly object[], key = one.ingestKey): Promise<number> => {
  const response = await fetch(`${receiver.url}/v1/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(events),
  });
  if (!response.ok) throw new Error(await response.text());
  return performance.now();
};

const lines = (ear: Ear) => ear.heard.filter(({ event }) => event === "message");
const texts = (ear: Ear) => lines(ear).map(({ data }) => data.message as string);

beforeAll(async () => {
  one = await platform(sharedStack());
  receiver = await one.start("receiver");
  await one.start("redactor");
  api = await one.start("api");
  const db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  const by = byTest(one);
  const tenant = (await ensureTenant(db, "other", by)).id;
  const source = await createSource(db, tenant, { name: "theirs" }, by);
  const ingest = await createKey(db, tenant, { kind: "ingest", source: source.id }, by);
  const query = await createKey(db, tenant, { kind: "query" }, by);
  other = { tenant, ingest: ingest.key, query: query.key, queryId: query.row.id };
  await db.destroy();
  for (const key of [one.ingestKey, other.ingest])
    await until("the keys", () => send([{ message: "warm" }], key).catch(() => undefined));
});

afterAll(async () => {
  for (const ear of ears) ear.stop();
  await one?.stop();
});

test("every event of 1,000 a second comes, once, in order, and within half a second of its acknowledgement", async () => {
  const ear = await listen("service:steady level:>=info");
  const acknowledged: number[] = [];
  const seconds = 4;
  const every = 50;
  const begun = performance.now();
  const sent: Promise<void>[] = [];
  for (let tick = 0; tick < (seconds * 1000) / every; tick++) {
    await sleep(Math.max(0, begun + tick * every - performance.now()));
    const events = Array.from({ length: every }, (_, i) => ({
      message: `event ${tick * every + i}`,
      service: "steady",
      level: i % 10 === 0 ? "debug" : "info",
    }));
    sent.push(
      send(events).then((at) => {
        acknowledged[tick] = at;
      }),
    );
  }
  await Promise.all(sent);
  const wanted = seconds * 1000 * 0.9;
  await until("all of them", () => (lines(ear).length >= wanted ? true : undefined));
  expect(lines(ear)).toHaveLength(wanted);
  expect(new Set(texts(ear)).size).toBe(wanted);
  expect(ear.heard.filter(({ event }) => event === "gap" || event === "skipped")).toEqual([]);
  const late = lines(ear)
    .map(({ data, at }) => at - (acknowledged[Math.floor(Number((data.message as string).slice(6)) / every)] ?? 0))
    .sort((a, b) => a - b);
  const at = (share: number) => Math.round(late[Math.floor((late.length - 1) * share)] ?? 0);
  console.log(`acknowledged to the listener, ms: p50 ${at(0.5)}, p99 ${at(0.99)}, most ${at(1)}`);
  expect(at(0.5)).toBeLessThan(500);
}, 60_000);

test("what it shows is what search shows: redacted, with id, source and attributes", async () => {
  const ear = await listen("marker:shape");
  await send([
    {
      message: "card 4111 1111 1111 1111 used",
      service: "pay",
      marker: "shape",
      big: 12345678901234567890n.toString(),
      n: 1.5,
      ok: true,
    },
  ]);
  await until("it", () => lines(ear)[0]);
  const [line] = lines(ear);
  expect(line?.data).toMatchObject({
    id: expect.stringMatching(/^\d+-\d+-0$/),
    source: "app",
    service: "pay",
    attributes: { marker: "shape", n: 1.5, ok: true },
  });
  expect(line?.data.message).not.toContain("4111");
  // It told no time, so it has that of its arrival.
  expect(line?.data.timestamp).toBe(String(line?.data.received_at).replace(/Z$/, "000000Z"));
});

test("nobody hears another organization, whatever he asks for", async () => {
  const [mine, theirs] = [await listen(""), await listen("", other.query)];
  await send([{ message: "of mine" }]);
  await send([{ message: "of theirs" }], other.ingest);
  await until("both", () => (texts(mine).length > 0 && texts(theirs).length > 0 ? true : undefined));
  await sleep(200);
  expect(texts(mine)).toEqual(["of mine"]);
  expect(texts(theirs)).toEqual(["of theirs"]);
  mine.stop();
});

test("who comes back goes on where he was, without a loss or a repeat; who cannot is told", async () => {
  const first = await listen("service:back");
  await send([{ message: "a", service: "back" }]);
  await until("the first", () => lines(first)[0]);
  const lastId = lines(first)[0]?.id;
  first.stop();
  await send([
    { message: "b", service: "back" },
    { message: "x", service: "elsewhere" },
    { message: "c", service: "back" },
  ]);
  await sleep(500);
  const again = await listen("service:back", one.queryKey, lastId);
  await send([{ message: "d", service: "back" }]);
  await until("the rest", () => (lines(again).length >= 3 ? true : undefined));
  expect(texts(again)).toEqual(["b", "c", "d"]);
  expect(again.heard.some(({ event }) => event === "gap")).toBe(false);
  const stranger = await listen("service:back", one.queryKey, "elsewhere-12");
  await until("the gap", () => stranger.heard.find(({ event }) => event === "gap"));
});

test("a query that cannot be read is refused with its column, before anything is streamed", async () => {
  await expect(listenTo(api.url, one.queryKey, "a AND (")).rejects.toThrow(/"code":"invalid_query".*"column":7/);
  await expect(listenTo(api.url, one.adminKey, "")).rejects.toThrow(/forbidden/);
});

test("a key that ends, ends its tails", async () => {
  const ear = await listen("", other.query);
  const db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  await revokeKey(db, other.tenant, other.queryId, byTest(one));
  await db.destroy();
  const revoked = performance.now();
  await ear.ended;
  expect(ear.heard.at(-1)).toMatchObject({ event: "end", data: { reason: "access has ended" } });
  expect(performance.now() - revoked).toBeLessThan(5_000);
});
