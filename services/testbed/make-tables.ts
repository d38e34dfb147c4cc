/** ClickHouse's tables, made before the tests begin: their platforms share them, and migrating is for one at a time. */
import type { Addresses } from "@astralog/local";
import { migrateClickHouse } from "@astralog/schemas/clickhouse";

export const makeTables = async ({ clickhouse: { url, database, users } }: Addresses): Promise<void> => {
  const ask = async (sql: string): Promise<string> => {
    const answer = await fetch(url, {
      method: "POST",
      body: sql,
      headers: { "X-ClickHouse-User": "astralog_admin", "X-ClickHouse-Key": users.astralog_admin ?? "" },
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`ClickHouse refused a migration: ${text.slice(0, 500)}`);
    return text;
  };
  await migrateClickHouse(
    {
      command: async (sql) => void (await ask(sql)),
      rows: async <T>(sql: string) =>
        (await ask(`${sql} FORMAT JSONEachRow`))
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => JSON.parse(line) as T),
    },
    database,
  );
};
