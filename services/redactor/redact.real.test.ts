/** The redactor as a process, on real Kafka and a real registry. */
import { createDecipheriv } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  consume,
  createKafka,
  createLog,
  createMetrics,
  createProducer,
  createRegistry,
  kafkaShape,
  loadConfig,
} from "@astralog/chassis";
import {
  BatchEncoder,
  decodeRecord,
  type EventBatchRecord,
  emptyHeader,
  type Records,
  tombstone,
  topics,
} from "@astralog/schemas";
import { type Platform, platform, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";

let one: Platform;
beforeAll(async () => {
  one = await platform(sharedStack());
});
afterAll(() => one.stop());

const log = createLog("test", "fatal");
const context = () => ({ log, metrics: createMetrics("test") });
const as = (service: "receiver" | "sink") =>
  createKafka(loadConfig(kafkaShape, one.env(service)), log, `test-${service}`);
const secret = "mango-River9-quill";

interface Seen {
  offset: number;
  value: Buffer;
}

/** Everything on a topic, as it comes, by partition. */
const watch = async (topic: string) => {
  const seen = new Map<number, Seen[]>();
  const consumer = await consume(as("sink"), context(), {
    group: `sink.watch-${Math.random().toString(36).slice(2)}`,
    topics: [topic],
    handle: ({ partition, records }) => {
      for (const { offset, value } of records)
        seen.set(partition, [...(seen.get(partition) ?? []), { offset, value: value ?? Buffer.alloc(0) }]);
      return Promise.resolve();
    },
  });
  const all = (): Seen[] => [...seen.values()].flat();
  const until = async (holds: (all: Seen[]) => boolean, what: string): Promise<void> => {
    for (let i = 0; i < 600; i++) {
      if (holds(all())) return;
      await sleep(50);
    }
    throw new Error(`waited 30 s for ${what}; saw ${all().length}`);
  };
  return { seen, all, until, close: () => consumer.close() };
};

const setUp = async () => {
  const kafka = as("receiver");
  const raw = kafka.name(topics.raw.name);
  const schemaId = await createRegistry(loadConfig(kafkaShape, one.env("receiver"))).idOf("EventBatch", raw);
  const producer = await createProducer(kafka, context(), { lingerMs: 1 });
  const batch = (messages: readonly string[]): Buffer => {
    const encoder = new BatchEncoder();
    for (const message of messages)
      encoder.append({ ...tombstone, millis: 1_750_000_000_000, nanos: 0, service: "web", message });
    return encoder.finish(schemaId, {
      ...emptyHeader,
      tenant: "tn_test",
      source: "src_test",
      received_at: Date.now(),
      accepted: messages.length,
    });
  };
  const send = (partition: number, value: Buffer) => producer.send({ topic: raw, partition, value });
  return { kafka, raw, schemaId, producer, batch, send };
};

const clean = ({ value }: Seen): EventBatchRecord => decodeRecord("EventBatch", value);
const letter = ({ value }: Seen): Records["DeadLetter"] => decodeRecord("DeadLetter", value);

test("poison between good batches dies sealed, the good pass, and no secret is on either topic", async () => {
  const { kafka, raw, producer, batch, send } = await setUp();
  const good = batch(["order 1 shipped", `login password=${secret}`, `{"apiKey":"${secret}","n":1}`]);
  const unknown = Buffer.from(good);
  unknown.writeInt32BE(2_000_000_000, 1);
  const hopeless = batch(["fine", `${"[".repeat(70)}"password=${secret}"${"]".repeat(70)}`, "fine"]);
  const values = [
    good,
    Buffer.from(`{"password":"${secret}"}`),
    unknown,
    good.subarray(0, good.length - 20),
    Buffer.concat([good, Buffer.from(secret)]),
    hopeless,
    good,
  ];
  const placed: { offset: number }[] = [];
  for (const value of values) placed.push(await send(2, value));
  const [cleaned, dead] = [await watch(kafka.name(topics.clean.name)), await watch(kafka.name(topics.dead.name))];
  const redactor = await one.start("redactor");
  await cleaned.until((all) => all.length >= values.length, "one clean record per raw one");
  await dead.until((all) => all.length >= 5, "five dead letters");

  const batches = (cleaned.seen.get(2) ?? []).map(clean);
  expect(
    batches.map(({ raw_topic, raw_partition, raw_offset }) => [raw_topic, raw_partition, Number(raw_offset)]),
  ).toEqual(placed.map(({ offset }) => [raw, 2, offset]));
  expect(batches.map(({ events }) => events.length)).toEqual([3, 0, 0, 0, 0, 3, 3]);
  expect(batches[0]?.events.map(({ message }) => message)).toEqual([
    "order 1 shipped",
    "login password=[redacted:password]",
    '{"apiKey":"[redacted:secret]","n":1}',
  ]);
  expect(batches[5]).toMatchObject({ accepted: 3, dropped: { dead_letter: 1 } });
  expect(batches[5]?.events.map(({ timestamp }) => timestamp === -1n)).toEqual([false, true, false]);

  const letters = dead.all().map(letter);
  expect(
    letters
      .map(({ reason, index, offset }) => `${offset - BigInt(placed[0]?.offset ?? 0)} ${index} ${reason}`)
      .toSorted(),
  ).toEqual(["1 -1 not_framed", "2 -1 unknown_schema", "3 -1 undecodable", "4 -1 undecodable", "5 1 redaction_failed"]);
  for (const { value } of [...cleaned.all(), ...dead.all()]) expect(value.includes(secret)).toBe(false);
  expect(redactor.output()).not.toContain(secret);
  const framed = letters.find(({ reason }) => reason === "not_framed");
  const { payload = Buffer.alloc(0), topic, partition, offset } = framed ?? {};
  const key = Buffer.from(one.deployment.deadLetterKey, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, payload.subarray(0, 12));
  decipher.setAAD(Buffer.from(`${topic}/${partition}/${offset}/-1`));
  decipher.setAuthTag(payload.subarray(-16));
  expect(Buffer.concat([decipher.update(payload.subarray(12, -16)), decipher.final()])).toEqual(values[1]);

  const metrics = await (await fetch(`${redactor.ops}/metrics`)).text();
  expect(metrics).toMatch(/astralog_redactor_dead_letters_total\{[^}]*reason="undecodable"[^}]*\} 2/);
  expect(metrics).toMatch(/astralog_redactor_redactions_total\{[^}]*detector="password"[^}]*\} 2/);
  expect((await redactor.kill("SIGTERM")).code).toBe(0);
  await Promise.all([cleaned.close(), dead.close(), producer.close()]);
});
