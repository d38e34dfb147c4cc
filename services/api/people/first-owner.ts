/** The first owner of an organization that has none, made with the link of the console. */
import { Fault } from "@astralog/chassis";
import { type By, recordAct } from "../audit/audit-trail.ts";
import type { Trx } from "../postgres.ts";
import { ensurePerson, type Person, renamePerson } from "./people.ts";

export const hasOwner = async (trx: Trx, tenant: string): Promise<boolean> => {
  const owner = await trx
    .selectFrom("memberships")
    .select("person")
    .where("tenant", "=", tenant)
    .where("role", "=", "owner")
    .executeTakeFirst();
  return owner !== undefined;
};

/** Faults: `link_ended` once there is an owner. */
export const becomeFirstOwner = async (
  trx: Trx,
  tenant: string,
  email: string,
  name: string,
  by: (person: Person) => By,
): Promise<Person> => {
  // Two links at a time make one owner.
  await trx.selectFrom("tenants").select("id").where("id", "=", tenant).forUpdate().executeTakeFirstOrThrow();
  if (await hasOwner(trx, tenant))
    throw new Fault("link_ended", "The organization has an owner: ask there for an invitation.");
  const made = await ensurePerson(trx, email, name);
  const person = name === "" ? made : await renamePerson(trx, made.id, name);
  await trx.insertInto("memberships").values({ tenant, person: person.id, role: "owner" }).execute();
  const target = { kind: "person", id: person.id };
  await recordAct(trx, by(person), {
    tenant,
    action: "person.created",
    target,
    details: { email: person.email, role: "owner" },
  });
  return person;
};
