/**
 * What alerts quote of events, in Postgres. A deletion blanks the quotes of all that the organization's alerts said before
 * its cut, whatever they quoted: a line does not say which event it was. What happened and when stays.
 */
import { sql } from "kysely";
import type { Db, Trx } from "../postgres.ts";

const tables = [
  ["alert_changes", "at"],
  ["alert_incidents", "created_at"],
  ["alert_notices", "created_at"],
] as const;

const rowsAtOnce = 500;

const quotes = sql<boolean>`jsonb_path_exists(body, '$.**.lines[*]')`;

/** The same with every `lines` empty. */
const blank = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(blank);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, name === "lines" ? [] : blank(inner)]));
};

export const countQuotes = async (db: Db | Trx, tenant: string, cut: Date): Promise<number> => {
  let count = 0;
  for (const [table, time] of tables) {
    const { n } = await db
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<number>().as("n"))
      .where("tenant", "=", tenant)
      .where(sql<boolean>`${sql.ref(time)} < ${cut}`)
      .where(quotes)
      .executeTakeFirstOrThrow();
    count += Number(n);
  }
  return count;
};

/** Returns how many rows quoted something. */
export const blankQuotes = async (db: Db, tenant: string, cut: Date): Promise<number> => {
  let count = 0;
  for (const [table, time] of tables)
    for (let found = rowsAtOnce; found === rowsAtOnce; count += found)
      found = await db.transaction().execute(async (trx) => {
        const rows = await trx
          .selectFrom(table)
          .select(["id", "body"])
          .where("tenant", "=", tenant)
          .where(sql<boolean>`${sql.ref(time)} < ${cut}`)
          .where(quotes)
          .limit(rowsAtOnce)
          .forUpdate()
          .execute();
        for (const { id, body } of rows)
          await trx
            .updateTable(table)
            .set({ body: JSON.stringify(blank(body)) })
            .where("tenant", "=", tenant)
            .where("id", "=", id)
            .execute();
        return rows.length;
      });
  return count;
};
