/** A tenant's plan in Postgres: read by the tenant, changed by the platform's operator. */
import { Fault } from "@astralog/chassis";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { announceTenant } from "../control/outbox.ts";
import type { Db, Trx } from "../postgres.ts";
import { type Plan, planOf, planOverrides } from "./plan-inputs.ts";

const columns = ["id", "plan", "overrides"] as const;

/** Faults: `not_found`. */
export const readPlan = async (db: Db | Trx, tenant: string): Promise<Plan> => {
  const row = await db.selectFrom("tenants").select(columns).where("id", "=", tenant).executeTakeFirst();
  if (row === undefined) throw new Fault("not_found", "There is no such organization.");
  return planOf(row);
};

/**
 * Changes what is given; `overrides` replaces them all. The data plane hears of it by the outbox, and sources that ask for
 * more than is left are held to it there. Faults: `not_found`.
 */
export const setPlan = (
  db: Db,
  tenant: string,
  changes: { readonly plan?: Plan["plan"] | undefined; readonly overrides?: Plan["overrides"] | undefined },
  by: By,
): Promise<Plan> =>
  db.transaction().execute(async (trx) => {
    const before = await trx
      .selectFrom("tenants")
      .select(columns)
      .where("id", "=", tenant)
      .forUpdate()
      .executeTakeFirst();
    if (before === undefined) throw new Fault("not_found", `There is no organization ${tenant}.`);
    const overrides = JSON.stringify(planOverrides.parse(changes.overrides ?? before.overrides));
    const row = await trx
      .updateTable("tenants")
      .set({ plan: changes.plan ?? before.plan, overrides })
      .where("id", "=", tenant)
      .returning(columns)
      .executeTakeFirstOrThrow();
    const [was, is] = [planOf(before), planOf(row)];
    await announceTenant(trx, row);
    await recordAct(trx, by, {
      tenant,
      action: "plan.changed",
      target: { kind: "tenant", id: tenant },
      details: { was: textOf(was), is: textOf(is) },
    });
    return is;
  });

const textOf = ({ plan, overrides }: Plan) => ({ plan, overrides: JSON.stringify(overrides) });
