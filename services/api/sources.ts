/** Sources: where a tenant's events come from, and their limits. Each change reaches the data plane by the outbox. */
import { Fault } from "@astralog/chassis";
import { randomBase62 } from "@astralog/schemas";
import { announceSource, type SourceRow } from "./outbox.ts";
import { type Db, isUniqueViolation } from "./postgres.ts";

export interface SourceSettings {
  name: string;
  disabled: boolean;
  retention_days: number;
  partitions: number;
  max_bytes_per_second: number;
}

export const listSources = (db: Db, tenant: string): Promise<SourceRow[]> =>
  db.selectFrom("sources").selectAll().where("tenant", "=", tenant).orderBy("created_at").orderBy("id").execute();

const named = async <T>(name: string | undefined, change: () => Promise<T>): Promise<T> => {
  try {
    return await change();
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new Fault("name_taken", `A source named ${JSON.stringify(name)} exists already.`);
  }
};

/** Faults: `name_taken`. */
export const createSource = (
  db: Db,
  tenant: string,
  settings: Pick<SourceSettings, "name"> & { [K in keyof SourceSettings]?: SourceSettings[K] | undefined },
): Promise<SourceRow> =>
  named(settings.name, () =>
    db.transaction().execute(async (trx) => {
      const row = await trx
        .insertInto("sources")
        .values({ id: `src_${randomBase62(12)}`, tenant, ...settings })
        .returningAll()
        .executeTakeFirstOrThrow();
      await announceSource(trx, row);
      return row;
    }),
  );

/** Faults: `not_found`, `name_taken`. */
export const updateSource = (
  db: Db,
  tenant: string,
  id: string,
  changes: { [K in keyof SourceSettings]?: SourceSettings[K] | undefined },
): Promise<SourceRow> =>
  named(changes.name, () =>
    db.transaction().execute(async (trx) => {
      // The update locks the row, so the outbox' order is the order of the changes.
      const row = await trx
        .updateTable("sources")
        .set({ id, ...changes })
        .where("tenant", "=", tenant)
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) throw new Fault("not_found", "There is no such source.");
      await announceSource(trx, row);
      return row;
    }),
  );
