/** What the platform's operator does to an account that must open nothing: it stays, and nobody comes in by it. */
import { Fault } from "@astralog/chassis";
import type { By } from "../audit/audit-trail.ts";
import type { Db } from "../postgres.ts";
import { recordPersonalAct } from "./acts.ts";
import { findPersonByEmail } from "./people.ts";

/**
 * Sessions end with the statement that disables. To do it again changes nothing, and the trail tells of it once.
 * Faults: `not_found`.
 */
export const setDisabled = (db: Db, email: string, disabled: boolean, by: By): Promise<void> =>
  db.transaction().execute(async (trx) => {
    const person = await findPersonByEmail(trx, email);
    if (person === undefined) throw new Fault("not_found", `Nobody signs in as ${email}.`);
    const { numUpdatedRows } = await trx
      .updateTable("people")
      .set({ disabled_at: disabled ? new Date() : null })
      .where("id", "=", person.id)
      .where("disabled_at", disabled ? "is" : "is not", null)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return;
    const action = disabled ? "person.disabled" : "person.enabled";
    await recordPersonalAct(trx, by, person.id, { action, target: { kind: "person", id: person.id } });
  });
