/** Organizations over HTTP: one's own, a new one, the one acted in, and the way out. */
import type { PlanName } from "@astralog/schemas";
import type { Audit } from "../audit/audit-request.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { type Db, withPostgres } from "../postgres.ts";
import { leaveOrganization } from "./members.ts";
import { noOrganization } from "./memberships.ts";
import { createOrganization, findOrganization, organizationsOf, renameOrganization } from "./organizations.ts";
import { accessShape, organizationInput, organizationList, organizationShape } from "./shapes.ts";

export interface OrganizationDeps {
  readonly db: Db;
  readonly audit: Audit;
  /** Of what people make. */
  readonly defaultPlan: PlanName;
}

const tag = "organization";

export const createOrganizationEndpoints = ({ db, audit, defaultPlan }: OrganizationDeps): Endpoint[] => [
  endpoint({
    ...{ method: "get", path: "/organizations", access: "signed-in", tag, summary: "The organizations you belong to" },
    success: { status: 200, body: organizationList },
    handle: ({ caller }) =>
      withPostgres(async () => {
        const all = await organizationsOf(db, caller.actor.id);
        const bound = caller.organization;
        return { organizations: all.filter(({ id }) => bound === null || id === bound), next: null };
      }),
  }),
  endpoint({
    ...{ method: "post", path: "/organizations", access: "signed-in", tag, summary: "Make an organization and own it" },
    body: organizationInput,
    success: { status: 201, body: organizationShape },
    handle: ({ caller, body, response }) =>
      withPostgres(() =>
        createOrganization(db, caller.actor.id, { name: body.name, plan: defaultPlan }, audit.by(response)),
      ),
  }),
  endpoint({
    ...{ method: "post", path: "/organizations/:id/leave", access: "signed-in", tag, summary: "Leave an organization" },
    success: { status: 204 },
    handle: async ({ caller, params, response }) => {
      if (caller.organization !== null && caller.organization !== params.id) throw noOrganization();
      await withPostgres(() => leaveOrganization(db, params.id, caller.actor.id, audit.by(response)));
    },
  }),
  endpoint({
    ...{ method: "get", path: "/organization", access: "members.read", tag, summary: "The organization acted in" },
    success: { status: 200, body: organizationShape },
    etag: true,
    handle: ({ caller }) => withPostgres(() => findOrganization(db, caller.tenant)),
  }),
  endpoint({
    ...{
      method: "patch",
      path: "/organization",
      access: "organization.write",
      tag,
      summary: "Rename the organization",
    },
    body: organizationInput,
    success: { status: 200, body: organizationShape },
    etag: true,
    handle: ({ caller, body, unchanged, response }) =>
      withPostgres(() => renameOrganization(db, caller.tenant, body.name, unchanged, audit.by(response))),
  }),
  endpoint({
    ...{ method: "get", path: "/access", access: "member", tag, summary: "What you may do and see here" },
    success: { status: 200, body: accessShape },
    handle: ({ caller }) =>
      withPostgres(async () => {
        const { id, name } = await findOrganization(db, caller.tenant);
        return {
          organization: { id, name },
          permissions: [...caller.permissions],
          sources: caller.sources === "all" ? "all" : [...caller.sources],
        };
      }),
  }),
];
