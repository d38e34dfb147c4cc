/**
 * What a member may do and see, from his role, his own sources and his teams'. Pure, and only ever adding: a role gives
 * permissions, a team gives sources, and nothing else gives either. What is not known any more gives nothing.
 */
import {
  givenByAdminKeys,
  isBuiltInRole,
  type KeyRecord,
  keyPermissions,
  permissions,
  roles,
  type TenantPermission,
} from "@astralog/schemas";
import type { Caller } from "../http/caller.ts";

export type Sources = "all" | ReadonlySet<string>;

const isPermission = (name: string): name is TenantPermission => Object.hasOwn(permissions, name);

/** A built-in role's permissions, or a custom role's, which are given; none for a role that is gone. */
export const permissionsOf = (role: string, custom: readonly string[] | null): ReadonlySet<TenantPermission> =>
  new Set<TenantPermission>(isBuiltInRole(role) ? roles[role].may : (custom ?? []).filter(isPermission));

/** Null names all sources, as in Postgres. */
export const union = (...lists: readonly (readonly string[] | null)[]): Sources =>
  lists.includes(null) ? "all" : new Set(lists.flatMap((list) => list ?? []));

export interface MemberFacts {
  readonly role: string;
  /** The permissions of `role` when it is a custom one. */
  readonly custom: readonly string[] | null;
  readonly sources: readonly string[] | null;
  readonly teams: readonly (readonly string[] | null)[];
}

type Effective = Pick<Caller, "permissions" | "grants" | "sources">;

/** A member may give what he has. */
export const effectiveOfMember = ({ role, custom, sources, teams }: MemberFacts): Effective => {
  const held = permissionsOf(role, custom);
  return { permissions: held, grants: held, sources: union(sources, ...teams) };
};

/** A key's scopes only ever narrow what its kind may. */
export const effectiveOfKey = (record: Pick<KeyRecord, "kind" | "permissions" | "sources">): Effective => {
  const { kind, permissions: scope, sources } = record;
  const within = (one: TenantPermission) => scope.length === 0 || scope.includes(one);
  const held = new Set<TenantPermission>(keyPermissions[kind].filter(within));
  const given = kind === "admin" && scope.length === 0 ? givenByAdminKeys : [];
  return {
    permissions: held,
    grants: new Set([...held, ...given]),
    sources: sources.length === 0 ? "all" : new Set(sources),
  };
};
