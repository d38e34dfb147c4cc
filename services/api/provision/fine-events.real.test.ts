/**
 * A database from before 0006_fine_events.sql, with events in it, moves them, and again in 0008_single_streams.sql; also
 * when the first try was cut off.
 */
import { type ClickHouse, migrateClickHouse, readMigrations, statements } from "@astralog/schemas/clickhouse";
import { type Platform, platform, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type ClickHouseClient, connectClickHouse } from "../clickhouse.ts";

let one: Platform;
let client: ClickHouseClient;
let admin: ClickHouse;
let database: string;

beforeAll(async () => {
  one = await platform(sharedStack());
  const { url, database: own, users } = one.stack.clickhouse;
  database = `${own}_before`;
  client = connectClickHouse({ url, username: "astralog_admin", password: users.astralog_admin ?? "" });
  admin = {
    command: async (query) => void (await client.command({ query })),
    rows: async <T>(query: string) => (await client.query({ query, format: "JSONEachRow" })).json<T>(),
  };
});
afterAll(async () => {
  await client?.command({ query: `DROP DATABASE IF EXISTS ${database} SYNC` });
  await client?.close();
  await one?.stop();
});

const sum = () =>
  admin.rows(
    `SELECT count() AS n, sum(cityHash64(*)) AS hash FROM (SELECT * FROM ${database}.events ORDER BY offset, idx)`,
  );
const tables = async () =>
  (await admin.rows<{ name: string }>(`SELECT name FROM system.tables WHERE database = '${database}'`)).map(
    ({ name }) => name,
  );

test.each([
  [6, "events_fine", 512],
  [8, "events_finer", 256],
])(
  "migration %i: events keep every value, and the move bears to be begun anew and to be run twice",
  async (version, beside, granularity) => {
    await client.command({ query: `DROP DATABASE IF EXISTS ${database} SYNC` });
    const all = readMigrations().filter((one) => one.version <= version);
    const before = all.filter((one) => one.version < version);
    const fine = all.at(-1);
    await migrateClickHouse(admin, database, before);
    await admin.command(`INSERT INTO ${database}.events (tenant, source, timestamp, expires_on, level, service, message, attributes, topic, partition, offset, idx)
    SELECT 'tn_' || number % 3, 'src', fromUnixTimestamp64Milli(1760000000000 + number * 1000), toDate('2099-01-01') + number % 2, number % 25, 'api',
      'message ' || number, map('k', toString(number)), 't', 1, number, 0 FROM numbers(5000)`);
    const stored = await sum();

    // Cut off behind the copy: what it left must not be copied a second time.
    const steps = statements(fine?.sql ?? "", database);
    for (const { sql } of steps.slice(
      0,
      steps.findIndex(({ sql }) => sql.startsWith("EXCHANGE")),
    ))
      await admin.command(sql);
    expect(await migrateClickHouse(admin, database, all)).toEqual([fine?.name]);
    expect(await sum()).toEqual(stored);

    // Two migrations at once: the second finds the work done.
    for (const { sql, onlyWhile } of steps)
      if (onlyWhile === undefined || (await admin.rows(onlyWhile)).length > 0) await admin.command(sql);
    expect(await sum()).toEqual(stored);
    expect(await tables()).not.toContain(beside);
    const [shown] = await admin.rows<{ create_table_query: string }>(
      `SELECT create_table_query FROM system.tables WHERE database = '${database}' AND name = 'events'`,
    );
    expect(shown?.create_table_query).toContain(`index_granularity = ${granularity}`);
  },
  30_000,
);
