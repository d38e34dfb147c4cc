/**
 * Counts of tries, held in Postgres: however many api processes there are, they count together. Signing in needs Postgres
 * anyway, so a count that cannot be taken refuses nothing that would have been let in.
 */
import { hash } from "node:crypto";
import type { Store } from "express-rate-limit";
import { sql } from "kysely";
import { type Db, withPostgres } from "../postgres.ts";

export const createTries = (db: Db, name: string, windowMs: number): Store => {
  // Whose tries they are is nobody's to read in a table.
  const keyOf = (key: string): string => hash("sha256", `${name}\n${key}`);
  return {
    localKeys: false,
    increment: async (key) => {
      const end = new Date(Date.now() + windowMs);
      const { rows } = await withPostgres(() =>
        sql<{ count: number; resets_at: Date }>`
          insert into tries as t (key, count, resets_at) values (${keyOf(key)}, 1, ${end})
          on conflict (key) do update set
            count = case when t.resets_at <= now() then 1 else t.count + 1 end,
            resets_at = case when t.resets_at <= now() then excluded.resets_at else t.resets_at end
          returning count, resets_at`.execute(db),
      );
      return { totalHits: rows[0]?.count ?? 1, resetTime: rows[0]?.resets_at ?? end };
    },
    decrement: async (key) => {
      await sql`update tries set count = count - 1 where key = ${keyOf(key)} and count > 0`.execute(db);
    },
    resetKey: async (key) => {
      await db.deleteFrom("tries").where("key", "=", keyOf(key)).execute();
    },
  };
};
