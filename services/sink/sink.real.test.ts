/**
 * The sink on real Kafka and ClickHouse, hurt while it works; the tables are the judge. What it makes of kill -9, of
 * members that come and go and of a ClickHouse that dies is judged with all services: bench/chaos.real.test.ts.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  askAs,
  createFeeder,
  type Feeder,
  type Platform,
  platform,
  type Sql,
  settled,
  sharedStack,
} from "@astralog/testbed";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { evilProxy } from "./evil-proxy.driver.ts";

let astralog: Platform;
let feeder: Feeder;
let sql: Sql;
let proxy: Awaited<ReturnType<typeof evilProxy>> | undefined;

// A killed member keeps its partitions until its session ends, and each start waits for that.
jest.setTimeout(240_000);

beforeEach(async () => {
  const stack = sharedStack();
  astralog = await platform(stack);
  const { url, database, users } = stack.clickhouse;
  sql = askAs(url, database, "astralog_admin", users.astralog_admin ?? "");
  feeder = await createFeeder(astralog.env("redactor"), { partitions: 12, events: 20 });
});
afterEach(async () => {
  await feeder?.close();
  await astralog?.stop();
  await proxy?.close();
  proxy = undefined;
});

const whole = () => {
  const records = feeder.records();
  return { records, rows: records, gaps: 0, unbalanced: 0, mismatched: 0, twice: 0, duplicates: feeder.duplicates() };
};

/** Feeds for about `ms` while `hurt` goes on. */
const feedDuring = async (hurt: () => Promise<void>): Promise<void> => {
  let over = false;
  const feeding = (async () => {
    while (!over) {
      await feeder.feed(4);
      await sleep(60);
    }
  })();
  await hurt().finally(() => {
    over = true;
  });
  await feeding;
};

test("answers that are cut, and requests that arrive late, lose nothing and store nothing twice", async () => {
  proxy = await evilProxy(new URL(astralog.stack.clickhouse.url), (head) => {
    if (!/query=INSERT(\+|%20)INTO/.test(head) || Math.random() > 0.4) return undefined;
    return (["answer", "request", "late"] as const)[Math.floor(Math.random() * 3)];
  });
  await astralog.start("sink", { CLICKHOUSE_URL: proxy.url, FLUSH_MS: "30" });
  const { cuts } = proxy;
  const total = () => cuts.answer + cuts.request + cuts.late;
  await feedDuring(async () => {
    const end = Date.now() + 90_000;
    while (total() < 15 && Date.now() < end) await sleep(100);
  });
  const found = await settled(sql, feeder);
  expect(total()).toBeGreaterThanOrEqual(15);
  // What was held up must have arrived before it can be called refused.
  await sleep(1_500);
  expect(await settled(sql, feeder)).toEqual(whole());
  expect(found).toEqual(whole());
});

test("a sink that was frozen past its session and wakes up can no longer write", async () => {
  const frozen = await astralog.start("sink", { FLUSH_MS: "30" });
  await feeder.feed(20);
  await settled(sql, feeder);
  await feedDuring(async () => {
    await sleep(500);
    frozen.signal("SIGSTOP");
    await astralog.start("sink");
    await sleep(1_000);
    frozen.signal("SIGCONT");
    await sleep(2_000);
  });
  expect(await settled(sql, feeder)).toEqual(whole());
});

test("what is no batch, or a broken one, becomes a dead letter and holds nobody up", async () => {
  await astralog.start("sink");
  await feeder.feed(3);
  await feeder.poison();
  await feeder.feed(3);
  const found = await settled(sql, feeder);
  expect(found).toEqual(whole());
  const letters = await sql(
    `SELECT reason, encryption, payload_bytes > 0 AS kept FROM dead_letters FINAL WHERE topic = '${feeder.clean}' ORDER BY offset`,
  );
  expect(letters).toEqual([
    { reason: "not_framed", encryption: "none", kept: 1 },
    { reason: "refused_by_storage", encryption: "none", kept: 1 },
  ]);
});
