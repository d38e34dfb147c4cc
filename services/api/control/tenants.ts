import { randomBase62 } from "@astralog/schemas";
import type { Database } from "@astralog/schemas/postgres";
import type { Selectable } from "kysely";
import { type By, recordAct } from "../audit/audit-trail.ts";
import type { Db } from "../postgres.ts";
import { announceTenant } from "./outbox.ts";

export type Tenant = Selectable<Database["tenants"]>;

/** The tenant of that name, made when there is none. */
export const ensureTenant = (db: Db, name: string, by: By): Promise<Tenant> =>
  db.transaction().execute(async (trx) => {
    const made = await trx
      .insertInto("tenants")
      .values({ id: `tn_${randomBase62(12)}`, name })
      .onConflict((conflict) => conflict.column("name").doNothing())
      .returning(["id", "plan", "overrides"])
      .executeTakeFirst();
    if (made !== undefined) {
      await announceTenant(trx, made);
      const target = { kind: "tenant", id: made.id };
      await recordAct(trx, by, { tenant: made.id, action: "tenant.created", target, details: { name } });
    }
    return trx.selectFrom("tenants").selectAll().where("name", "=", name).executeTakeFirstOrThrow();
  });
