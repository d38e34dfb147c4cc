/** The tables of 0003_organizations as kysely sees them. A list of sources that is null names all of them. */
import type { ColumnType, Generated } from "kysely";

type CreatedAt = ColumnType<Date, never, never>;

export interface RoleTable {
  /** rol_… */
  id: string;
  tenant: string;
  /** Unique within the tenant. */
  name: string;
  permissions: string[];
  created_at: CreatedAt;
}

export interface MembershipTable {
  tenant: string;
  person: string;
  /** A built-in role's name, or rol_…. */
  role: string;
  sources: string[] | null;
  created_at: CreatedAt;
  /** The id of whoever let him in; empty for the first owner. */
  created_by: Generated<string>;
}

export interface InvitationTable {
  /** inv_…; names the invitation, opens nothing. */
  id: string;
  tenant: string;
  /** Lower case. */
  email: string;
  role: string;
  sources: string[] | null;
  /** SHA-256 of what the mail holds, hex. */
  token_hash: string;
  created_at: CreatedAt;
  created_by: string;
  expires_at: Date;
  accepted_at: ColumnType<Date | null, never, Date>;
  revoked_at: ColumnType<Date | null, never, Date>;
}

export interface TeamTable {
  /** tm_… */
  id: string;
  tenant: string;
  /** Unique within the tenant. */
  name: string;
  sources: string[] | null;
  created_at: CreatedAt;
}

export interface TeamMemberTable {
  tenant: string;
  team: string;
  person: string;
}

export interface OrganizationTables {
  roles: RoleTable;
  memberships: MembershipTable;
  invitations: InvitationTable;
  teams: TeamTable;
  team_members: TeamMemberTable;
}
