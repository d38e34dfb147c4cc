import { createCipheriv, randomBytes } from "node:crypto";
import {
  consume,
  createKafka,
  createLog,
  createMetrics,
  createProducer,
  createRegistry,
  type InRecord,
  kafkaShape,
  loadConfig,
} from "@astralog/chassis";
import { BatchEncoder, emptyHeader, readBatchHeader, topics } from "@astralog/schemas";
import { type Platform, platform, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { callApi, planter, until } from "../api.driver.ts";
import type { Verification } from "./verify-run.ts";

let one: Platform;
let call: ReturnType<typeof callApi>;
let plant: ReturnType<typeof planter>;

const log = createLog("test", "fatal");
const kafkaOf = (service: "receiver" | "redactor" | "sink") =>
  createKafka(loadConfig(kafkaShape, one.env(service)), log, "test");

const verify = async (): Promise<Verification> => {
  const { status, body } = await call(one.adminKey, "GET", "/verify");
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body as unknown as Verification;
};

const events = (count: number) => Array.from({ length: count }, (_, i) => ({ message: `event ${i}` }));
/** What a good sink leaves of the record. */
const store = async (partition: number, offset: number, count: number) => {
  await plant.events(one.tenant, one.source, partition, offset, events(count));
  await plant.ledger(one.tenant, one.source, [{ partition, offset, accepted: count, stored: count }]);
};

beforeAll(async () => {
  one = await platform(sharedStack());
  plant = planter(one);
  call = callApi(await one.start("api"));
  await until("the admin key", async () =>
    (await call(one.adminKey, "GET", "/dead")).status === 200 ? true : undefined,
  );
});
afterAll(async () => {
  await plant.close();
  await one.stop();
});

test("a clean ledger is clean; repeated ledger rows are one; what the receiver wrote and nobody read is lag", async () => {
  for (let offset = 0; offset < 5; offset++) await store(0, offset, 10);
  await plant.ledger(one.tenant, one.source, [{ partition: 0, offset: 4, accepted: 10, stored: 10 }]);
  await plant.ledger(one.tenant, one.source, [
    { partition: 1, offset: 0, accepted: 7, stored: 0, dropped: { duplicate: 7 } },
  ]);
  const kafka = kafkaOf("receiver");
  const producer = await createProducer(kafka, { log, metrics: createMetrics("test") }, { lingerMs: 1 });
  for (let i = 0; i < 7; i++)
    await producer.send({ topic: kafka.name(topics.raw.name), partition: 0, value: Buffer.from("x") });
  await producer.close();
  expect(await verify()).toMatchObject({
    ok: true,
    accepted: 57,
    stored: 50,
    dropped: { duplicate: 7 },
    gaps: [],
    sources: [{ source: one.source, name: "app", accepted: 57, stored: 50 }],
    lag: { records: 2, partitions: [{ partition: 0, end: 7, lag: 2 }] },
  });
});

test("a lost record, a lost event, a doubled event and a wrong sum are each found, and named", async () => {
  await store(2, 0, 3);
  await store(2, 2, 3);
  const gap = await verify();
  expect(gap.ok).toBe(false);
  expect(gap.gaps).toEqual([{ topic: "events.raw", partition: 2, from: 1, to: 1 }]);
  await store(2, 1, 3);
  expect((await verify()).ok).toBe(true);

  await plant.events(one.tenant, one.source, 2, 1, [{ message: "again", index: 2 }]);
  const doubled = await verify();
  expect(doubled.duplicates).toMatchObject([{ partition: 2, offset: 1, stored: 3, found: 4, distinct: 3 }]);
  await plant.command(`DELETE FROM events WHERE topic = '${plant.topic}' AND partition = 2 AND offset = 1`);
  const lost = await verify();
  expect(lost.mismatches).toMatchObject([{ partition: 2, offset: 1, stored: 3, found: 0 }]);
  await plant.events(one.tenant, one.source, 2, 1, events(3));
  expect((await verify()).ok).toBe(true);

  // As many as there should be, but one twice and one not at all.
  await plant.events(one.tenant, one.source, 3, 0, [
    { message: "a", index: 0 },
    { message: "b", index: 0 },
  ]);
  await plant.ledger(one.tenant, one.source, [{ partition: 3, offset: 0, accepted: 2, stored: 2 }]);
  expect((await verify()).duplicates).toMatchObject([{ partition: 3, offset: 0, found: 2, distinct: 1 }]);
  await plant.ledger(one.tenant, one.source, [
    { partition: 4, offset: 0, accepted: 9, stored: 0, dropped: { dead_letter: 8 } },
  ]);
  expect((await verify()).mismatches).toMatchObject([{ partition: 4, offset: 0, accepted: 9, stored: 0 }]);
});

test("records the redactor passed on and the sink says it has stored are missed when the ledger lacks them", async () => {
  const kafka = kafkaOf("redactor");
  const raw = kafka.name(topics.raw.name);
  const consumer = await consume(
    kafka,
    { log, metrics: createMetrics("test") },
    { group: "redactor", topics: [raw], handle: () => Promise.resolve() },
  );
  await until("the group's commit", async () =>
    (await verify()).gaps.some(({ partition, from, to }) => partition === 0 && from === 5 && to === 6)
      ? true
      : undefined,
  );
  await consumer.close();
});

const seal = (payload: Buffer, boundTo: string): string => {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", Buffer.from(one.deployment.deadLetterKey, "base64"), nonce);
  cipher.setAAD(Buffer.from(boundTo));
  // As Latin-1 text, each character a byte; ClickHouse turns it back below.
  return Buffer.concat([nonce, cipher.update(payload), cipher.final(), cipher.getAuthTag()]).toString("hex");
};

test("a dead letter is listed without its payload, and goes back to its own partition under its own dedup_id", async () => {
  const encoder = new BatchEncoder();
  encoder.append({
    millis: 1,
    nanos: 0,
    level: 9,
    service: "s",
    host: "",
    message: "the secret text",
    trace_id: "",
    span_id: "",
    attribute_types: "",
    attributes: [],
  });
  const kafka = kafkaOf("redactor");
  const raw = kafka.name(topics.raw.name);
  const schemaId = await createRegistry(loadConfig(kafkaShape, one.env("redactor"))).idOf("EventBatch", raw);
  const payload = encoder.finish(schemaId, {
    ...emptyHeader,
    tenant: one.tenant,
    source: one.source,
    accepted: 1,
    dedup_id: "first",
  });
  await plant.command(`INSERT INTO dead_letters (topic, partition, offset, index, tenant, source, reason, detail, died_at, payload_bytes, encryption, payload)
    SELECT '${raw}', 6, 40, -1, '${one.tenant}', '${one.source}', 'redaction_failed', 'd', now64(3), ${payload.length}, 'aes-256-gcm', unhex('${seal(payload, `${raw}/6/40/-1`)}')`);

  const { body: listed } = await call(one.adminKey, "GET", "/dead?reason=redaction_failed");
  expect(listed.dead).toMatchObject([{ id: "6-40", reason: "redaction_failed", payload_bytes: payload.length }]);
  expect(JSON.stringify(listed)).not.toMatch(/payload"/);
  expect((await call(one.adminKey, "GET", "/dead/6-41")).status).toBe(404);

  const got: InRecord[] = [];
  const consumer = await consume(
    kafka,
    { log, metrics: createMetrics("test") },
    {
      group: "redactor.dead",
      topics: [raw],
      handle: ({ partition, records }) => {
        if (partition === 6) got.push(...records);
        return Promise.resolve();
      },
    },
  );
  const { status, body } = await call(one.adminKey, "POST", "/dead/6-40/replay");
  expect([status, body.replayed_as]).toEqual([202, "6-0"]);
  const [record] = await until("the replay", () => (got.length > 0 ? got : undefined));
  expect(readBatchHeader(record?.value ?? Buffer.alloc(0))).toMatchObject({
    tenant: one.tenant,
    protocol: "replay",
    dedup_id: `replay/${raw}/6/40/-1`,
    accepted: 1,
  });
  expect(record?.value?.toString("latin1")).toContain("the secret text");
  await consumer.close();

  await plant.ledger(one.tenant, one.source, [
    { partition: 6, offset: 0, accepted: 1, stored: 1, dedup_id: `replay/${raw}/6/40/-1` },
  ]);
  expect((await call(one.adminKey, "POST", "/dead/6-40/replay")).body.code).toBe("cannot_replay");
});
