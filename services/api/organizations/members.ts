/**
 * Members: listed, changed, removed. Whoever changes a member must himself have what that member has and is to have, so
 * nobody is raised above, or cut down by, somebody who has less. An organization always keeps an owner.
 */
import { Fault } from "@astralog/chassis";
import type { AuditAction } from "@astralog/schemas";
import { sql } from "kysely";
import { type By, recordAct } from "../audit/audit-trail.ts";
import type { Unchanged } from "../http/etag.ts";
import { factorOf } from "../people/sessions.ts";
import type { Db, Trx } from "../postgres.ts";
import { effectiveOfMember, permissionsOf, union } from "./effective.ts";
import { type Giver, mustCover } from "./grants.ts";
import { factsOf, membersWithRoles, noOrganization } from "./memberships.ts";
import { lockOrganization } from "./organizations.ts";
import { customRole } from "./roles.ts";
import { mustHaveSources } from "./sources-of-tenant.ts";

export interface Member {
  readonly person: string;
  readonly email: string;
  readonly name: string;
  readonly role: string;
  /** The role's name when it is a custom one. */
  readonly role_name: string | null;
  readonly sources: readonly string[] | null;
  readonly teams: readonly string[];
  readonly created_at: Date;
}

const select = (db: Db | Trx, tenant: string) =>
  membersWithRoles(db)
    .innerJoin("people", "people.id", "memberships.person")
    .select(({ selectFrom }) => [
      ...(["person", "people.email", "people.name", "role", "roles.name as role_name"] as const),
      ...(["memberships.sources", "memberships.created_at"] as const),
      sql<string[]>`array(${selectFrom("team_members")
        .select("team")
        .where("team_members.tenant", "=", tenant)
        .whereRef("team_members.person", "=", "memberships.person")
        .orderBy("team")})`.as("teams"),
    ])
    .where("memberships.tenant", "=", tenant);

/** Only in the list: these change by themselves, and an edit's tag must not. */
interface ListedMember extends Member {
  /** In any session that may act here. */
  readonly seen_at: Date | null;
  readonly second_factor: boolean;
}

/** By id, which pages can follow. */
export const listMembers = (
  db: Db,
  tenant: string,
  { after, limit }: { after: string; limit: number },
): Promise<ListedMember[]> =>
  select(db, tenant)
    .select(({ ref, selectFrom }) => [
      selectFrom("sessions")
        .select(({ fn }) => fn.max("seen_at").as("at"))
        .whereRef("sessions.person", "=", "memberships.person")
        .where(({ or, eb }) => or([eb("organization", "is", null), eb("organization", "=", tenant)]))
        .as("seen_at"),
      factorOf(ref("memberships.person")).as("second_factor"),
    ])
    .where("person", ">", after)
    .orderBy("person")
    .limit(limit)
    .execute();

/** Faults: `not_found`. */
export const findMember = async (db: Db | Trx, tenant: string, person: string): Promise<Member> => {
  const found = await select(db, tenant).where("person", "=", person).executeTakeFirst();
  if (found === undefined) throw new Fault("not_found", "There is no such member.");
  return found;
};

const mustNotBeLastOwner = async (trx: Trx, tenant: string): Promise<void> => {
  const owners = await trx
    .selectFrom("memberships")
    .select("person")
    .where("tenant", "=", tenant)
    .where("role", "=", "owner")
    .limit(2)
    .execute();
  if (owners.length < 2)
    throw new Fault("last_owner", "The organization would have no owner. Make somebody else one first.");
};

export interface MemberChanges {
  readonly role?: string | undefined;
  readonly sources?: string[] | null | undefined;
}

/** Faults: `not_found`, `changed`, `forbidden`, `last_owner`, `invalid_request`. */
export const changeMember = (
  db: Db,
  tenant: string,
  person: string,
  changes: MemberChanges,
  giver: Giver,
  unchanged: Unchanged,
  by: By,
): Promise<Member> =>
  db.transaction().execute(async (trx) => {
    await lockOrganization(trx, tenant);
    const before = await findMember(trx, tenant, person);
    unchanged(before);
    await mustCoverMember(trx, giver, tenant, person, "change this member");
    const role = changes.role ?? before.role;
    const sources = changes.sources === undefined ? before.sources : changes.sources;
    if (role === "owner" && sources !== null)
      throw new Fault("invalid_request", "sources: an owner sees all of them; leave them out or give null.");
    await mustCoverRole(trx, giver, tenant, { role, sources }, "give this");
    if (before.role === "owner" && role !== "owner") await mustNotBeLastOwner(trx, tenant);
    await trx
      .updateTable("memberships")
      .set({ role, sources: sources === null ? null : [...sources] })
      .where("tenant", "=", tenant)
      .where("person", "=", person)
      .execute();
    const details = {
      was: { role: before.role, sources: before.sources },
      is: { role, sources },
    };
    await recordAct(trx, by, { tenant, action: "member.changed", target: { kind: "person", id: person }, details });
    return findMember(trx, tenant, person);
  });

/** The organization is locked. */
const drop = async (trx: Trx, tenant: string, person: string, action: AuditAction, by: By): Promise<void> => {
  const { role } = await findMember(trx, tenant, person);
  if (role === "owner") await mustNotBeLastOwner(trx, tenant);
  await trx.deleteFrom("memberships").where("tenant", "=", tenant).where("person", "=", person).execute();
  await recordAct(trx, by, { tenant, action, target: { kind: "person", id: person }, details: { role } });
};

/** Faults: `not_found`, `forbidden`, `last_owner`. */
export const removeMember = (db: Db, tenant: string, person: string, giver: Giver, by: By): Promise<void> =>
  db.transaction().execute(async (trx) => {
    await lockOrganization(trx, tenant);
    await mustCoverMember(trx, giver, tenant, person, "remove this member");
    await drop(trx, tenant, person, "member.removed", by);
  });

/** Faults: `not_found`, `last_owner`. */
export const leaveOrganization = (db: Db, tenant: string, person: string, by: By): Promise<void> =>
  db.transaction().execute(async (trx) => {
    if ((await factsOf(trx, tenant, person)) === undefined) throw noOrganization();
    await lockOrganization(trx, tenant);
    await drop(trx, tenant, person, "member.left", by);
  });

const mustCoverMember = async (trx: Trx, giver: Giver, tenant: string, person: string, what: string): Promise<void> => {
  const facts = await factsOf(trx, tenant, person);
  if (facts === undefined) throw new Fault("not_found", "There is no such member.");
  mustCover(giver, effectiveOfMember(facts), what);
};

/** Faults: `invalid_request` when there is no such role or source, `forbidden`. */
export const mustCoverRole = async (
  trx: Trx,
  giver: Giver,
  tenant: string,
  { role, sources }: { role: string; sources: readonly string[] | null },
  what: string,
): Promise<void> => {
  const custom = await customRole(trx, tenant, role);
  await mustHaveSources(trx, tenant, sources);
  mustCover(giver, { permissions: permissionsOf(role, custom), sources: union(sources) }, what);
};
