/** Members, invitations, teams and roles, as the api has them. */
import { useMay } from "../account/acts.tsx";
import { useRead, useReadAll } from "../api/read.ts";
import { type Source, useSources } from "../sources/data.ts";

/** Null is all of them. */
export type Scope = readonly string[] | null;

export interface Member {
  readonly person: string;
  readonly email: string;
  readonly name: string;
  readonly role: string;
  readonly role_name: string | null;
  readonly sources: Scope;
  readonly teams: readonly string[];
  readonly created_at: string;
}

export interface ListedMember extends Member {
  readonly seen_at: string | null;
  readonly second_factor: boolean;
}

export interface Invitation {
  readonly id: string;
  readonly email: string;
  readonly role: string;
  readonly sources: Scope;
  readonly created_at: string;
  readonly expires_at: string;
}

export interface Team {
  readonly id: string;
  readonly name: string;
  readonly sources: Scope;
  readonly members: readonly string[];
}

interface BuiltInRole {
  readonly id: string;
  readonly meaning: string;
  readonly permissions: readonly string[];
}

export interface Role {
  readonly id: string;
  readonly name: string;
  readonly permissions: readonly string[];
}

export interface Permission {
  readonly id: string;
  readonly meaning: string;
}

interface Roles {
  readonly roles: readonly Role[];
  readonly built_in: readonly BuiltInRole[];
  readonly permissions: readonly Permission[];
}

export const useMembers = () => useReadAll<"members", ListedMember>("members", "/members", "members");
export const useInvitations = () => useReadAll<"invitations", Invitation>("invitations", "/invitations", "invitations");
export const useTeams = () => useRead<{ readonly teams: readonly Team[] }>("teams", "/teams");
export const useRoles = () => useRead<Roles>("roles", "/roles");

/** Empty for those who may not see them. */
export const useSourceNames = (): readonly Source[] => useSources().data ?? [];

export const nameOf = ({ name, email }: Pick<Member, "name" | "email">): string => name || email;

/** "all", or by name. */
export const scopeWords = (scope: Scope, sources: readonly Source[]): string => {
  if (scope === null) return "all";
  if (scope.length === 0) return "none";
  const names = scope.map((id) => sources.find((one) => one.id === id)?.name ?? id);
  return names.length > 3 ? `${names.slice(0, 2).join(", ")} and ${names.length - 2} more` : names.join(", ");
};

/** Those that one may give: nobody gives what he has not. */
export const useGivableRoles = (): readonly {
  readonly id: string;
  readonly name: string;
  readonly about: string;
}[] => {
  const may = useMay();
  const data = useRoles().data;
  return [
    ...(data?.built_in ?? []).map(({ id, meaning, permissions }) => ({ id, name: id, about: meaning, permissions })),
    ...(data?.roles ?? []).map(({ id, name, permissions }) => ({
      ...{ id, name, permissions },
      about: `${permissions.length} permissions of your choice`,
    })),
  ].filter(({ permissions }) => permissions.every(may));
};
