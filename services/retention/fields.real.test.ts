/** Fields that go before their event does, over real servers: what is gone and from where, what stays, both counted one by one. */
import { askAs, ownStack, type Platform, platform, type RunningService, type Sql, until } from "@astralog/testbed";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { createDriver, untilSwept } from "./retention.driver.ts";

jest.setTimeout(240_000);

let stack: Awaited<ReturnType<typeof ownStack>>;
let one: Platform;
let api: RunningService;
let receiver: RunningService;
let retention: RunningService;
let sql: Sql;

const often = { SWEEP_SECONDS: "1", SETTLE_SECONDS: "0", IN_FLIGHT_MS: "200", BACKUP_KEEP_DAYS: "14" };
const { ask } = createDriver(() => ({ one, api, receiver }));
/** With a key that may read events. */
const see = async (path: string) => {
  const headers = { authorization: `Bearer ${one.queryKey}` };
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape.
  return (await (await fetch(`${api.url}/api/v1${path}`, { headers })).json()) as any;
};

const count = async (where: string): Promise<number> =>
  (await sql<{ n: number }>(`SELECT toUInt32(count()) AS n FROM events WHERE ${where}`))[0]?.n ?? -1;
/** Of words in the text indexes of parts that are there. */
const indexed = async (word: string): Promise<number> =>
  (
    await sql<{ n: number }>(
      `SELECT toUInt32(count()) AS n FROM mergeTreeTextIndex(currentDatabase(), 'events', 'message_words') WHERE token = '${word}'`,
    )
  )[0]?.n ?? -1;
const mutations = async (): Promise<number> =>
  (await sql<{ n: number }>("SELECT toUInt32(count()) AS n FROM system.mutations WHERE table = 'events'"))[0]?.n ?? -1;

let offset = 0;
/** Ten events that were received `ago` days ago, as the sink would have stored them, then their ledger row. */
const stored = async (ago: number, message: string, { tenant = one.tenant, source = one.source, events = 10 } = {}) => {
  offset += 1;
  const at = `toDateTime64(toDate(now('UTC')) - ${ago}, 3, 'UTC') + INTERVAL 13 HOUR`;
  await sql(`INSERT INTO events (tenant, source, timestamp, received_at, expires_on, level, service, host, message, trace_id, span_id,
      attribute_types, attributes, topic, partition, offset, idx, inserted_at)
    SELECT '${tenant}', '${source}', toDateTime64(${at}, 9, 'UTC'), ${at}, toDate(now('UTC')) + 20, 9, 'svc', 'host-${message}',
    concat('${message} ', toString(number)), 'trace', 'span', 'nsb', map('user.id', toString(number), 'user.name', 'name-${message}', 'paid', 'true'),
    '${one.prefix}events.raw', 0, ${offset}, number, toDateTime(${at}, 'UTC') FROM numbers(${events})`);
  await sql(`INSERT INTO batches (topic, partition, offset, tenant, source, received_at, accepted, stored, inserted_at)
    SELECT '${one.prefix}events.raw', 0, ${offset}, '${tenant}', '${source}', ${at}, ${events}, ${events}, ${at}`);
  return offset;
};
const rule = async (more: object): Promise<string> => {
  const { status, body } = await ask("POST", "/retention/rules", { name: "a rule", kind: "drop_fields", ...more });
  expect([status, body]).toMatchObject([201, {}]);
  return body.id as string;
};
const lastLook = async () =>
  (
    await sql<{ removed: number; overdue: number; held: number; looked: number }>(
      "SELECT toUInt32(removed) AS removed, toUInt32(overdue) AS overdue, toUInt32(held) AS held, toUInt32(looked) AS looked FROM sweeps WHERE tenant = '' AND place = 'event_fields' ORDER BY began_at DESC LIMIT 1",
    )
  )[0];

beforeAll(async () => {
  stack = await ownStack();
  one = await platform(stack);
  const { url, database, users } = stack.clickhouse;
  sql = askAs(url, database, "astralog_admin", users.astralog_admin ?? "");
  [api, receiver] = await Promise.all([one.start("api"), one.start("receiver")]);
  await until("the key", async () => ((await ask("GET", "/sources")).status === 200 ? true : undefined));
});
afterAll(async () => {
  await one?.stop();
  await stack?.stop();
});

test("a preview counts what a rule would find, and rules that spoil each other are refused by name", async () => {
  await stored(8, "olden");
  await stored(7, "lastday");
  await stored(8, "theirs", { tenant: "tn_other", source: "src_other" });
  const wanted = { name: "words go", kind: "drop_fields", days: 7, fields: ["message", "attributes.user.*"] };
  const { status, body } = await ask("POST", "/retention/rules/preview", wanted);
  expect([status, body]).toMatchObject([200, { events: 20, due: 10, held: 0 }]);
  expect(body.places.map(({ place, reached }: { place: string; reached: boolean }) => [place, reached])).toContainEqual(
    ["backups", false],
  );
  for (const [bad, words] of [
    [{ ...wanted, fields: ["service"] }, /service is in the order/],
    [{ ...wanted, kind: "keep" }, /fields/],
    [{ ...wanted, days: 4_000 }, /days/],
  ] as const)
    expect(JSON.stringify((await ask("POST", "/retention/rules", bad)).body)).toMatch(words);
  const keep = (await ask("POST", "/retention/rules", { name: "audits", kind: "keep", query: "audit", days: 60 })).body
    .id;
  const refused = await ask("POST", "/retention/rules", wanted);
  expect(refused).toMatchObject({ status: 400, body: { code: "invalid_request" } });
  expect(refused.body.detail).toMatch(/"audits" asks for message/);
  expect((await ask("POST", "/retention/rules/preview", wanted)).status).toBe(400);
  expect((await ask("DELETE", `/retention/rules/${keep}`)).status).toBe(204);
});

test("values go from rows, index and answers on time, in one rewriting for all; younger and others' stay, and so do events", async () => {
  const events = await count("1");
  expect(await indexed("olden")).toBeGreaterThan(0);
  await sql("OPTIMIZE TABLE events FINAL");
  await rule({ name: "words go", days: 7, fields: ["message", "attributes.user.*"] });
  await rule({ name: "hosts go earlier", days: 3, fields: ["host"] });
  await rule({ name: "hosts go later", days: 30, fields: ["host", "trace_id"] });
  const before = await mutations();
  retention = await one.start("retention", often);
  await until("they are gone", async () => ((await count("host = ''")) === 20 ? true : undefined));
  await untilSwept(sql);
  expect(await count("1")).toBe(events);
  const rows =
    await sql(`SELECT DISTINCT offset, message = '' AS words, host, trace_id, attribute_types, mapKeys(attributes) AS names
    FROM events WHERE idx = 0 ORDER BY offset`);
  const names = ["user.id", "user.name", "paid"];
  expect(rows).toEqual([
    { offset: 1, words: 1, host: "", trace_id: "trace", attribute_types: "b", names: ["paid"] },
    { offset: 2, words: 0, host: "", trace_id: "trace", attribute_types: "nsb", names },
    { offset: 3, words: 0, host: "host-theirs", trace_id: "trace", attribute_types: "nsb", names },
  ]);
  expect([await indexed("olden"), (await indexed("lastday")) > 0, (await indexed("theirs")) > 0]).toEqual([
    0,
    true,
    true,
  ]);
  expect(await mutations()).toBe(before + 1);
  expect(await lastLook()).toMatchObject({ overdue: 0, removed: 0, held: 0, looked: 20 });

  const search = async (q: string) => (await see(`/search?q=${encodeURIComponent(q)}&from=-20d`)).events.length;
  expect([await search("olden"), await search("lastday"), await search("user.name:name-olden")]).toEqual([0, 10, 0]);
  const facets = await see("/facets?fields=user.name,host&from=-20d");
  expect(JSON.stringify(facets.facets)).toContain("name-lastday");
  expect(JSON.stringify(facets.facets)).not.toMatch(/olden|host-/);
  const id = (ago: number) => see(`/events/0-${ago}-0`);
  expect((await id(1)).dropped_fields.map(({ rule: name }: { rule: string }) => name)).toEqual([
    "words go",
    "hosts go earlier",
  ]);
  expect(await id(1)).toMatchObject({
    message: "",
    attributes: { paid: true },
    dropped_fields: [{ after_days: 7 }, {}],
  });
  expect((await id(2)).dropped_fields).toMatchObject([{ rule: "hosts go earlier", fields: ["host"] }]);
  // The ledger knows of events, and all of them are there.
  const [odd] = await sql<{ n: number }>(`SELECT toUInt32(count()) AS n FROM batches FULL JOIN (
    SELECT topic, partition, offset, count() AS there FROM events GROUP BY ALL) AS seen USING (topic, partition, offset) WHERE stored != there`);
  expect(odd?.n).toBe(0);
});

test("a hold keeps fields until it ends, and a second sweep rewrites nothing", async () => {
  const hold = await rule({ name: "case", kind: "hold", query: "evidence", reason: "case 9", days: null, fields: [] });
  await until("the hold is known", async () =>
    (await ask("GET", "/retention")).body.rules.length === 4 ? true : undefined,
  );
  await untilSwept(sql);
  await stored(9, "evidence");
  await stored(9, "beside");
  await until("one is gone", async () => ((await count("offset = 5 AND message = ''")) === 10 ? true : undefined));
  await untilSwept(sql);
  expect(await count("message LIKE 'evidence%' AND host != '' AND has(mapKeys(attributes), 'user.id')")).toBe(10);
  expect(await lastLook()).toMatchObject({ overdue: 0, held: 10 });
  const before = await mutations();
  await untilSwept(sql);
  await untilSwept(sql);
  expect(await mutations()).toBe(before);
  expect((await ask("DELETE", `/retention/rules/${hold}`)).status).toBe(204);
  await until("it is gone, too", async () => ((await count("message LIKE 'evidence%'")) === 0 ? true : undefined));
  expect(await indexed("evidence")).toBe(0);
});

test("killed in the middle again and again it ends, and every event is there", async () => {
  const events = await count("1");
  await retention.kill();
  for (let i = 0; i < 6; i++) await stored(8 + i, `many${i}`, { events: 20_000 });
  const due = "message LIKE 'many%'";
  for (let kill = 0; kill < 3; kill++) {
    const before = await mutations();
    retention = await one.start("retention", often);
    await until("it rewrites or is done", async () =>
      (await mutations()) > before || (await count(due)) === 0 ? true : undefined,
    );
    await retention.kill();
  }
  retention = await one.start("retention", often);
  await until("all are gone", async () => ((await count(due)) === 0 ? true : undefined));
  await untilSwept(sql);
  expect(await count("1")).toBe(events + 120_000);
  expect(await count(`tenant = '${one.tenant}' AND host != ''`)).toBe(0);
  expect(await count("tenant = 'tn_other' AND message LIKE 'theirs%' AND host != ''")).toBe(10);
  expect(await lastLook()).toMatchObject({ overdue: 0 });
  expect(await indexed("many0")).toBe(0);
  expect((await ask("GET", "/retention")).body.sweep).toContainEqual(
    expect.objectContaining({ place: "event_fields", overdue: 0 }),
  );
});
