/** ClickHouse stands still, dies and comes back; the sink waits, says so, and loses nothing. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  askAs,
  createFeeder,
  type Feeder,
  ownStack,
  type Platform,
  platform,
  type Sql,
  settled,
} from "@astralog/testbed";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";

jest.setTimeout(240_000);

let stack: Awaited<ReturnType<typeof ownStack>>;
let astralog: Platform;
let feeder: Feeder;
let sql: Sql;

beforeAll(async () => {
  stack = await ownStack();
  astralog = await platform(stack);
  const { url, database, users } = stack.clickhouse;
  sql = askAs(url, database, "astralog_admin", users.astralog_admin ?? "");
  feeder = await createFeeder(astralog.env("redactor"), { partitions: 12, events: 20 });
});
afterAll(async () => {
  await feeder?.close();
  await astralog?.stop();
  await stack?.stop();
});

const gauge = async (ops: string, name: string): Promise<number> => {
  const text = await (await fetch(`${ops}/metrics`)).text();
  return Number(new RegExp(`^astralog_sink_${name}\\{.*\\} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
};

test("ClickHouse is killed under load and stays away for a while", async () => {
  const sink = await astralog.start("sink", { FLUSH_MS: "30" });
  await feeder.feed(10);
  for (let i = 0; i < 2; i++) {
    const feeding = feeder.feed(20);
    await sleep(200);
    await stack.servers.clickhouse.kill();
    await feeding;
    await feeder.feed(5);
    await sleep(2_000);
    expect(await gauge(sink.ops, "paused")).toBe(1);
    await stack.servers.clickhouse.start();
  }
  const records = feeder.records();
  const found = await settled(sql, feeder);
  expect(found).toEqual({
    records,
    rows: records,
    gaps: 0,
    unbalanced: 0,
    mismatched: 0,
    twice: 0,
    duplicates: feeder.duplicates(),
  });
  await sleep(200);
  expect(await gauge(sink.ops, "paused")).toBe(0);
});
