import { topics } from "@astralog/schemas";
import { type Platform, platform, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { kafkaShape, loadConfig } from "./config.ts";
import { createKafka } from "./kafka.ts";
import { createProducer } from "./kafka-producer.ts";
import { createTopicReader } from "./kafka-reader.ts";
import { createLog } from "./log.ts";
import { createMetrics } from "./metrics.ts";

let one: Platform;
beforeAll(async () => {
  one = await platform(sharedStack());
});
afterAll(() => one.stop());

test("gives the records of a stretch, of several partitions at once, again and again", async () => {
  const log = createLog("test", "error");
  const kafka = createKafka(loadConfig(kafkaShape, one.env("alerter")), log, "test");
  const topic = kafka.name(topics.alertPositions.name);
  const producer = await createProducer(kafka, { log, metrics: createMetrics("test") }, { lingerMs: 0 });
  for (const partition of [0, 1, 2])
    for (let n = 0; n < 10; n++) await producer.send({ topic, partition, value: Buffer.from(`${partition}-${n}`) });
  const reader = createTopicReader(kafka, { log }, { principal: "alerter", topics: [topic] });
  const read = async (partition: number, from: number, to: number): Promise<string[]> => {
    const found: string[] = [];
    await reader.read({ topic, partition, from, to }, (records) => {
      found.push(...records.map(({ value }) => String(value)));
    });
    return found;
  };
  expect(await read(1, 9, 10)).toEqual(["1-9"]);
  expect(await Promise.all([read(0, 3, 5), read(1, 0, 2), read(0, 0, 1), read(2, 10, 10)])).toEqual([
    ["0-3", "0-4"],
    ["1-0", "1-1"],
    ["0-0"],
    [],
  ]);
  await reader.close();
  await producer.close();
});
