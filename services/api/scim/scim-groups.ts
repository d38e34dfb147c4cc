/**
 * Groups of a directory are teams here. A directory sees and changes the teams that it made, and no others; a team gives
 * its members no permission, and sees no source until somebody here gives it one.
 */
import { randomBase62 } from "@astralog/schemas";
import { sql } from "kysely";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { type Db, isUniqueViolation, type Trx } from "../postgres.ts";
import { invalidValue, noSuch, taken } from "./scim-error.ts";
import type { Condition } from "./scim-filter.ts";
import type { GroupFields } from "./scim-patch.ts";
import type { Page } from "./scim-users.ts";

export interface ScimGroup {
  readonly id: string;
  readonly name: string;
  readonly external_id: string | null;
  readonly created_at: Date;
  readonly changed_at: Date;
  readonly members: readonly { readonly id: string; readonly name: string }[];
}

export const groupAttributes = ["displayName", "externalId", "id"] as const;
export type GroupAttribute = (typeof groupAttributes)[number];
const columns = { displayName: "teams.name", externalId: "external_id", id: "teams.id" } as const;

const groups = (db: Db | Trx, tenant: string) =>
  db
    .selectFrom("scim_groups")
    .innerJoin("teams", "teams.id", "scim_groups.team")
    .select([
      ...(["teams.id", "teams.name", "external_id", "scim_groups.created_at", "scim_groups.changed_at"] as const),
      sql<{ id: string; name: string }[]>`coalesce((
        select jsonb_agg(jsonb_build_object('id', u.id, 'name', u.user_name) order by u.id)
        from team_members m join scim_users u on u.tenant = m.tenant and u.person = m.person
        where m.team = teams.id), '[]')`.as("members"),
    ])
    .where("scim_groups.tenant", "=", tenant);

export const listGroups = async (
  db: Db,
  tenant: string,
  conditions: readonly Condition<GroupAttribute>[],
  { startIndex, count }: Page,
): Promise<{ total: number; page: ScimGroup[] }> => {
  let query = groups(db, tenant);
  for (const { attribute, value } of conditions) query = query.where(columns[attribute], "=", value);
  const { total } = await query
    .clearSelect()
    .select(({ fn }) => fn.countAll<number>().as("total"))
    .executeTakeFirstOrThrow();
  const page = await query
    .orderBy("scim_groups.created_at")
    .orderBy("teams.id")
    .offset(startIndex - 1)
    .limit(count)
    .execute();
  return { total, page };
};

/** Throws ScimError 404. */
export const findGroup = async (db: Db | Trx, tenant: string, id: string): Promise<ScimGroup> => {
  const found = await groups(db, tenant).where("teams.id", "=", id).executeTakeFirst();
  if (found === undefined) throw noSuch("group");
  return found;
};

export const groupFieldsOf = (group: ScimGroup): GroupFields => ({
  displayName: group.name,
  externalId: group.external_id,
  members: new Set(group.members.map(({ id }) => id)),
});

const unique = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw taken("There is a team of this name already.");
  }
};

/** Makes the team's members those users. Throws ScimError `invalidValue` for one who is not there or not active. */
const setMembers = async (trx: Trx, tenant: string, team: string, wanted: ReadonlySet<string>): Promise<void> => {
  const rows =
    wanted.size === 0
      ? []
      : await trx
          .selectFrom("scim_users")
          .innerJoin("memberships", (on) =>
            on
              .onRef("memberships.tenant", "=", "scim_users.tenant")
              .onRef("memberships.person", "=", "scim_users.person"),
          )
          .select("scim_users.person")
          .where("scim_users.tenant", "=", tenant)
          .where("scim_users.id", "in", [...wanted])
          .where("active", "=", true)
          .execute();
  if (rows.length < wanted.size) throw invalidValue("A member is no active user of this organization.");
  await trx
    .deleteFrom("team_members")
    .where("team", "=", team)
    // Those whom somebody here has added are not the directory's.
    .where("person", "in", trx.selectFrom("scim_users").select("person").where("tenant", "=", tenant))
    .execute();
  if (rows.length === 0) return;
  await trx
    .insertInto("team_members")
    .values(rows.map(({ person }) => ({ tenant, team, person })))
    .onConflict((conflict) => conflict.columns(["team", "person"]).doNothing())
    .execute();
};

const details = ({ displayName, members }: GroupFields) => ({ name: displayName, members: members.size });

/** Throws ScimError `uniqueness`, `invalidValue`. */
export const createGroup = (db: Db, tenant: string, fields: GroupFields, by: By): Promise<ScimGroup> =>
  unique(() =>
    db.transaction().execute(async (trx) => {
      const id = `tm_${randomBase62(12)}`;
      await trx.insertInto("teams").values({ id, tenant, name: fields.displayName, sources: [] }).execute();
      await trx.insertInto("scim_groups").values({ team: id, tenant, external_id: fields.externalId }).execute();
      await setMembers(trx, tenant, id, fields.members);
      const target = { kind: "team", id };
      await recordAct(trx, by, { tenant, action: "scim.group_created", target, details: details(fields) });
      return findGroup(trx, tenant, id);
    }),
  );

/** `change` makes what is to be from what is. Throws ScimError 404, `uniqueness`, `invalidValue`. */
export const changeGroup = (
  db: Db,
  tenant: string,
  id: string,
  change: (fields: GroupFields) => GroupFields,
  by: By,
): Promise<ScimGroup> =>
  unique(() =>
    db.transaction().execute(async (trx) => {
      await trx
        .selectFrom("scim_groups")
        .select("team")
        .where("tenant", "=", tenant)
        .where("team", "=", id)
        .forUpdate()
        .executeTakeFirst();
      const before = groupFieldsOf(await findGroup(trx, tenant, id));
      const fields = change(before);
      await trx.updateTable("teams").set({ name: fields.displayName }).where("id", "=", id).execute();
      const changed = { external_id: fields.externalId, changed_at: new Date() };
      await trx.updateTable("scim_groups").set(changed).where("team", "=", id).execute();
      await setMembers(trx, tenant, id, fields.members);
      const target = { kind: "team", id };
      await recordAct(trx, by, { tenant, action: "scim.group_changed", target, details: details(fields) });
      return findGroup(trx, tenant, id);
    }),
  );

/** Throws ScimError 404. */
export const deleteGroup = (db: Db, tenant: string, id: string, by: By): Promise<void> =>
  db.transaction().execute(async (trx) => {
    const { name } = await findGroup(trx, tenant, id);
    await trx.deleteFrom("teams").where("tenant", "=", tenant).where("id", "=", id).execute();
    await recordAct(trx, by, {
      ...{ tenant, action: "scim.group_deleted", target: { kind: "team", id }, details: { name } },
    });
  });
