import { setTimeout as sleep } from "node:timers/promises";
import { encodeRecord, topics } from "@astralog/schemas";
import { type Platform, platform, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  consume,
  createControlTable,
  createKafka,
  createLog,
  createMetrics,
  createProducer,
  type Delivery,
  kafkaShape,
  loadConfig,
} from "./index.ts";

let one: Platform;
beforeAll(async () => {
  one = await platform(sharedStack());
});
afterAll(() => one.stop());

const log = createLog("test", "fatal");
const as = (service: "receiver" | "redactor" | "api") =>
  createKafka(loadConfig(kafkaShape, one.env(service)), log, `test-${service}`);
const context = () => ({ log, metrics: createMetrics("test") });
const until = async (holds: () => boolean, what: string): Promise<void> => {
  for (let i = 0; i < 400; i++) {
    if (holds()) return;
    await sleep(50);
  }
  throw new Error(`waited 20 s for: ${what}`);
};

test("records get their own offsets, and come back in order, once", async () => {
  const kafka = as("receiver");
  const topic = kafka.name(topics.raw.name);
  const producer = await createProducer(kafka, context(), { lingerMs: 2 });
  const placed = await Promise.all(
    Array.from({ length: 900 }, (_, i) => producer.send({ topic, partition: i % 3, value: Buffer.from(String(i)) })),
  );
  expect(producer.pendingBytes).toBe(0);
  const seen = new Map<string, string>();
  const order = new Map<number, number>();
  const consumer = await consume(as("redactor"), context(), {
    group: "redactor.order",
    topics: [topic],
    handle: ({ partition, records }) => {
      for (const { offset, value } of records) {
        expect(offset).toBe((order.get(partition) ?? offset - 1) + 1);
        order.set(partition, offset);
        seen.set(`${partition}/${offset}`, String(value));
      }
      return Promise.resolve();
    },
  });
  await until(() => seen.size >= 900, "900 records");
  await consumer.close();
  expect(placed.map(({ partition, offset }) => seen.get(`${partition}/${offset}`))).toEqual(
    placed.map((_, i) => String(i)),
  );
  await producer.close();
});

test("a record that is too large fails alone, for good; its neighbours are written", async () => {
  const kafka = as("receiver");
  const topic = kafka.name(topics.raw.name);
  const producer = await createProducer(kafka, context(), { lingerMs: 5 });
  const sent = [10, topics.raw.maxMessageBytes + 1, 10].map((size) =>
    producer.send({ topic, partition: 4, value: Buffer.alloc(size, 1) }),
  );
  const [before, large, after] = await Promise.allSettled(sent);
  expect(before?.status).toBe("fulfilled");
  expect(after?.status).toBe("fulfilled");
  expect(large).toMatchObject({ status: "rejected", reason: { code: "kafka_refused", retriable: false } });
  await producer.close();
});

test("a handler that fails sees the same records again, and holds up no other partition", async () => {
  const kafka = as("receiver");
  const topic = kafka.name(topics.raw.name);
  const producer = await createProducer(kafka, context(), { lingerMs: 0 });
  for (const partition of [5, 6])
    for (let i = 0; i < 5; i++) await producer.send({ topic, partition, value: Buffer.from(String(i)) });
  const tries: number[] = [];
  const done = new Map<number, number[]>();
  const consumer = await consume(as("redactor"), context(), {
    group: "redactor.failing",
    topics: [topic],
    handle: async ({ partition, records }: Delivery) => {
      if (partition === 5 && tries.push(records[0]?.offset ?? -1) <= 3) throw new Error("not yet");
      done.set(partition, [...(done.get(partition) ?? []), ...records.map((r) => r.offset)]);
    },
  });
  await until(() => (done.get(5)?.length ?? 0) >= 5 && (done.get(6)?.length ?? 0) >= 5, "both partitions");
  await consumer.close();
  expect(tries.slice(0, 4)).toEqual([0, 0, 0, 0]);
  expect(done.get(5)).toEqual([0, 1, 2, 3, 4]);
  await producer.close();
});

test("through joins and leaves of the group every record is handled, and never one before a smaller one", async () => {
  const kafka = as("receiver");
  const topic = kafka.name(topics.raw.name);
  const producer = await createProducer(kafka, context(), { lingerMs: 1 });
  const handled = new Map<number, number[]>();
  const join = () =>
    consume(as("redactor"), context(), {
      group: "redactor.rebalance",
      topics: [topic],
      handle: async ({ partition, records, current }) => {
        for (const { offset } of records) {
          await sleep(1);
          if (!current()) return;
          const list = handled.get(partition) ?? [];
          list.push(offset);
          handled.set(partition, list);
        }
      },
    });
  let sending = true;
  const sender = (async () => {
    let sent = 0;
    for (; sending; sent++) await producer.send({ topic, partition: 8 + (sent % 4), value: Buffer.from(String(sent)) });
    return sent;
  })();
  const first = await join();
  await sleep(1_500);
  const second = await join();
  await sleep(1_500);
  await first.close();
  await sleep(1_000);
  sending = false;
  const sent = await sender;
  const distinct = () => [8, 9, 10, 11].reduce((sum, p) => sum + new Set(handled.get(p)).size, 0);
  await until(() => distinct() === sent, `${sent} records, not ${distinct()}`);
  await second.close();
  for (const partition of [8, 9, 10, 11]) {
    let high = -1;
    for (const offset of handled.get(partition) ?? []) {
      expect(offset).toBeLessThanOrEqual(high + 1);
      high = Math.max(high, offset);
    }
  }
  await producer.close();
});

test("a control table is complete at the start and follows changes and removals", async () => {
  const kafka = as("api");
  const topic = kafka.name(topics.sources.name);
  const producer = await createProducer(kafka, context(), { lingerMs: 0 });
  const source = {
    tenant: "tn_x",
    source: "src_x",
    name: "x",
    disabled: false,
    retention_days: 1,
    partitions: 2,
    max_bytes_per_second: 0n,
    native_partitions: [],
  };
  const put = (key: string, value: typeof source | null) =>
    producer.send({ topic, partition: 0, key, value: value === null ? null : encodeRecord("SourceRecord", 1, value) });
  await put("tn_x/src_x", source);
  const table = await createControlTable(as("receiver"), { log }, { principal: "receiver", topic: topics.sources });
  await until(() => table.complete, "the table");
  expect(table.get("tn_x/src_x")).toMatchObject(source);
  const start = performance.now();
  await put("tn_x/src_x", { ...source, disabled: true });
  await until(() => table.get("tn_x/src_x")?.disabled === true, "the change");
  await put("tn_x/src_x", null);
  await until(() => table.get("tn_x/src_x") === undefined, "the removal");
  expect(performance.now() - start).toBeLessThan(5_000);
  await table.close();
  await producer.close();
});
