/** Makes the users of schemas/clickhouse/users.ts on a ClickHouse server, as a user who may manage access. Idempotent. */
import { createHash } from "node:crypto";
import { field, loadConfig, oneShot } from "@astralog/chassis";
import { type ClickHouseUserName, usersSql } from "@astralog/schemas/clickhouse";

const shape = {
  CLICKHOUSE_URL: field.url("ClickHouse over HTTP."),
  CLICKHOUSE_DATABASE: field.text("The database of the tables.", "astralog"),
  CLICKHOUSE_OWNER_USERNAME: field.text("A user with access management; empty: the users are made by other means.", ""),
  CLICKHOUSE_OWNER_PASSWORD: field.secret("Its password.", ""),
  CLICKHOUSE_PASSWORD: field.secret("Of astralog_admin."),
  CLICKHOUSE_SINK_PASSWORD: field.secret("Of astralog_sink.", ""),
  CLICKHOUSE_ARCHIVE_PASSWORD: field.secret("Of astralog_archive.", ""),
  CLICKHOUSE_QUERY_PASSWORD: field.secret("Of astralog_query.", ""),
  CLICKHOUSE_EXPORT_PASSWORD: field.secret("Of astralog_export.", ""),
  CLICKHOUSE_BUCKET_PASSWORD: field.secret("Of astralog_bucket.", ""),
  CLICKHOUSE_LEDGER_PASSWORD: field.secret("Of astralog_ledger.", ""),
  CLICKHOUSE_RETENTION_PASSWORD: field.secret("Of astralog_retention.", ""),
  CLICKHOUSE_BACKUP_PASSWORD: field.secret("Of astralog_backup.", ""),
};

await oneShot("clickhouse-users", async () => {
  const config = loadConfig(shape);
  if (config.CLICKHOUSE_OWNER_USERNAME === "") return;
  const passwords: Readonly<Record<ClickHouseUserName, string>> = {
    astralog_admin: config.CLICKHOUSE_PASSWORD,
    astralog_sink: config.CLICKHOUSE_SINK_PASSWORD,
    astralog_archive: config.CLICKHOUSE_ARCHIVE_PASSWORD,
    // Nobody may connect as it.
    astralog_reader: "",
    astralog_query: config.CLICKHOUSE_QUERY_PASSWORD,
    astralog_export: config.CLICKHOUSE_EXPORT_PASSWORD,
    astralog_bucket: config.CLICKHOUSE_BUCKET_PASSWORD,
    astralog_ledger: config.CLICKHOUSE_LEDGER_PASSWORD,
    astralog_retention: config.CLICKHOUSE_RETENTION_PASSWORD,
    astralog_backup: config.CLICKHOUSE_BACKUP_PASSWORD,
  };
  const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
  const database = config.CLICKHOUSE_DATABASE;
  for (const sql of [
    `CREATE DATABASE IF NOT EXISTS ${database}`,
    ...usersSql(database, (user) => sha256(passwords[user])),
  ]) {
    const response = await fetch(config.CLICKHOUSE_URL, {
      method: "POST",
      body: sql,
      headers: {
        "X-ClickHouse-User": config.CLICKHOUSE_OWNER_USERNAME,
        "X-ClickHouse-Key": config.CLICKHOUSE_OWNER_PASSWORD,
      },
    });
    if (!response.ok) throw new Error(`ClickHouse refused a user or a right: ${(await response.text()).slice(0, 500)}`);
  }
});
