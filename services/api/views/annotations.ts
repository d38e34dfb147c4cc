/** Marks on the charts of an organization: deploys, alerts, notes. */
import { Fault } from "@astralog/chassis";
import { randomBase62 } from "@astralog/schemas";
import type { AnnotationTable } from "@astralog/schemas/postgres";
import type { Selectable } from "kysely";
import { type By, recordAct } from "../audit/audit-trail.ts";
import type { Db } from "../postgres.ts";

export type AnnotationRow = Selectable<AnnotationTable>;

/** More marks than this on one chart say nothing; the newest win. */
export const maxAnnotations = 500;

export const listAnnotations = (db: Db, tenant: string, from: Date, to: Date): Promise<AnnotationRow[]> =>
  db
    .selectFrom("annotations")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("at", "<", to)
    .where((eb) => eb(eb.fn.coalesce("until", "at"), ">=", from))
    .orderBy("at", "desc")
    .orderBy("id")
    .limit(maxAnnotations)
    .execute();

export interface NewAnnotation {
  readonly kind: AnnotationRow["kind"];
  readonly title: string;
  readonly service: string;
  readonly url: string;
  readonly at: Date;
  readonly until?: Date | undefined;
}

export const createAnnotation = (db: Db, tenant: string, given: NewAnnotation, by: By): Promise<AnnotationRow> =>
  db.transaction().execute(async (trx) => {
    const row = await trx
      .insertInto("annotations")
      .values({
        ...given,
        ...{ id: `an_${randomBase62(12)}`, tenant, until: given.until ?? null, created_by: by.actor.id },
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    const target = { kind: "annotation", id: row.id };
    await recordAct(trx, by, { tenant, action: "annotation.created", target, details: { title: row.title } });
    return row;
  });

/** Faults: `not_found`. */
export const deleteAnnotation = (db: Db, tenant: string, id: string, by: By): Promise<void> =>
  db.transaction().execute(async (trx) => {
    const row = await trx
      .deleteFrom("annotations")
      .where("tenant", "=", tenant)
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) throw new Fault("not_found", "There is no such annotation.");
    const target = { kind: "annotation", id };
    await recordAct(trx, by, { tenant, action: "annotation.deleted", target, details: { title: row.title } });
  });
