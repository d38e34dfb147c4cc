/**
 * Alert rules in Postgres, each change with its act and, by the outbox, to the alerters. A rule's version grows with each
 * change and goes on growing when a deleted name is used again: what the alerter knew of the old one is never the new one's.
 */
import { Fault } from "@astralog/chassis";
import { canonicalJson, type Json } from "@astralog/schemas";
import type { Rule } from "@astralog/schemas/alerts/index";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { type Db, lockTenant, type Trx } from "../postgres.ts";
import { announceRule, definitionOf, type RuleRow } from "./control-records.ts";

export const mostRules = 1_000;

export const listRules = (db: Db | Trx, tenant: string): Promise<RuleRow[]> =>
  db
    .selectFrom("alert_rules")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("deleted_at", "is", null)
    .orderBy("id")
    .execute();

/** Faults: `not_found`. */
export const findRule = async (db: Db | Trx, tenant: string, id: string): Promise<RuleRow> => {
  const row = await db
    .selectFrom("alert_rules")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
  if (row === undefined) throw new Fault("not_found", "There is no such rule.");
  return row;
};

/** One after the other in a tenant, so that counts and versions hold. */
const known = async (
  trx: Trx,
  { notify, depends_on }: Rule,
  tenant: string,
  given: ReadonlySet<string>,
): Promise<void> => {
  if (notify.length > 0) {
    const rows = await trx
      .selectFrom("alert_destinations")
      .select("id")
      .where("tenant", "=", tenant)
      .where("id", "in", notify)
      .execute();
    const missing = notify.find((id) => !rows.some((row) => row.id === id));
    if (missing !== undefined)
      throw new Fault("invalid_request", `notify: there is no destination ${missing}; make it first or leave it out.`);
  }
  const rules = new Set([...(await listRules(trx, tenant)).map(({ id }) => id), ...given]);
  const other = depends_on.find((id) => !rules.has(id));
  if (other !== undefined) throw new Fault("invalid_request", `depends_on: there is no rule ${other}.`);
};

const save = async (trx: Trx, tenant: string, rule: Rule, by: By): Promise<RuleRow> => {
  const before = await trx
    .selectFrom("alert_rules")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("id", "=", rule.id)
    .executeTakeFirst();
  const values = {
    ...{ tenant, id: rule.id, version: (before?.version ?? 0) + 1, effective_from: new Date() },
    definition: JSON.stringify(rule),
  };
  const row = await trx
    .insertInto("alert_rules")
    .values({ ...values, deleted_at: null })
    .onConflict((conflict) =>
      conflict.columns(["tenant", "id"]).doUpdateSet({ ...values, deleted_at: null, updated_at: new Date() }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
  await announceRule(trx, row);
  const isNew = before === undefined || before.deleted_at !== null;
  await recordAct(trx, by, {
    ...{ tenant, action: isNew ? "alert.rule_created" : "alert.rule_changed" },
    target: { kind: "alert_rule", id: rule.id },
    details: { name: rule.name, version: row.version, enabled: rule.enabled },
  });
  return row;
};

const remove = async (trx: Trx, tenant: string, id: string, by: By): Promise<void> => {
  const row = await findRule(trx, tenant, id);
  const now = new Date();
  const gone = await trx
    .updateTable("alert_rules")
    .set({ deleted_at: now, updated_at: now })
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await announceRule(trx, gone);
  await recordAct(trx, by, {
    ...{ tenant, action: "alert.rule_deleted", target: { kind: "alert_rule", id } },
    details: { name: definitionOf(row).name },
  });
};

/** Faults: `name_taken`, `too_many`, `invalid_request`. */
export const createRule = (db: Db, tenant: string, rule: Rule, by: By): Promise<RuleRow> =>
  db.transaction().execute(async (trx) => {
    await lockTenant(trx, tenant);
    const rules = await listRules(trx, tenant);
    if (rules.some(({ id }) => id === rule.id))
      throw new Fault("name_taken", `There is a rule ${rule.id} already; change that one, or choose another id.`);
    if (rules.length >= mostRules)
      throw new Fault("too_many", `An organization has ${mostRules} rules at most; delete one first.`);
    await known(trx, rule, tenant, new Set([rule.id]));
    return save(trx, tenant, rule, by);
  });

/** Faults: `not_found`, `invalid_request`, and those of `unchanged`. */
export const updateRule = (
  db: Db,
  tenant: string,
  rule: Rule,
  unchanged: (row: RuleRow) => void,
  by: By,
): Promise<RuleRow> =>
  db.transaction().execute(async (trx) => {
    await lockTenant(trx, tenant);
    const before = await findRule(trx, tenant, rule.id);
    unchanged(before);
    // An incident belongs to a version: what says the same must not end it.
    if (isSame(definitionOf(before), rule)) return before;
    await known(trx, rule, tenant, new Set([rule.id]));
    return save(trx, tenant, rule, by);
  });

/** Faults: `not_found`, and those of `unchanged`. */
export const deleteRule = (
  db: Db,
  tenant: string,
  id: string,
  unchanged: (row: RuleRow) => void,
  by: By,
): Promise<void> =>
  db.transaction().execute(async (trx) => {
    await lockTenant(trx, tenant);
    unchanged(await findRule(trx, tenant, id));
    await remove(trx, tenant, id, by);
  });

const isSame = (a: Rule, b: Rule): boolean =>
  canonicalJson(a as unknown as Json) === canonicalJson(b as unknown as Json);

export interface PlannedChange {
  readonly id: string;
  readonly change: "create" | "update" | "delete";
  /** Fields of the rule that differ, with both values as JSON. */
  readonly fields: readonly { readonly field: string; readonly before: string; readonly after: string }[];
}

const fieldsOf = (before: Rule | undefined, after: Rule | undefined): PlannedChange["fields"] => {
  const text = (rule: Rule | undefined, field: string): string => {
    const value = (rule as unknown as Record<string, Json> | undefined)?.[field];
    return value === undefined ? "" : canonicalJson(value);
  };
  return [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])]
    .map((field) => ({ field, before: text(before, field), after: text(after, field) }))
    .filter((one) => one.before !== one.after);
};

/** What applying a whole set would do. With `prune`, rules that it does not have are deleted. */
export const planRules = (present: readonly RuleRow[], wanted: readonly Rule[], prune: boolean): PlannedChange[] => {
  const now = new Map(present.map((row) => [row.id, definitionOf(row)]));
  const changes = wanted.flatMap((rule): PlannedChange[] => {
    const before = now.get(rule.id);
    if (before !== undefined && isSame(before, rule)) return [];
    return [{ id: rule.id, change: before === undefined ? "create" : "update", fields: fieldsOf(before, rule) }];
  });
  const named = new Set(wanted.map(({ id }) => id));
  const extra = prune ? [...now.keys()].filter((id) => !named.has(id)) : [];
  return [
    ...changes,
    ...extra.map((id): PlannedChange => ({ id, change: "delete", fields: fieldsOf(now.get(id), undefined) })),
  ];
};

/** All of it or nothing. Faults: `too_many`, `invalid_request`. */
export const applyRules = (
  db: Db,
  tenant: string,
  wanted: readonly Rule[],
  prune: boolean,
  by: By,
): Promise<PlannedChange[]> =>
  db.transaction().execute(async (trx) => {
    await lockTenant(trx, tenant);
    const present = await listRules(trx, tenant);
    const changes = planRules(present, wanted, prune);
    const made = changes.filter(({ change }) => change === "create").length;
    const gone = changes.filter(({ change }) => change === "delete").length;
    if (present.length + made - gone > mostRules)
      throw new Fault("too_many", `An organization has ${mostRules} rules at most.`);
    const ids = new Set(wanted.map(({ id }) => id));
    for (const { id, change } of changes) {
      if (change === "delete") await remove(trx, tenant, id, by);
      const rule = wanted.find((one) => one.id === id);
      if (change === "delete" || rule === undefined) continue;
      await known(trx, rule, tenant, ids);
      await save(trx, tenant, rule, by);
    }
    return changes;
  });
