/** What the routes of organizations, members, teams and roles accept and answer. */
import { builtInRoles, tenantPermissions } from "@astralog/schemas";
import { z } from "zod";
import { nameShape } from "../http/text.ts";

const date = z.iso.datetime();
const permission = z.enum(tenantPermissions);
const sourceId = z.string().regex(/^src_[0-9A-Za-z]{12}$/, "is no source's id");
const sources = z.array(sourceId).max(500).nullable().describe("Ids of sources; null is all of them.");
const role = z
  .union([z.enum(builtInRoles), z.string().regex(/^rol_[0-9A-Za-z]{12}$/)], "must be a built-in role or a role's id")
  .describe(`${builtInRoles.join(", ")}, or the id of one of your own roles.`);
const atLeastOne = (changes: object) => Object.keys(changes).length > 0;
const nameOne = "name at least one field to change";
const next = z.string().nullable();

export const organizationInput = z.strictObject({ name: nameShape });
export const organizationShape = z.object({ id: z.string(), name: z.string(), created_at: date });
const ownOrganization = organizationShape.extend({
  role: z.string(),
  permissions: z.array(z.string()),
  require_mfa: z.boolean(),
});
export const organizationList = z.object({
  organizations: z.array(ownOrganization),
  next,
});
export const accessShape = z.object({
  organization: z.object({ id: z.string(), name: z.string() }),
  permissions: z.array(z.string()),
  sources: z.union([z.literal("all"), z.array(z.string())]),
});

export const memberPage = z.strictObject({
  cursor: z
    .string()
    .regex(/^usr_[0-9A-Za-z]{12}$/, "give back `next` of the page before, unchanged")
    .optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
export const memberChanges = z
  .strictObject({ role: role.optional(), sources: sources.optional() })
  .refine(atLeastOne, nameOne);
export const memberShape = z.object({
  person: z.string(),
  email: z.string(),
  name: z.string(),
  role: z.string(),
  role_name: z.string().nullable().describe("Of one of your own roles."),
  sources,
  teams: z.array(z.string()),
  created_at: date,
});
const listedMember = memberShape.extend({
  seen_at: date.nullable().describe("The last use of a session that may act here."),
  second_factor: z.boolean(),
});
export const memberList = z.object({ members: z.array(listedMember), next });

export const newInvitation = z.strictObject({
  email: z.string().trim().max(254).toLowerCase().pipe(z.email()),
  role,
  sources: sources.default(null),
});
export const invitationShape = z.object({
  id: z.string(),
  email: z.string(),
  role: z.string(),
  sources,
  created_at: date,
  created_by: z.string(),
  expires_at: date,
});
export const invitationList = z.object({ invitations: z.array(invitationShape), next });
export const invitationToken = z.strictObject({ token: z.string().min(20).max(100) });
export const shownInvitation = z.object({
  organization: z.object({ id: z.string(), name: z.string() }),
  role: z.string(),
  expires_at: date,
});

export const newTeam = z.strictObject({ name: nameShape, sources: sources.default([]) });
export const teamChanges = z
  .strictObject({ name: nameShape.optional(), sources: sources.optional() })
  .refine(atLeastOne, nameOne);
export const teamShape = z.object({
  id: z.string(),
  name: z.string(),
  sources,
  members: z.array(z.string()),
  created_at: date,
});
export const teamList = z.object({ teams: z.array(teamShape), next });

const permissionSet = z
  .array(permission)
  .min(1)
  .max(tenantPermissions.length)
  .transform((all) => [...new Set(all)]);
export const newRole = z.strictObject({ name: nameShape, permissions: permissionSet });
export const roleChanges = z
  .strictObject({ name: nameShape.optional(), permissions: permissionSet.optional() })
  .refine(atLeastOne, nameOne);
export const roleShape = z.object({
  id: z.string(),
  name: z.string(),
  permissions: z.array(z.string()),
  created_at: date,
});
export const roleList = z.object({
  roles: z.array(roleShape),
  built_in: z.array(z.object({ id: z.string(), meaning: z.string(), permissions: z.array(z.string()) })),
  permissions: z.array(z.object({ id: z.string(), meaning: z.string() })),
  next,
});
