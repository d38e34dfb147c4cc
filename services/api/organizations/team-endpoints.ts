/** Teams and roles over HTTP. */
import { builtInRoles, permissions, roles, tenantPermissions } from "@astralog/schemas";
import type { Audit } from "../audit/audit-request.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { type Db, withPostgres } from "../postgres.ts";
import { changeRole, createRole, deleteRole, listRoles } from "./roles.ts";
import { newRole, newTeam, roleChanges, roleList, roleShape, teamChanges, teamList, teamShape } from "./shapes.ts";
import { changeTeam, createTeam, deleteTeam, findTeam, listTeams, setTeamMember } from "./teams.ts";

interface Deps {
  readonly db: Db;
  readonly audit: Audit;
}

export const createTeamEndpoints = ({ db, audit }: Deps): Endpoint[] => {
  const tag = "teams";
  const setMember = (method: "put" | "delete", summary: string) =>
    endpoint({
      ...{ method, path: "/teams/:id/members/:person", access: "teams.write", tag, summary },
      success: { status: 200, body: teamShape },
      handle: ({ caller, params: { id, person }, response }) => {
        const place = { team: id, person, isIn: method === "put" };
        return withPostgres(() => setTeamMember(db, caller.tenant, place, caller, audit.by(response)));
      },
    });
  return [
    endpoint({
      ...{ method: "get", path: "/teams", access: "members.read", tag, summary: "The teams" },
      success: { status: 200, body: teamList },
      handle: ({ caller }) => withPostgres(async () => ({ teams: await listTeams(db, caller.tenant), next: null })),
    }),
    endpoint({
      ...{ method: "post", path: "/teams", access: "teams.write", tag, summary: "Make a team" },
      body: newTeam,
      success: { status: 201, body: teamShape },
      handle: ({ caller, body, response }) =>
        withPostgres(() => createTeam(db, caller.tenant, body, caller, audit.by(response))),
    }),
    endpoint({
      ...{ method: "get", path: "/teams/:id", access: "members.read", tag, summary: "One team" },
      success: { status: 200, body: teamShape },
      etag: true,
      handle: ({ caller, params }) => withPostgres(() => findTeam(db, caller.tenant, params.id)),
    }),
    endpoint({
      ...{
        method: "patch",
        path: "/teams/:id",
        access: "teams.write",
        tag,
        summary: "Change a team's name or sources",
      },
      body: teamChanges,
      success: { status: 200, body: teamShape },
      etag: true,
      handle: ({ caller, params, body, unchanged, response }) =>
        withPostgres(() => changeTeam(db, caller.tenant, params.id, body, caller, unchanged, audit.by(response))),
    }),
    endpoint({
      ...{ method: "delete", path: "/teams/:id", access: "teams.write", tag, summary: "Delete a team" },
      success: { status: 204 },
      handle: ({ caller, params, response }) =>
        withPostgres(() => deleteTeam(db, caller.tenant, params.id, caller, audit.by(response))),
    }),
    setMember("put", "Put a member into a team"),
    setMember("delete", "Take a member out of a team"),
  ];
};

export const createRoleEndpoints = ({ db, audit }: Deps): Endpoint[] => {
  const tag = "roles";
  const given = {
    built_in: builtInRoles.map((id) => ({ id, meaning: roles[id].meaning, permissions: roles[id].may })),
    permissions: tenantPermissions.map((id) => ({ id, meaning: permissions[id] })),
    next: null,
  };
  return [
    endpoint({
      ...{ method: "get", path: "/roles", access: "members.read", tag, summary: "All roles, and all permissions" },
      success: { status: 200, body: roleList },
      handle: ({ caller }) => withPostgres(async () => ({ roles: await listRoles(db, caller.tenant), ...given })),
    }),
    endpoint({
      ...{ method: "post", path: "/roles", access: "roles.write", tag, summary: "Make a role" },
      stepUp: true,
      body: newRole,
      success: { status: 201, body: roleShape },
      handle: ({ caller, body, response }) =>
        withPostgres(() => createRole(db, caller.tenant, body, caller, audit.by(response))),
    }),
    endpoint({
      ...{ method: "patch", path: "/roles/:id", access: "roles.write", tag, summary: "Change a role" },
      stepUp: true,
      body: roleChanges,
      success: { status: 200, body: roleShape },
      etag: true,
      handle: ({ caller, params, body, unchanged, response }) =>
        withPostgres(() => changeRole(db, caller.tenant, params.id, body, caller, unchanged, audit.by(response))),
    }),
    endpoint({
      ...{ method: "delete", path: "/roles/:id", access: "roles.write", tag, summary: "Delete a role nobody has" },
      stepUp: true,
      success: { status: 204 },
      handle: ({ caller, params, response }) =>
        withPostgres(() => deleteRole(db, caller.tenant, params.id, caller, audit.by(response))),
    }),
  ];
};
