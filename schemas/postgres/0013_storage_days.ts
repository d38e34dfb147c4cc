/** How long events live in a tenant's own bucket. */
import { type Kysely, sql } from "kysely";

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .alterTable("storage_connections")
    .addColumn("retention_days", "integer", (c) => c.check(sql`retention_days between 1 and 3650`))
    .execute();
};

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema.alterTable("storage_connections").dropColumn("retention_days").execute();
};
