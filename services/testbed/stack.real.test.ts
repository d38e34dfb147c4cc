import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:tls";
import type { Stack } from "@astralog/local";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { ownStack } from "./own-stack.ts";
import { sharedStack } from "./shared-stack.ts";

let own: Stack;
beforeAll(async () => {
  own = await ownStack();
});
afterAll(() => own.stop());

test("the shared servers and a stack of one's own are different servers", () => {
  expect(own.kafka.brokers).not.toBe(sharedStack().kafka.brokers);
  expect(own.clickhouse.url).not.toBe(sharedStack().clickhouse.url);
});

test("Kafka's outside listener shows a certificate of the stack's authority", async () => {
  const [host = "", port] = own.kafka.tlsBrokers.split(":");
  const socket = connect({ host, port: Number(port), servername: host, ca: readFileSync(own.tls.ca) });
  await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  expect(socket.authorized).toBe(true);
  expect(new X509Certificate(readFileSync(own.tls.ca)).ca).toBe(true);
  socket.destroy();
});

test("a killed server comes back where it was, with its data", async () => {
  const sql = (query: string) =>
    fetch(own.clickhouse.url, {
      method: "POST",
      body: query,
      headers: { "X-ClickHouse-User": "astralog_admin", "X-ClickHouse-Key": own.clickhouse.users.astralog_admin ?? "" },
    }).then((answer) => answer.text());
  await sql("CREATE DATABASE IF NOT EXISTS kept");
  await sql("CREATE TABLE kept.rows (n UInt64) ENGINE = MergeTree ORDER BY n");
  await sql("INSERT INTO kept.rows SELECT number FROM numbers(1000)");
  await Promise.all([own.servers.clickhouse.kill(), own.servers.postgres.kill()]);
  await expect(sql("SELECT 1")).rejects.toThrow();
  await Promise.all([own.servers.clickhouse.start(), own.servers.postgres.start()]);
  expect((await sql("SELECT count() FROM kept.rows")).trim()).toBe("1000");
});
