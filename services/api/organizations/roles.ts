/** Roles an organization makes for itself, out of the permissions there are. */
import { Fault } from "@astralog/chassis";
import { isBuiltInRole, randomBase62, type TenantPermission } from "@astralog/schemas";
import type { RoleTable } from "@astralog/schemas/postgres";
import type { Selectable } from "kysely";
import { type By, recordAct } from "../audit/audit-trail.ts";
import type { Unchanged } from "../http/etag.ts";
import { type Db, named, type Trx } from "../postgres.ts";
import { permissionsOf } from "./effective.ts";
import { type Giver, mustCover } from "./grants.ts";
import { lockOrganization } from "./organizations.ts";

export type Role = Omit<Selectable<RoleTable>, "tenant">;
const columns = ["id", "name", "permissions", "created_at"] as const;
const mostRoles = 100;

/** The permissions of a custom role; null for a built-in one. Faults: `invalid_request` when there is no such role. */
export const customRole = async (db: Db | Trx, tenant: string, role: string): Promise<string[] | null> => {
  if (isBuiltInRole(role)) return null;
  const found = await find(db, tenant, role);
  if (found === undefined) throw new Fault("invalid_request", "role: there is no such role.");
  return found.permissions;
};

const find = (db: Db | Trx, tenant: string, id: string): Promise<Role | undefined> =>
  db.selectFrom("roles").select(columns).where("tenant", "=", tenant).where("id", "=", id).executeTakeFirst();

export const listRoles = (db: Db | Trx, tenant: string): Promise<Role[]> =>
  db.selectFrom("roles").select(columns).where("tenant", "=", tenant).orderBy("name").execute();

interface RoleInput {
  readonly name: string;
  readonly permissions: readonly TenantPermission[];
}

/** Faults: `forbidden`, `name_taken`, `too_many`. */
export const createRole = (db: Db, tenant: string, wanted: RoleInput, giver: Giver, by: By): Promise<Role> =>
  named("role", wanted.name, () =>
    db.transaction().execute(async (trx) => {
      await lockOrganization(trx, tenant);
      mustCover(giver, { permissions: new Set(wanted.permissions) }, "make this role");
      if ((await listRoles(trx, tenant)).length >= mostRoles)
        throw new Fault("too_many", `An organization has ${mostRoles} roles at most.`);
      const role = await trx
        .insertInto("roles")
        .values({ id: `rol_${randomBase62(12)}`, tenant, name: wanted.name, permissions: [...wanted.permissions] })
        .returning(columns)
        .executeTakeFirstOrThrow();
      const details = { name: role.name, permissions: role.permissions };
      await recordAct(trx, by, { tenant, action: "role.created", target: { kind: "role", id: role.id }, details });
      return role;
    }),
  );

/** Who has the role has its new permissions with the commit. Faults: `not_found`, `changed`, `forbidden`, `name_taken`. */
export const changeRole = (
  db: Db,
  tenant: string,
  id: string,
  changes: { readonly [K in keyof RoleInput]?: RoleInput[K] | undefined },
  giver: Giver,
  unchanged: Unchanged,
  by: By,
): Promise<Role> =>
  named("role", changes.name, () =>
    db.transaction().execute(async (trx) => {
      await lockOrganization(trx, tenant);
      const before = await mustFind(trx, tenant, id, giver);
      unchanged(before);
      const after = {
        name: changes.name ?? before.name,
        permissions: [...(changes.permissions ?? before.permissions)],
      };
      mustCover(giver, { permissions: permissionsOf(id, after.permissions) }, "change this role so");
      const role = await trx
        .updateTable("roles")
        .set(after)
        .where("id", "=", id)
        .returning(columns)
        .executeTakeFirstOrThrow();
      const details = { was: { name: before.name, permissions: before.permissions }, is: after };
      await recordAct(trx, by, { tenant, action: "role.changed", target: { kind: "role", id }, details });
      return role;
    }),
  );

const mustFind = async (trx: Trx, tenant: string, id: string, giver: Giver): Promise<Role> => {
  const role = await find(trx, tenant, id);
  if (role === undefined) throw new Fault("not_found", "There is no such role.");
  mustCover(giver, { permissions: permissionsOf(id, role.permissions) }, "change this role");
  return role;
};

/** Faults: `not_found`, `forbidden`, `in_use` while a member or an open invitation has it. */
export const deleteRole = (db: Db, tenant: string, id: string, giver: Giver, by: By): Promise<void> =>
  db.transaction().execute(async (trx) => {
    await lockOrganization(trx, tenant);
    const { name } = await mustFind(trx, tenant, id, giver);
    const held = trx.selectFrom("memberships").select("tenant").where("tenant", "=", tenant).where("role", "=", id);
    const promised = trx
      .selectFrom("invitations")
      .select("tenant")
      .where("tenant", "=", tenant)
      .where("role", "=", id)
      .where("accepted_at", "is", null)
      .where("revoked_at", "is", null);
    if ((await held.unionAll(promised).limit(1).execute()).length > 0)
      throw new Fault("in_use", "Members or open invitations have this role; give them another one first.");
    await trx.deleteFrom("roles").where("id", "=", id).execute();
    await recordAct(trx, by, { tenant, action: "role.deleted", target: { kind: "role", id }, details: { name } });
  });
