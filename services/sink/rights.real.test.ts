/**
 * Hostile SQL under each user's own name. A tenant's queries never come here as SQL; this is what holds if a query builder
 * once fails.
 */
import { randomBytes } from "node:crypto";
import { type ClickHouseUserName, tenantHeader } from "@astralog/schemas/clickhouse";
import { platform, sharedStack } from "@astralog/testbed";
import { beforeAll, describe, expect, test } from "@jest/globals";

const stack = sharedStack();
const { url, database, users } = stack.clickhouse;
const mine = `tn_${randomBytes(6).toString("hex")}`;
const other = `tn_${randomBytes(6).toString("hex")}`;

const ask = async (user: ClickHouseUserName, sql: string, tenant?: string, parameters = "") => {
  const answer = await fetch(`${url}/?database=${database}${parameters}`, {
    method: "POST",
    body: sql,
    headers: {
      "X-ClickHouse-User": user,
      "X-ClickHouse-Key": users[user] ?? "",
      ...(tenant === undefined ? {} : { [tenantHeader]: tenant }),
    },
  });
  return { ok: answer.ok, text: (await answer.text()).trim() };
};

beforeAll(async () => {
  // Makes the tables.
  await (await platform(stack)).stop();
  for (const tenant of [mine, other])
    for (const statement of [
      `INSERT INTO events (tenant, message, topic, expires_on) SELECT '${tenant}', 'word${tenant}', 'rights', today() + 9 FROM numbers(50)`,
      `INSERT INTO batches (tenant, topic, offset, inserted_at) SELECT '${tenant}', 'rights.${tenant}', number, now() FROM numbers(5)`,
    ])
      expect(await ask("astralog_admin", statement)).toEqual({ ok: true, text: "" });
});

describe("astralog_query", () => {
  const query = (sql: string, tenant: string | undefined = mine, parameters = "") =>
    ask("astralog_query", sql, tenant, parameters);

  test("sees its tenant's rows by the header, and none without it", async () => {
    expect((await query("SELECT count(), uniq(tenant) FROM tenant_events")).text).toBe("50\t1");
    expect((await query("SELECT count() FROM tenant_batches")).text).toBe("5");
    const unnamed = await ask("astralog_query", "SELECT count() FROM tenant_events");
    expect(unnamed.text).toBe("0");
    expect((await query("SELECT count() FROM tenant_events", "")).text).toBe("0");
  });

  test.each([
    `SELECT count() FROM tenant_events WHERE tenant = '${other}'`,
    `SELECT countIf(tenant != '${mine}') FROM tenant_events WHERE 1 OR tenant = '${other}'`,
    `SELECT count() FROM tenant_events WHERE throwIf(tenant = '${other}') != 0`,
    `SELECT count() FROM tenant_events WHERE hasAllTokens(lower(message), 'word') AND tenant != '${mine}'`,
    `SELECT count() FROM merge('${database}', 'tenant_.*') WHERE tenant != '${mine}'`,
    `SELECT count() FROM view(SELECT * FROM tenant_events) WHERE tenant != '${mine}'`,
  ])("sees nothing of another tenant: %s", async (sql) => {
    expect(await query(sql)).toEqual({ ok: true, text: "0" });
  });

  test.each([
    "SELECT count() FROM events",
    "SELECT count() FROM batches",
    "SELECT count() FROM dead_letters",
    "SELECT count() FROM sink_claims",
    "SELECT count() FROM schema_migrations",
    `SELECT * FROM mergeTreeIndex('${database}', 'events')`,
    `SELECT * FROM mergeTreeTextIndex('${database}', 'events', 'message_words')`,
    `SELECT * FROM mergeTreeAnalyzeIndexes('${database}', 'events')`,
    `SELECT count() FROM loop('${database}', 'events')`,
    `SELECT * FROM remote('127.0.0.1', ${database}.events)`,
    `SELECT * FROM cluster('default', ${database}.events)`,
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT * FROM s3('http://127.0.0.1:1/bucket/key', 'LineAsString')",
    "SELECT * FROM executable('x', 'TSV', 'a String')",
    "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM sqlite('/tmp/x', 'y')",
    "SELECT * FROM filesystem('/')",
    "SELECT * FROM dictionary('x')",
    "SELECT * FROM system.processes",
    "SELECT * FROM system.parts",
    "SELECT * FROM system.users",
    "SELECT * FROM system.row_policies",
    "SELECT * FROM information_schema.tables",
    "SHOW PROCESSLIST",
    "SHOW CREATE TABLE events",
    "DESCRIBE TABLE dead_letters",
    "INSERT INTO events (tenant) VALUES ('x')",
    "INSERT INTO FUNCTION file('x.csv', 'CSV', 'a String') VALUES ('x')",
    "ALTER TABLE events DELETE WHERE 1",
    "DROP TABLE events",
    "DROP VIEW tenant_events",
    "TRUNCATE TABLE events",
    "CREATE TABLE x (a UInt8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE x (a UInt8)",
    "CREATE OR REPLACE VIEW tenant_events AS SELECT * FROM events",
    "CREATE FUNCTION f AS x -> x",
    "KILL QUERY WHERE 1",
    "SYSTEM SHUTDOWN",
    "SYSTEM FLUSH LOGS",
    "GRANT ALL ON *.* TO astralog_query",
    "BACKUP TABLE events TO Disk('d', 'x')",
    "OPTIMIZE TABLE events",
    "EXECUTE AS astralog_admin SELECT 1",
    "SELECT 1; SELECT 2",
    "SELECT sleep(3)",
    "SELECT addressToLine(1)",
    "SELECT * FROM tenant_events INTO OUTFILE '/tmp/x'",
    "SELECT count() FROM tenant_events SETTINGS readonly = 0",
    "SELECT count() FROM tenant_events SETTINGS allow_get_client_http_header = 0",
    "SELECT count() FROM tenant_events SETTINGS max_memory_usage = 100000000000",
    "SELECT count() FROM tenant_events SETTINGS max_execution_time = 3000",
    "SELECT * FROM numbers(1000000)",
    "SET readonly = 0",
  ])("is refused: %s", async (sql) => {
    expect(await query(sql)).toMatchObject({ ok: false });
  });

  test.each([
    "readonly=0",
    "max_execution_time=3000",
    "allow_get_client_http_header=0",
    "max_result_rows=0",
    "max_execution_time=0",
  ])("cannot ask for %s in the address either", async (setting) => {
    expect(await query("SELECT count() FROM tenant_events", mine, `&${setting}`)).toMatchObject({ ok: false });
  });

  test("may shorten its own time", async () => {
    expect(await query("SELECT count() FROM tenant_events SETTINGS max_execution_time = 2")).toEqual({
      ok: true,
      text: "50",
    });
  });
});

describe("the others", () => {
  test("nobody connects as astralog_reader", async () => {
    expect(await ask("astralog_reader", "SELECT 1")).toMatchObject({ ok: false });
  });

  test.each([
    "ALTER TABLE events DELETE WHERE 1",
    "TRUNCATE TABLE batches",
    "DROP TABLE events",
    "SELECT count() FROM schema_migrations",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
  ])("astralog_sink is refused: %s", async (sql) => {
    expect(await ask("astralog_sink", sql)).toMatchObject({ ok: false });
  });

  test.each([
    "INSERT INTO batches (tenant) VALUES ('x')",
    "ALTER TABLE batches DELETE WHERE 1",
    "ALTER TABLE removals DELETE WHERE 1",
    "TRUNCATE TABLE events",
    "DROP TABLE dead_letters",
    "SELECT count() FROM sink_claims",
  ])("astralog_retention is refused: %s", async (sql) => {
    expect(await ask("astralog_retention", sql)).toMatchObject({ ok: false });
  });

  test.each([
    "INSERT INTO batches (tenant) VALUES ('x')",
    "SELECT count() FROM sink_claims",
    "SELECT * FROM system.processes",
  ])("astralog_ledger is refused: %s", async (sql) => {
    expect(await ask("astralog_ledger", sql)).toMatchObject({ ok: false });
  });

  test("astralog_export sees its tenant's events by the header, and nothing else", async () => {
    const whole = "SELECT count(), uniq(tenant) FROM tenant_events";
    expect(await ask("astralog_export", whole, mine)).toEqual({ ok: true, text: "50\t1" });
    expect((await ask("astralog_export", "SELECT count() FROM tenant_events")).text).toBe("0");
    for (const sql of [
      "SELECT 1 FROM tenant_batches",
      "SELECT 1 FROM events",
      `${whole} SETTINGS max_execution_time = 4000`,
      `${whole} SETTINGS max_memory_usage = 100000000000`,
    ])
      expect(await ask("astralog_export", sql, mine)).toMatchObject({ ok: false });
  });

  test("astralog_ledger sees all tenants", async () => {
    const seen = await ask(
      "astralog_ledger",
      `SELECT uniq(tenant) FROM events WHERE tenant IN ('${mine}', '${other}')`,
    );
    expect(seen).toEqual({ ok: true, text: "2" });
  });
});

describe("astralog_bucket", () => {
  test.each([
    "SELECT count() FROM events",
    "SELECT count() FROM tenant_events",
    "SELECT * FROM system.query_log",
    "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
    "SELECT * FROM file('/etc/passwd', 'LineAsString', 'a String')",
    "INSERT INTO FUNCTION s3('http://127.0.0.1:1/bucket/o.csv', 'CSV', 'a String') SELECT 'x'",
    "SELECT * FROM s3('http://127.0.0.1:1/bucket/o.csv', 'CSV', 'a String') SETTINGS max_execution_time = 3600",
  ])("reads buckets, and nothing else: %s", async (sql) => {
    const { ok, text } = await ask("astralog_bucket", sql);
    expect([ok, text]).toEqual([
      false,
      expect.stringMatching(/ACCESS_DENIED|UNKNOWN_TABLE|SETTING_CONSTRAINT_VIOLATION/),
    ]);
  });
});
