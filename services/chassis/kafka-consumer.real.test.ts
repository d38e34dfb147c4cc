import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Stack } from "@astralog/local";
import { ownStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { kafkaShape, loadConfig } from "./config.ts";
import { createKafka } from "./kafka.ts";
import { consume } from "./kafka-consumer.ts";
import { createLog } from "./log.ts";

let stack: Stack;
let proxy: Server;
/** While set, connections end in the middle of the SASL handshake, as when a broker dies there. */
let cut = false;

beforeAll(async () => {
  stack = await ownStack();
  const [host, port] = stack.kafka.brokers.split(":");
  proxy = createServer((client) => {
    const broker = connect(Number(port), host ?? "");
    let requests = 0;
    const end = () => {
      client.destroy();
      broker.destroy();
    };
    for (const side of [client, broker]) side.on("error", end).on("close", end);
    client.on("data", (bytes) => (cut && ++requests > 2 ? end() : broker.write(bytes)));
    broker.on("data", (bytes) => client.write(bytes));
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  proxy.close();
  await stack.stop();
});

test("a consumer that kafkajs has given up, for a broker that died in a handshake, starts again", async () => {
  const log = createLog("test", "fatal");
  const config = loadConfig(kafkaShape, {
    KAFKA_BROKERS: `127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    KAFKA_USERNAME: "admin",
    KAFKA_PASSWORD: stack.kafka.users.admin ?? "",
    REGISTRY_URL: stack.registry.url,
  });
  const kafka = createKafka(config, log, "test");
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: "t", numPartitions: 1 }] });
  const seen: number[] = [];
  const consumer = await consume(
    kafka,
    { log },
    { group: "g", topics: ["t"], handle: async ({ records }) => void seen.push(...records.map((r) => r.offset)) },
  );

  cut = true;
  await admin.disconnect();
  await stack.servers.kafka.kill();
  await stack.servers.kafka.start();
  await sleep(12_000);
  expect(consumer.joined).toBe(false);
  cut = false;

  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic: "t", messages: [{ value: "x", partition: 0 }] });
  for (let tries = 0; tries < 100 && seen.length === 0; tries++) await sleep(200);
  expect(seen).toEqual([0]);
  await producer.disconnect();
  await consumer.close();
});
