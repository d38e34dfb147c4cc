/** Retention rules in Postgres, each change with its act and, by the outbox, to whoever removes. */
import { Fault } from "@astralog/chassis";
import { randomBase62 } from "@astralog/schemas";
import type { RetentionRuleTable } from "@astralog/schemas/postgres";
import { clashOf, type RetentionRule } from "@astralog/schemas/retention/index";
import type { Selectable } from "kysely";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { announceRetention, retentionRuleRecord } from "../control/outbox.ts";
import { noSource } from "../control/sources.ts";
import { checkSource } from "../plans/plan-inputs.ts";
import { readPlan } from "../plans/tenant-plans.ts";
import { type Db, lockTenant, type Trx } from "../postgres.ts";

export type RetentionRuleRow = Selectable<RetentionRuleTable>;

/** Each is a condition on every event that may be over. */
export const mostRules = 100;

/** What was made before rules could drop fields names none. */
const before = { fields: [], except: [] };

export const ruleOf = ({ definition }: Pick<RetentionRuleRow, "definition">): RetentionRule => ({
  ...before,
  ...(definition as RetentionRule),
});

export const listRules = (db: Db | Trx, tenant: string): Promise<RetentionRuleRow[]> =>
  db
    .selectFrom("retention_rules")
    .selectAll()
    .where("tenant", "=", tenant)
    .orderBy("created_at")
    .orderBy("id")
    .execute();

const noRule = (): Fault => new Fault("not_found", "There is no such retention rule.");

/** Faults: `not_found`. */
export const findRule = async (db: Db | Trx, tenant: string, id: string): Promise<RetentionRuleRow> => {
  const row = await db
    .selectFrom("retention_rules")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .executeTakeFirst();
  if (row === undefined) throw noRule();
  return row;
};

/** One after the other in a tenant: the outbox' order must be the order of the changes. */
const check = async (trx: Trx, tenant: string, rule: RetentionRule, id?: string): Promise<void> => {
  checkDays(await readPlan(trx, tenant), rule);
  checkClash(rule, await listRules(trx, tenant), id);
  if (rule.source === "") return;
  const source = await trx
    .selectFrom("sources")
    .select("id")
    .where("tenant", "=", tenant)
    .where("id", "=", rule.source)
    .executeTakeFirst();
  if (source === undefined) throw noSource();
};

/** `id`: of the rule that it takes the place of. Faults: `invalid_request`. */
export const checkClash = (rule: RetentionRule, rows: readonly RetentionRuleRow[], id?: string): void => {
  const clash = clashOf(rule, rows.filter((row) => row.id !== id).map(ruleOf));
  if (clash === undefined) return;
  const { with: other, field } = clash;
  throw new Fault(
    "invalid_request",
    clash.at === "fields"
      ? `fields: the rule "${other.name}" asks for ${field}, and would find other events once it is dropped. Leave ${field} out, limit both to different sources, or change that rule first.`
      : `query: asks for ${field}, which the rule "${other.name}" drops after ${other.days} days, and would find other events from then on. Ask for something that stays, limit both to different sources, or change that rule first.`,
  );
};

const checkDays = (plan: Parameters<typeof checkSource>[0], { days }: RetentionRule): void =>
  checkSource(plan, days === null ? {} : { retention_days: days });

const about = ({ name, kind, source, query, days, reason, fields, except }: RetentionRule) => ({
  ...{ name, kind, source, query, days, reason },
  ...(kind === "drop_fields" ? { fields, except } : {}),
});

/** Faults: `invalid_request` (another rule), `not_found` (the source), `over_plan`, `too_many`. */
export const createRule = (db: Db, tenant: string, rule: RetentionRule, by: By): Promise<RetentionRuleRow> =>
  db.transaction().execute(async (trx) => {
    await lockTenant(trx, tenant);
    await check(trx, tenant, rule);
    if ((await listRules(trx, tenant)).length >= mostRules)
      throw new Fault("too_many", `An organization has ${mostRules} retention rules at most; delete one first.`);
    const row = await trx
      .insertInto("retention_rules")
      .values({
        ...{ id: `ret_${randomBase62(12)}`, tenant, created_by: by.actor.id },
        definition: JSON.stringify(rule),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    await announceRetention(trx, "retentionRules", row, retentionRuleRecord(row));
    const target = { kind: "retention_rule", id: row.id };
    await recordAct(trx, by, { tenant, action: "retention.rule_created", target, details: about(rule) });
    return row;
  });

/** `unchanged` is given the rule as it is now. Faults: `invalid_request` (another rule), `not_found`, `over_plan`, and what `unchanged` throws. */
export const updateRule = (
  db: Db,
  tenant: string,
  id: string,
  rule: RetentionRule,
  unchanged: (row: RetentionRuleRow) => void,
  by: By,
): Promise<RetentionRuleRow> =>
  db.transaction().execute(async (trx) => {
    await lockTenant(trx, tenant);
    const before = await findRule(trx, tenant, id);
    unchanged(before);
    await check(trx, tenant, rule, id);
    const row = await trx
      .updateTable("retention_rules")
      .set({ definition: JSON.stringify(rule), updated_at: new Date() })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
    await announceRetention(trx, "retentionRules", row, retentionRuleRecord(row));
    await recordAct(trx, by, {
      ...{ tenant, action: "retention.rule_changed", target: { kind: "retention_rule", id } },
      details: { was: about(ruleOf(before)), is: about(rule) },
    });
    return row;
  });

/** Faults: `not_found`, and what `unchanged` throws. */
export const deleteRule = (
  db: Db,
  tenant: string,
  id: string,
  unchanged: (row: RetentionRuleRow) => void,
  by: By,
): Promise<void> =>
  db.transaction().execute(async (trx) => {
    await lockTenant(trx, tenant);
    const row = await findRule(trx, tenant, id);
    unchanged(row);
    await trx.deleteFrom("retention_rules").where("id", "=", id).execute();
    await announceRetention(trx, "retentionRules", row, null);
    const target = { kind: "retention_rule", id };
    await recordAct(trx, by, { tenant, action: "retention.rule_deleted", target, details: about(ruleOf(row)) });
  });
