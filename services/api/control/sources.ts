/** Sources: where a tenant's events come from, and their limits. Each change reaches the data plane by the outbox. */
import { Fault } from "@astralog/chassis";
import { randomBase62 } from "@astralog/schemas";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { listOf } from "../http/paging.ts";
import { checkSource, sourceDefaults } from "../plans/plan-inputs.ts";
import { readPlan } from "../plans/tenant-plans.ts";
import { type Db, named } from "../postgres.ts";
import { announceSource, type SourceRow } from "./outbox.ts";

export interface SourceSettings {
  name: string;
  disabled: boolean;
  retention_days: number;
  partitions: number;
  max_bytes_per_second: number;
}

export const listSources = listOf("sources");

/** Faults: `not_found`. */
export const findSource = async (db: Db, tenant: string, id: string): Promise<SourceRow> => {
  const row = await db
    .selectFrom("sources")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .executeTakeFirst();
  if (row === undefined) throw noSource();
  return row;
};

export const noSource = (): Fault => new Fault("not_found", "There is no such source.");

/** Faults: `name_taken`, `over_plan`. */
export const createSource = (
  db: Db,
  tenant: string,
  settings: Pick<SourceSettings, "name"> & { [K in keyof SourceSettings]?: SourceSettings[K] | undefined },
  by: By,
): Promise<SourceRow> =>
  named("source", settings.name, () =>
    db.transaction().execute(async (trx) => {
      const plan = await readPlan(trx, tenant);
      checkSource(plan, settings);
      const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
      const row = await trx
        .insertInto("sources")
        .values({ id: `src_${randomBase62(12)}`, tenant, name: settings.name, ...sourceDefaults(plan), ...given })
        .returningAll()
        .executeTakeFirstOrThrow();
      await announceSource(trx, row);
      const target = { kind: "source", id: row.id };
      await recordAct(trx, by, { tenant, action: "source.created", target, details: settingsOf(row) });
      return row;
    }),
  );

const settingsOf = ({ name, disabled, retention_days, partitions, max_bytes_per_second }: SourceRow) => ({
  name,
  disabled,
  retention_days,
  partitions,
  max_bytes_per_second,
});

/** What of `row` differs from `before`, as it was and as it is. */
const differences = (before: SourceRow, row: SourceRow) => {
  const was = settingsOf(before);
  const is = settingsOf(row);
  const changed = (Object.keys(is) as (keyof typeof is)[]).filter((name) => was[name] !== is[name]);
  const pick = (from: typeof is) => Object.fromEntries(changed.map((name) => [name, from[name]]));
  return { was: pick(was), is: pick(is) };
};

/** `unchanged` is given the source as it is now. Faults: `not_found`, `name_taken`, `over_plan`, and what `unchanged` throws. */
export const updateSource = (
  db: Db,
  tenant: string,
  id: string,
  changes: { [K in keyof SourceSettings]?: SourceSettings[K] | undefined },
  by: By,
  unchanged: (row: SourceRow) => void = () => {},
): Promise<SourceRow> =>
  named("source", changes.name, () =>
    db.transaction().execute(async (trx) => {
      // The lock on the row makes the outbox' order the order of the changes.
      const before = await trx
        .selectFrom("sources")
        .selectAll()
        .where("tenant", "=", tenant)
        .where("id", "=", id)
        .forUpdate()
        .executeTakeFirst();
      if (before === undefined) throw noSource();
      unchanged(before);
      checkSource(await readPlan(trx, tenant), changes);
      const row = await trx
        .updateTable("sources")
        .set({ id, ...changes })
        .where("tenant", "=", tenant)
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirstOrThrow();
      await announceSource(trx, row);
      const target = { kind: "source", id };
      await recordAct(trx, by, { tenant, action: "source.changed", target, details: differences(before, row) });
      return row;
    }),
  );
