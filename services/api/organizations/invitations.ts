/**
 * Invitations: a mail whose link lets the owner of that address in, once, for a week at most. The link's token is known
 * to the mail alone; here is its hash. It is taken only from somebody signed in who has proven that very address, so a
 * forwarded mail lets nobody in.
 */
import { randomBytes } from "node:crypto";
import { Fault } from "@astralog/chassis";
import { isBuiltInRole, randomBase62 } from "@astralog/schemas";
import type { InvitationTable } from "@astralog/schemas/postgres";
import { type Selectable, sql } from "kysely";
import { type By, recordAct } from "../audit/audit-trail.ts";
import type { Person } from "../http/caller.ts";
import { after, created } from "../http/paging.ts";
import { mustHaveSeat } from "../plans/seats.ts";
import type { Db, Trx } from "../postgres.ts";
import type { Giver } from "./grants.ts";
import type { SendInvitation } from "./invitation-letter.ts";
import { hashToken } from "./invitation-token.ts";
import { mustCoverRole } from "./members.ts";
import { lockOrganization, type Organization } from "./organizations.ts";

export type Invitation = Omit<Selectable<InvitationTable>, "tenant" | "token_hash" | "accepted_at" | "revoked_at">;

const columns = ["id", "email", "role", "sources", "created_at", "created_by", "expires_at"] as const;
const lifeMs = 7 * 86_400_000 - 60_000;
/** Mail goes to people who did not ask for it. */
const mostPerDay = 100;

/** Neither taken nor withdrawn; it may have run out. */
const open = (db: Db | Trx, tenant: string) =>
  db
    .selectFrom("invitations")
    .select(columns)
    .where("tenant", "=", tenant)
    .where("accepted_at", "is", null)
    .where("revoked_at", "is", null);

export const listInvitations = (
  db: Db,
  tenant: string,
  page: { cursor?: string | undefined; limit: number },
): Promise<Invitation[]> =>
  open(db, tenant).where(after(page.cursor)).orderBy(created).orderBy("id").limit(page.limit).execute();

/** Whether somebody waits for whoever has that address. */
export const isInvited = async (db: Db | Trx, email: string): Promise<boolean> =>
  (await db
    .selectFrom("invitations")
    .select("id")
    .where("email", "=", email)
    .where("accepted_at", "is", null)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", new Date())
    .limit(1)
    .executeTakeFirst()) !== undefined;

export interface NewInvitation {
  readonly email: string;
  readonly role: string;
  readonly sources: string[] | null;
}

/** Takes the place of an open one to the same address. Faults: `forbidden`, `invalid_request`, `already_member`, `too_many`, `over_plan`. */
export const createInvitation = (
  db: Db,
  tenant: string,
  wanted: NewInvitation,
  deps: { giver: Giver; inviter: string; send: SendInvitation; by: By },
): Promise<Invitation> =>
  db.transaction().execute(async (trx) => {
    const { giver, inviter, send, by } = deps;
    const organization = await lockOrganization(trx, tenant);
    if (wanted.role === "owner" && wanted.sources !== null)
      throw new Fault("invalid_request", "sources: an owner sees all of them; leave them out or give null.");
    await mustCoverRole(trx, giver, tenant, wanted, "invite somebody to this");
    await mustBeStranger(trx, tenant, wanted.email);
    await mustHaveSeat(trx, tenant, wanted.email);
    await mustBeFew(trx, tenant);
    await trx
      .updateTable("invitations")
      .set({ revoked_at: new Date() })
      .where("tenant", "=", tenant)
      .where("email", "=", wanted.email)
      .where("accepted_at", "is", null)
      .where("revoked_at", "is", null)
      .execute();
    const token = randomBytes(32).toString("base64url");
    const made = await trx
      .insertInto("invitations")
      .values({
        id: `inv_${randomBase62(12)}`,
        tenant,
        ...wanted,
        token_hash: hashToken(token),
        created_by: by.actor.id,
        expires_at: new Date(Date.now() + lifeMs),
      })
      .returning(columns)
      .executeTakeFirstOrThrow();
    await send(trx, { to: wanted.email, organization: organization.name, inviter, token });
    const target = { kind: "invitation", id: made.id };
    const details = { email: made.email, role: made.role, sources: made.sources };
    await recordAct(trx, by, { tenant, action: "invitation.created", target, details });
    return made;
  });

const mustBeStranger = async (trx: Trx, tenant: string, email: string): Promise<void> => {
  const known = await trx
    .selectFrom("memberships")
    .innerJoin("people", "people.id", "memberships.person")
    .select("person")
    .where("tenant", "=", tenant)
    .where("email", "=", email)
    .executeTakeFirst();
  if (known !== undefined) throw new Fault("already_member", "Whoever has this address is a member already.");
};

const mustBeFew = async (trx: Trx, tenant: string): Promise<void> => {
  const { sent } = await trx
    .selectFrom("invitations")
    .select(({ fn }) => fn.countAll<number>().as("sent"))
    .where("tenant", "=", tenant)
    .where("created_at", ">", sql<Date>`now() - interval '1 day'`)
    .executeTakeFirstOrThrow();
  if (sent >= mostPerDay) throw new Fault("too_many", `An organization can invite ${mostPerDay} people a day.`);
};

/** Faults: `not_found`. */
export const revokeInvitation = (db: Db, tenant: string, id: string, by: By): Promise<void> =>
  db.transaction().execute(async (trx) => {
    await lockOrganization(trx, tenant);
    const revoked = await trx
      .updateTable("invitations")
      .set({ revoked_at: new Date() })
      .where("tenant", "=", tenant)
      .where("id", "=", id)
      .where("accepted_at", "is", null)
      .where("revoked_at", "is", null)
      .returning("email")
      .executeTakeFirst();
    if (revoked === undefined) throw new Fault("not_found", "There is no such open invitation.");
    const target = { kind: "invitation", id };
    await recordAct(trx, by, { tenant, action: "invitation.revoked", target, details: { email: revoked.email } });
  });

/** One answer for a token that is unknown, used, withdrawn, too old, or somebody else's. */
const worthless = (): Fault =>
  new Fault(
    "not_found",
    "This invitation is not for the address you signed in with, was used, or is too old. Ask for a new one.",
  );

/** What the token invites that person to. Faults: `not_found`. */
const takeInvitation = async (trx: Trx | Db, person: Person, token: string) => {
  const found = await trx
    .selectFrom("invitations")
    .select([...columns, "tenant"])
    .where("token_hash", "=", hashToken(token))
    .where("accepted_at", "is", null)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", new Date())
    .executeTakeFirst();
  if (found === undefined || found.email !== person.email) throw worthless();
  if (person.organization !== null && person.organization !== found.tenant) throw worthless();
  return found;
};

/** What one would accept. Faults: `not_found`. */
export const showInvitation = async (db: Db, person: Person, token: string) => {
  const { tenant, role, expires_at } = await takeInvitation(db, person, token);
  const about = await db
    .selectFrom("tenants")
    .leftJoin("roles", (join) => join.onRef("roles.tenant", "=", "tenants.id").on("roles.id", "=", role))
    .select(["tenants.name", "roles.name as role_name"])
    .where("tenants.id", "=", tenant)
    .executeTakeFirstOrThrow();
  return { organization: { id: tenant, name: about.name }, role: about.role_name ?? role, expires_at };
};

/** Of many who try at once, one gets in. Faults: `not_found`, `over_plan`. */
export const acceptInvitation = (db: Db, person: Person, token: string, by: By): Promise<Organization> =>
  db.transaction().execute(async (trx) => {
    const { tenant } = await takeInvitation(trx, person, token);
    const organization = await lockOrganization(trx, tenant);
    // Again, now that nobody else can take it.
    const { id, role, sources, created_by } = await takeInvitation(trx, person, token);
    await mustHaveSeat(trx, tenant, person.email);
    await trx.updateTable("invitations").set({ accepted_at: new Date() }).where("id", "=", id).execute();
    const { numInsertedOrUpdatedRows: joined } = await trx
      .insertInto("memberships")
      .values({ tenant, person: person.actor.id, role, sources, created_by })
      .onConflict((conflict) => conflict.columns(["tenant", "person"]).doNothing())
      .executeTakeFirst();
    if (joined === 1n) {
      const target = { kind: "person", id: person.actor.id };
      const named = isBuiltInRole(role) ? { role } : { role, custom: true };
      await recordAct(trx, by, { tenant, action: "member.joined", target, details: { ...named, invitation: id } });
    }
    return organization;
  });
