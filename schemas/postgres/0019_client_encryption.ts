/** Keys that objects in a tenant's own bucket are encrypted under before they leave us. */
import { type Kysely, sql } from "kysely";

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .alterTable("storage_connections")
    .addColumn("client_keys", "text", (c) =>
      c.notNull().defaultTo("").check(sql`client_keys = '' or client_keys like 'v1.%'`),
    )
    .addColumn("client_key_ids", "jsonb", (c) => c.notNull().defaultTo(sql`'[]'::jsonb`))
    .execute();
};

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema.alterTable("storage_connections").dropColumn("client_keys").dropColumn("client_key_ids").execute();
};
