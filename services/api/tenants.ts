import { randomBase62 } from "@astralog/schemas";
import type { Database } from "@astralog/schemas/postgres";
import type { Selectable } from "kysely";
import type { Db } from "./postgres.ts";

export type Tenant = Selectable<Database["tenants"]>;

/** The tenant of that name, made when there is none. */
export const ensureTenant = async (db: Db, name: string): Promise<Tenant> => {
  await db
    .insertInto("tenants")
    .values({ id: `tn_${randomBase62(12)}`, name })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .execute();
  return db.selectFrom("tenants").selectAll().where("name", "=", name).executeTakeFirstOrThrow();
};
