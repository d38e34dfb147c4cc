/** Kafka-native producers end to end, on real servers: from a record in native.<source> to rows, ledger and verdict. */
import { spawnSync } from "node:child_process";
import { encodeRecord, types } from "@astralog/schemas";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { callApi, until } from "../api.driver.ts";
import { connectClickHouse } from "../clickhouse.ts";
import { domainOf, eventValue, kafkaAs, senderOf } from "./native.driver.ts";
import { type MadeProducer, revokeProducer } from "./producers.ts";

let one: Platform;
let api: RunningService;
let redactor: RunningService;
let domain: ReturnType<typeof domainOf>;
let made: MadeProducer;
let clickhouse: ReturnType<typeof connectClickHouse>;

beforeAll(async () => {
  one = await platform(sharedStack());
  domain = domainOf(one);
  const { url, database, users } = one.stack.clickhouse;
  clickhouse = connectClickHouse({ url, database, username: "astralog_admin", password: users.astralog_admin ?? "" });
  [api, redactor] = await Promise.all([one.start("api"), one.start("redactor"), one.start("sink")]);
  made = await domain.create(one.source);
});
afterAll(async () => {
  await domain?.close();
  await clickhouse?.close();
  await one?.stop();
});

interface Row {
  tenant: string;
  source: string;
  topic: string;
  partition: number;
  offset: number;
  idx: number;
  message: string;
}
const rows = async <T>(query: string): Promise<T[]> =>
  (
    await clickhouse.query({
      query,
      format: "JSONEachRow",
      clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
    })
  ).json<T>();
const stored = (where: string): Promise<Row[]> =>
  rows<Row>(
    `SELECT tenant, source, topic, partition, offset, idx, message FROM events WHERE topic = '${made.topic}' AND ${where} ORDER BY partition, offset, idx`,
  );
const untilStored = (where: string, count: number): Promise<Row[]> =>
  until(`${count} events where ${where}`, async () => {
    const found = await stored(where);
    return found.length >= count ? found : undefined;
  });
const verify = async () => (await callApi(api)(one.adminKey, "GET", "/verify?wait=20")).body;

test("Avro events, JSON and batches are redacted and stored under their own coordinates; poison between them costs nobody", async () => {
  const sender = await senderOf(one, made);
  const { topic, schemaId } = made;
  const other = await rows<{ n: number }>("SELECT 1 AS n");
  expect(other).toEqual([{ n: 1 }]);
  const send = (value: Buffer | string | null) =>
    sender.send({ topic, partition: 0, value: typeof value === "string" ? Buffer.from(value) : value });
  const good = eventValue(schemaId, "sold password=mango-River9-quill");
  const unknown = Buffer.from(good);
  unknown.writeInt32BE(2_000_000_000, 1);
  const subject = `${one.prefix}control.keys-value`;
  const keyId = (
    (await (await fetch(`${one.stack.registry.url}/subjects/${subject}/versions/latest`)).json()) as { id: number }
  ).id;
  const wrongType = Buffer.from(good);
  wrongType.writeInt32BE(keyId, 1);
  const begun = Date.now();
  const first = await send(good);
  for (const poison of [
    "raw bytes",
    Buffer.concat([Buffer.from([7]), good.subarray(1)]),
    unknown,
    good.subarray(0, 20),
    wrongType,
    '{"a":',
    null,
  ])
    await send(poison);
  await send('{"message":"as json","tenant":"tn_other","source":"src_other","token":"Bearer abc.def-ghi_jkl123456"}');
  await send(`[{"message":"one"},{"time":"9999-01-01T00:00:00Z","message":"never"},{"message":"three"}]`);
  const last = await send(eventValue(schemaId, "behind all poison"));
  const found = await untilStored("1", 5);
  expect(Date.now() - begun).toBeLessThan(5_000);

  expect(found.map(({ offset, idx, message }) => [offset - first.offset, idx, message])).toEqual([
    [0, 0, "sold password=[redacted:password]"],
    [8, 0, "as json"],
    [9, 0, "one"],
    [9, 2, "three"],
    [10, 0, "behind all poison"],
  ]);
  expect(last.offset - first.offset).toBe(10);
  expect(new Set(found.map(({ tenant, source }) => `${tenant}/${source}`))).toEqual(
    new Set([`${one.tenant}/${one.source}`]),
  );
  const letters = await until("eight dead letters", async () => {
    const dead = await rows<{ tenant: string; offset: number; index: number; reason: string }>(
      `SELECT tenant, offset, index, reason FROM dead_letters FINAL WHERE topic = '${topic}' ORDER BY offset, index`,
    );
    return dead.length >= 8 ? dead : undefined;
  });
  expect(letters.map(({ offset, index, reason }) => `${offset - first.offset} ${index} ${reason}`)).toEqual([
    "1 -1 not_framed",
    "2 -1 not_framed",
    "3 -1 unknown_schema",
    "4 -1 undecodable",
    "5 -1 wrong_schema",
    "6 -1 not_json",
    "7 -1 not_framed",
    "9 1 limit_exceeded",
  ]);
  expect(new Set(letters.map(({ tenant }) => tenant))).toEqual(new Set([one.tenant]));
  expect(await verify()).toMatchObject({ ok: true, accepted: 13, stored: 5, dropped: { dead_letter: 8 }, gaps: [] });
  await sender.close();
});
