/** People: one per e-mail address, in as many organizations as they belong to. */
import { Fault } from "@astralog/chassis";
import { randomBase62 } from "@astralog/schemas";
import type { PersonTable } from "@astralog/schemas/postgres";
import type { Selectable } from "kysely";
import { type Db, isUniqueViolation, type Trx } from "../postgres.ts";

export type Person = Selectable<PersonTable>;

/** As it is kept and compared: without the blanks around it, in lower case. */
export const plainEmail = (email: string): string => email.trim().normalize("NFC").toLowerCase();

export const findPerson = (db: Db | Trx, id: string): Promise<Person | undefined> =>
  db.selectFrom("people").selectAll().where("id", "=", id).executeTakeFirst();

export const findPersonByEmail = (db: Db | Trx, email: string): Promise<Person | undefined> =>
  db.selectFrom("people").selectAll().where("email", "=", plainEmail(email)).executeTakeFirst();

/** The person of a proven address, made when there is none. */
export const ensurePerson = async (trx: Trx, email: string, name = ""): Promise<Person> => {
  await trx
    .insertInto("people")
    .values({ id: `usr_${randomBase62(12)}`, email: plainEmail(email), name })
    .onConflict((conflict) => conflict.column("email").doNothing())
    .execute();
  return trx.selectFrom("people").selectAll().where("email", "=", plainEmail(email)).executeTakeFirstOrThrow();
};

export const renamePerson = (trx: Trx, id: string, name: string): Promise<Person> =>
  trx.updateTable("people").set({ name }).where("id", "=", id).returningAll().executeTakeFirstOrThrow();

/** Faults: `email_taken`; only who has shown that he reads that address learns of it. */
export const moveToEmail = async (trx: Trx, id: string, email: string): Promise<Person> => {
  try {
    return await trx
      .updateTable("people")
      .set({ email: plainEmail(email) })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
  } catch (error) {
    if (isUniqueViolation(error)) throw new Fault("email_taken", "Another account has this address.");
    throw error;
  }
};
