/** Teams: members who see some sources together. A team gives sources and no permission. */
import { Fault } from "@astralog/chassis";
import { randomBase62 } from "@astralog/schemas";
import type { TeamTable } from "@astralog/schemas/postgres";
import { type Selectable, sql } from "kysely";
import { type By, recordAct } from "../audit/audit-trail.ts";
import type { Unchanged } from "../http/etag.ts";
import { type Db, named, type Trx } from "../postgres.ts";
import { union } from "./effective.ts";
import { type Giver, mustCover } from "./grants.ts";
import { lockOrganization } from "./organizations.ts";
import { mustHaveSources } from "./sources-of-tenant.ts";

export interface Team extends Omit<Selectable<TeamTable>, "tenant"> {
  /** Ids of people. */
  readonly members: readonly string[];
}

const mostTeams = 500;

const select = (db: Db | Trx, tenant: string) =>
  db
    .selectFrom("teams")
    .select(({ selectFrom }) => [
      ...(["id", "name", "sources", "created_at"] as const),
      sql<string[]>`array(${selectFrom("team_members")
        .select("person")
        .whereRef("team", "=", "teams.id")
        .orderBy("person")})`.as("members"),
    ])
    .where("tenant", "=", tenant);

/** All of them: there are 500 at most. */
export const listTeams = (db: Db | Trx, tenant: string): Promise<Team[]> =>
  select(db, tenant).orderBy("name").execute();

/** Faults: `not_found`. */
export const findTeam = async (db: Db | Trx, tenant: string, id: string): Promise<Team> => {
  const found = await select(db, tenant).where("id", "=", id).executeTakeFirst();
  if (found === undefined) throw new Fault("not_found", "There is no such team.");
  return found;
};

interface TeamInput {
  readonly name: string;
  readonly sources: string[] | null;
}

/** Faults: `forbidden`, `name_taken`, `invalid_request`, `too_many`. */
export const createTeam = (db: Db, tenant: string, wanted: TeamInput, giver: Giver, by: By): Promise<Team> =>
  named("team", wanted.name, () =>
    db.transaction().execute(async (trx) => {
      await lockOrganization(trx, tenant);
      await mustHaveSources(trx, tenant, wanted.sources);
      mustCover(giver, { sources: union(wanted.sources) }, "make this team");
      if ((await listTeams(trx, tenant)).length >= mostTeams)
        throw new Fault("too_many", `An organization has ${mostTeams} teams at most.`);
      const id = `tm_${randomBase62(12)}`;
      await trx
        .insertInto("teams")
        .values({ id, tenant, ...wanted })
        .execute();
      const details = { name: wanted.name, sources: wanted.sources };
      await recordAct(trx, by, { tenant, action: "team.created", target: { kind: "team", id }, details });
      return findTeam(trx, tenant, id);
    }),
  );

/** Faults: `not_found`, `changed`, `forbidden`, `name_taken`, `invalid_request`. */
export const changeTeam = (
  db: Db,
  tenant: string,
  id: string,
  changes: { readonly [K in keyof TeamInput]?: TeamInput[K] | undefined },
  giver: Giver,
  unchanged: Unchanged,
  by: By,
): Promise<Team> =>
  named("team", changes.name, () =>
    db.transaction().execute(async (trx) => {
      await lockOrganization(trx, tenant);
      const before = await mustFind(trx, tenant, id, giver);
      unchanged(before);
      const after = {
        name: changes.name ?? before.name,
        sources: changes.sources === undefined ? before.sources : changes.sources,
      };
      await mustHaveSources(trx, tenant, after.sources);
      mustCover(giver, { sources: union(after.sources) }, "change this team so");
      await trx.updateTable("teams").set(after).where("id", "=", id).execute();
      const details = { was: { name: before.name, sources: before.sources }, is: after };
      await recordAct(trx, by, { tenant, action: "team.changed", target: { kind: "team", id }, details });
      return findTeam(trx, tenant, id);
    }),
  );

const mustFind = async (trx: Trx, tenant: string, id: string, giver: Giver): Promise<Team> => {
  const team = await findTeam(trx, tenant, id);
  mustCover(giver, { sources: union(team.sources) }, "change this team");
  return team;
};

/** Its members stay in the organization. Faults: `not_found`, `forbidden`. */
export const deleteTeam = (db: Db, tenant: string, id: string, giver: Giver, by: By): Promise<void> =>
  db.transaction().execute(async (trx) => {
    await lockOrganization(trx, tenant);
    const { name } = await mustFind(trx, tenant, id, giver);
    await trx.deleteFrom("teams").where("id", "=", id).execute();
    await recordAct(trx, by, { tenant, action: "team.deleted", target: { kind: "team", id }, details: { name } });
  });

/** Puts a member in or takes him out; twice is once. Faults: `not_found`, `forbidden`. */
export const setTeamMember = (
  db: Db,
  tenant: string,
  { team: id, person, isIn }: { team: string; person: string; isIn: boolean },
  giver: Giver,
  by: By,
): Promise<Team> =>
  db.transaction().execute(async (trx) => {
    await lockOrganization(trx, tenant);
    const team = await mustFind(trx, tenant, id, giver);
    const member = await trx
      .selectFrom("memberships")
      .select("person")
      .where("tenant", "=", tenant)
      .where("person", "=", person)
      .executeTakeFirst();
    if (member === undefined) throw new Fault("not_found", "There is no such member.");
    if (team.members.includes(person) === isIn) return team;
    if (isIn) await trx.insertInto("team_members").values({ tenant, team: id, person }).execute();
    else await trx.deleteFrom("team_members").where("team", "=", id).where("person", "=", person).execute();
    const action = isIn ? "team.member_added" : "team.member_removed";
    await recordAct(trx, by, { tenant, action, target: { kind: "team", id }, details: { person } });
    return findTeam(trx, tenant, id);
  });
