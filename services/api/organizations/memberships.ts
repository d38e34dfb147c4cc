/** Who is in an organization, read anew for each request: what is taken from somebody is gone with its commit. */
import { Fault } from "@astralog/chassis";
import type { Memberships } from "../http/authenticate.ts";
import { type Db, type Trx, withPostgres } from "../postgres.ts";
import { effectiveOfMember, type MemberFacts } from "./effective.ts";

/** Also what an organization answers that exists and does not have him. */
export const noOrganization = (): Fault =>
  new Fault("not_found", "There is no such organization, or you do not belong to it.");

export const membersWithRoles = (db: Db | Trx) =>
  db
    .selectFrom("memberships")
    .leftJoin("roles", (join) =>
      join.onRef("roles.tenant", "=", "memberships.tenant").onRef("roles.id", "=", "memberships.role"),
    );

/** The sources of each team of a member. */
export const teamSources = async (db: Db | Trx, tenant: string, person: string): Promise<(string[] | null)[]> =>
  (
    await db
      .selectFrom("team_members")
      .innerJoin("teams", "teams.id", "team_members.team")
      .select("teams.sources")
      .where("team_members.tenant", "=", tenant)
      .where("person", "=", person)
      .execute()
  ).map(({ sources }) => sources);

/** Undefined when he does not belong to it. */
export const factsOf = async (db: Db | Trx, tenant: string, person: string): Promise<MemberFacts | undefined> => {
  const row = await membersWithRoles(db)
    .select(["role", "sources", "permissions as custom"])
    .where("memberships.tenant", "=", tenant)
    .where("person", "=", person)
    .executeTakeFirst();
  return row === undefined ? undefined : { ...row, teams: await teamSources(db, tenant, person) };
};

export const createMemberships = (db: Db): Memberships => {
  const theOnly = async (person: string): Promise<string> => {
    const rows = await db.selectFrom("memberships").select("tenant").where("person", "=", person).limit(2).execute();
    const [first, second] = rows;
    if (first === undefined) throw new Fault("organization_needed", "You belong to no organization yet: make one.");
    if (second !== undefined)
      throw new Fault("organization_needed", "You belong to several: name one in the header Astralog-Organization.");
    return first.tenant;
  };
  return {
    find: (person, organization) =>
      withPostgres(async () => {
        const tenant = organization ?? (await theOnly(person));
        const facts = await factsOf(db, tenant, person);
        if (facts === undefined) throw noOrganization();
        return { tenant, ...effectiveOfMember(facts) };
      }),
  };
};
