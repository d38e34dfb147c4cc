/** SCRAM credentials and quotas by the protocol requests that kafkajs lacks, on a real broker. */
import { type Platform, platform, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createKafka, createLog, kafkaShape, loadConfig } from "./index.ts";

let one: Platform;
beforeAll(async () => {
  one = await platform(sharedStack());
});
afterAll(() => one.stop());

const as = (username: string, password: string) =>
  createKafka(
    loadConfig(kafkaShape, { ...one.env("api"), KAFKA_USERNAME: username, KAFKA_PASSWORD: password }),
    createLog("test", "fatal"),
    "test",
  );
const signsIn = async (username: string, password: string): Promise<boolean> => {
  const admin = as(username, password).admin();
  try {
    await admin.connect();
    return true;
  } catch {
    return false;
  } finally {
    await admin.disconnect();
  }
};

test("a user is made, given another password, and removed; removing him twice is no error", async () => {
  const scram = as("producers", one.stack.kafka.users.producers ?? "").scram();
  const user = `${one.prefix}native.somebody`;
  expect(await signsIn(user, "first")).toBe(false);
  await scram.set(user, "first");
  expect(await signsIn(user, "first")).toBe(true);
  await scram.set(user, "second");
  expect([await signsIn(user, "first"), await signsIn(user, "second")]).toEqual([false, true]);
  await scram.remove(user);
  expect(await signsIn(user, "second")).toBe(false);
  await scram.remove(user);
});

test("rates are set and taken away, for many at once, also of nobody", async () => {
  const quotas = as("producers", one.stack.kafka.users.producers ?? "").quotas();
  const names = Array.from({ length: 40 }, (_, i) => `${one.prefix}native.${i}`);
  await quotas.set(names.map((username, i) => ({ username, bytesPerSecond: i * 1_000 })));
  await quotas.set(names.map((username) => ({ username, bytesPerSecond: 0 })));
  await quotas.set([]);
});

test("who may not change users is told so, and nothing changes", async () => {
  const receiver = as("receiver", one.stack.kafka.users.receiver ?? "");
  const user = `${one.prefix}native.nobody`;
  await expect(receiver.quotas().set([{ username: user, bytesPerSecond: 1 }])).rejects.toMatchObject({
    ...{ code: "kafka_refused", retriable: false },
  });
  const scram = receiver.scram();
  await expect(scram.set(user, "first")).rejects.toMatchObject({ code: "kafka_refused", retriable: false });
  expect(await signsIn(user, "first")).toBe(false);
});
