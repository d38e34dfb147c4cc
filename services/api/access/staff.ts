/** Who works for the platform. Being staff opens nothing: it lets one ask for access. */
import { Fault } from "@astralog/chassis";
import { systemChain } from "@astralog/schemas";
import { type By, recordAct } from "../audit/audit-trail.ts";
import type { Db, Trx } from "../postgres.ts";

export const listStaff = (db: Db): Promise<{ person: string; email: string }[]> =>
  db
    .selectFrom("staff")
    .innerJoin("people", "people.id", "staff.person")
    .select(["staff.person", "people.email"])
    .orderBy("people.email")
    .execute();

export const isStaff = async (db: Db | Trx, person: string): Promise<boolean> =>
  (await db
    .selectFrom("staff")
    .innerJoin("people", "people.id", "staff.person")
    .select("person")
    .where("person", "=", person)
    .where("people.disabled_at", "is", null)
    .executeTakeFirst()) !== undefined;

/** Whoever is staff no more has no access from then on. Faults: `not_found`. */
export const setStaff = (db: Db, email: string, staff: boolean, by: By): Promise<void> =>
  db.transaction().execute(async (trx) => {
    const person = await trx
      .selectFrom("people")
      .select("id")
      .where("email", "=", email.trim().toLowerCase())
      .forUpdate()
      .executeTakeFirst();
    if (person === undefined) throw new Fault("not_found", `Nobody signs in as ${email}.`);
    if (staff)
      await trx
        .insertInto("staff")
        .values({ person: person.id })
        .onConflict((c) => c.doNothing())
        .execute();
    else await trx.deleteFrom("staff").where("person", "=", person.id).execute();
    await recordAct(trx, by, {
      tenant: systemChain,
      action: "staff.changed",
      target: { kind: "person", id: person.id },
      details: { staff },
    });
  });
