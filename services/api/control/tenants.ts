import { randomBase62 } from "@astralog/schemas";
import type { Database } from "@astralog/schemas/postgres";
import type { Selectable } from "kysely";
import { type By, recordAct } from "../audit/audit-trail.ts";
import type { Db } from "../postgres.ts";
import { announceTenant } from "./outbox.ts";

export type Tenant = Selectable<Database["tenants"]>;

/** The tenant that commands know by that name, made when there is none. */
export const ensureTenant = (db: Db, handle: string, by: By): Promise<Tenant> =>
  db.transaction().execute(async (trx) => {
    const made = await trx
      .insertInto("tenants")
      .values({ id: `tn_${randomBase62(12)}`, name: handle, handle })
      .onConflict((conflict) => conflict.column("handle").doNothing())
      .returning(["id", "plan", "overrides"])
      .executeTakeFirst();
    if (made !== undefined) {
      await announceTenant(trx, made);
      const target = { kind: "tenant", id: made.id };
      await recordAct(trx, by, { tenant: made.id, action: "tenant.created", target, details: { name: handle } });
    }
    return trx.selectFrom("tenants").selectAll().where("handle", "=", handle).executeTakeFirstOrThrow();
  });
