/** The first owner of an organization that has none, made with the link of the console. */
import { Fault } from "@astralog/chassis";
import { type By, recordAct } from "../audit/audit-trail.ts";
import type { Trx } from "../postgres.ts";
import { ensurePerson, findPersonByEmail, type Person } from "./people.ts";

export const hasOwner = async (trx: Trx, tenant: string): Promise<boolean> => {
  const owner = await trx
    .selectFrom("memberships")
    .select("person")
    .where("tenant", "=", tenant)
    .where("role", "=", "owner")
    .executeTakeFirst();
  return owner !== undefined;
};

export interface Claim {
  readonly email: string;
  readonly name: string;
  /** Who is signed in where the link was opened. */
  readonly signedIn: string | undefined;
}

/**
 * Faults: `link_ended` once there is an owner; `email_taken` when the address is that of an account which is not signed
 * in: the link shows that one reads the console, not that one is somebody.
 */
export const becomeFirstOwner = async (
  trx: Trx,
  tenant: string,
  { email, name, signedIn }: Claim,
  by: (person: Person) => By,
): Promise<Person> => {
  // Two links at a time make one owner.
  await trx.selectFrom("tenants").select("id").where("id", "=", tenant).forUpdate().executeTakeFirstOrThrow();
  if (await hasOwner(trx, tenant))
    throw new Fault("link_ended", "The organization has an owner: ask there for an invitation.");
  const known = await findPersonByEmail(trx, email);
  if (known !== undefined && known.id !== signedIn)
    throw new Fault("email_taken", "This address has an account: sign in with it, then open the link again.");
  const person = known ?? (await ensurePerson(trx, email, name));
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
