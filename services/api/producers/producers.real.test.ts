/** Kafka-native producers end to end, on real servers: from a record in native.<source> to rows, ledger and verdict. */
import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { createRegistry, kafkaShape, loadConfig } from "@astralog/chassis";
import { encodeRecord, topics } from "@astralog/schemas";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { callApi, until } from "../api.driver.ts";
import { connectClickHouse } from "../clickhouse.ts";
import { createSource, updateSource } from "../control/sources.ts";
import { domainOf, eventValue, kafkaAs, senderOf } from "./native.driver.ts";
import { listProducers, type MadeProducer, revokeProducer } from "./producers.ts";

let one: Platform;
let api: RunningService;
let domain: ReturnType<typeof domainOf>;
let made: MadeProducer;
let clickhouse: ReturnType<typeof connectClickHouse>;

beforeAll(async () => {
  one = await platform(sharedStack());
  domain = domainOf(one);
  const { url, database, users } = one.stack.clickhouse;
  clickhouse = connectClickHouse({ url, database, username: "astralog_admin", password: users.astralog_admin ?? "" });
  [api] = await Promise.all([one.start("api"), one.start("redactor"), one.start("sink")]);
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

test("a batch that claims to be another tenant's is its topic's all the same, and says nothing about itself", async () => {
  const sender = await senderOf(one, made);
  const registry = createRegistry(loadConfig(kafkaShape, one.env("receiver")));
  const id = await registry.idOf("EventBatch", `${one.prefix}events.raw`);
  const event = { timestamp: -1n, level: 99, service: "", host: "", message: "in a batch", trace_id: "" };
  const value = encodeRecord("EventBatch", id, {
    ...{ tenant: "tn_other", source: "src_other", received_at: 1n, protocol: "otlp", retention_days: 3650 },
    ...{ dedup_id: "mine", accepted: 7, raw_topic: "events.raw", raw_partition: 0, raw_offset: 0n, ruleset: "none" },
    ...{ dropped: { dead_letter: 5 }, redactions: { password: 9 } },
    events: [1, 2].map(() => ({ ...event, span_id: "", attribute_types: "", attributes: {} })),
  });
  const { partition, offset } = await sender.send({ topic: made.topic, partition: 1, value });
  const found = await untilStored("message = 'in a batch'", 2);
  expect(found).toMatchObject(
    [0, 1].map((idx) => ({ tenant: one.tenant, source: one.source, partition, offset, idx })),
  );
  const [entry] = await until("its ledger row", async () => {
    const all = await rows<Record<string, unknown>>(
      `SELECT tenant, source, protocol, dedup_id, accepted, stored, dropped, redactions FROM batches FINAL
       WHERE topic = '${made.topic}' AND partition = ${partition} AND offset = ${offset}`,
    );
    return all.length > 0 ? all : undefined;
  });
  expect(entry).toEqual({
    ...{ tenant: one.tenant, source: one.source, protocol: "kafka", dedup_id: "", accepted: 2, stored: 2 },
    ...{ dropped: {}, redactions: {} },
  });
  await sender.close();
});

test("a producer may write to its topic and do nothing else", async () => {
  const second = await domain.create((await createSource(domain.db, one.tenant, { name: "second" }, domain.by)).id);
  const mine = kafkaAs(one, made.row.username, made.password);
  const sender = await senderOf(one, made);
  const refused = async (topic: string): Promise<void> =>
    expect(sender.send({ topic, partition: 0, value: Buffer.from("{}") })).rejects.toThrow();
  await sender.send({ topic: made.topic, partition: 2, value: Buffer.from("{}") });
  for (const topic of [
    second.topic,
    ...[topics.raw, topics.clean, topics.dead, topics.sources].map(({ name }) => one.prefix + name),
  ])
    await refused(topic);
  const consumer = mine.consumer({
    ...{
      groupId: `native.${made.row.id}`,
      maxBytes: 1e6,
      maxBytesPerPartition: 1e6,
      maxWaitMs: 100,
      sessionTimeoutMs: 6_000,
    },
  });
  const crashed = Promise.withResolvers<unknown>();
  consumer.on(consumer.events.CRASH, ({ payload }) => crashed.resolve(payload.error));
  await consumer.connect();
  await consumer.subscribe({ topics: [made.topic] });
  void consumer.run({ eachMessage: async () => undefined });
  // What it may not see of groups, it is told is not there.
  expect(await crashed.promise).toMatchObject({ name: "KafkaJSGroupCoordinatorNotFound" });
  await consumer.disconnect();
  const admin = mine.admin();
  await admin.connect();
  expect(await admin.listTopics()).toEqual([made.topic]);
  await expect(admin.createTopics({ topics: [{ topic: `${one.prefix}native.src_own` }] })).rejects.toThrow();
  await expect(admin.deleteTopics({ topics: [made.topic] })).rejects.toThrow();
  await admin.disconnect();
  await expect(mine.scram().set(made.row.username, "chosen")).rejects.toMatchObject({ code: "kafka_refused" });
  await sender.close();
});

/** Sends until it is refused; resolves with when the last record was taken, by performance.now(). */
const sendUntilRefused = async (producer: MadeProducer): Promise<number> => {
  const sender = await senderOf(one, producer);
  let last = 0;
  try {
    for (let i = 0; ; i++) {
      await sender.send({
        topic: producer.topic,
        partition: i % 4,
        value: eventValue(producer.schemaId, "until refused"),
      });
      last = performance.now();
    }
  } catch {
    return last;
  } finally {
    await sender.close();
  }
};

test("revoked, a producer's open connection can write nothing more within a second, and others go on", async () => {
  const [leaving, staying] = [await domain.create(one.source), await senderOf(one, made)];
  const sending = sendUntilRefused(leaving);
  await sleep(300);
  const begun = performance.now();
  await revokeProducer(domain.db, one.tenant, leaving.row.id, domain.by);
  await domain.keeper.now();
  const ms = (await sending) - begun;
  expect(ms).toBeGreaterThan(-300);
  expect(ms).toBeLessThan(1_000);
  await staying.send({ topic: made.topic, partition: 0, value: eventValue(made.schemaId, "still here") });
  await staying.close();
  await until("its user to be gone", async () => {
    const [row] = (await listProducers(domain.db, one.tenant)).filter(({ id }) => id === leaving.row.id);
    return row?.closed_at ?? undefined;
  });
  await expect(senderOf(one, leaving)).rejects.toThrow();
});

test("rotated, both are good until the overlap ends, which needs nobody's help", async () => {
  const old = await domain.create(one.source);
  const fresh = await domain.rotate(old.row.id, 2);
  expect(fresh).toMatchObject({ topic: old.topic, row: { rotated_from: old.row.id } });
  const sender = await senderOf(one, fresh);
  await sender.send({ topic: fresh.topic, partition: 0, value: eventValue(fresh.schemaId, "new") });
  const begun = performance.now();
  expect((await sendUntilRefused(old)) - begun).toBeGreaterThan(500);
  await sender.send({ topic: fresh.topic, partition: 0, value: eventValue(fresh.schemaId, "newer") });
  await sender.close();
});

test("a disabled source takes nothing until it is enabled again", async () => {
  await updateSource(domain.db, one.tenant, one.source, { disabled: true }, domain.by);
  await domain.keeper.now();
  // The brokers learn of changed rights a moment after the controller has them.
  await sendUntilRefused(made);
  await updateSource(domain.db, one.tenant, one.source, { disabled: false }, domain.by);
  await domain.keeper.now();
  const sender = await senderOf(one, made);
  const send = () => sender.send({ topic: made.topic, partition: 0, value: eventValue(made.schemaId, "enabled") });
  await until("its records to be taken again", () =>
    send().then(
      () => true,
      () => undefined,
    ),
  );
  await sender.close();
});

/** Older ones send a nonce that brokers refuse since Kafka 3.8. */
const kcatCan = (): boolean => {
  const version = /librdkafka (\d+)\.(\d+)\.(\d+)/.exec(spawnSync("kcat", ["-V"], { encoding: "utf8" }).stdout ?? "");
  const [major = 0, minor = 0, patch = 0] = (version ?? []).slice(1).map(Number);
  return major * 1e6 + minor * 1e3 + patch >= 2_006_001;
};
const hasKcat = kcatCan();
if (!hasKcat) process.stderr.write("no kcat with librdkafka 2.6.1 or newer is installed: what it sends is not tried\n");

(hasKcat ? test : test.skip)("kcat sends by any codec, over TLS", async () => {
  const common = ["-P", "-b", one.stack.kafka.tlsBrokers, "-t", made.topic, "-X", "security.protocol=SASL_SSL"];
  const access = [
    ...["-X", "sasl.mechanism=SCRAM-SHA-256", "-X", `ssl.ca.location=${one.stack.tls.ca}`],
    ...["-X", `sasl.username=${made.row.username}`, "-X", `sasl.password=${made.password}`],
  ];
  const codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
  for (const codec of codecs) {
    const input = `{"message":"by kcat with ${codec}","pad":"${"x".repeat(2_000)}"}\n`;
    const { status, stderr } = spawnSync("kcat", [...common, ...access, "-z", codec], { input, encoding: "utf8" });
    expect(`${status} ${stderr}`).toBe("0 ");
  }
  const found = await untilStored("startsWith(message, 'by kcat')", codecs.length);
  expect(found.map(({ message }) => message).toSorted()).toEqual(
    codecs.map((codec) => `by kcat with ${codec}`).toSorted(),
  );
});

test("all of it is in the ledger", async () => {
  expect(await verify()).toMatchObject({ ok: true, gaps: [], duplicates: [], mismatches: [] });
  const trail = await domain.db.selectFrom("audit_events").select("action").where("tenant", "=", one.tenant).execute();
  const acts = trail.map(({ action }) => action).filter((action) => action.startsWith("producer."));
  expect(new Set(acts)).toEqual(new Set(["producer.created", "producer.rotated", "producer.revoked"]));
});
