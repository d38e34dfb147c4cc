/** Members and invitations over HTTP. */
import type { Audit } from "../audit/audit-request.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { pageOf, pageQuery } from "../http/paging.ts";
import { type Db, withPostgres } from "../postgres.ts";
import type { SendInvitation } from "./invitation-letter.ts";
import {
  acceptInvitation,
  createInvitation,
  listInvitations,
  revokeInvitation,
  showInvitation,
} from "./invitations.ts";
import { changeMember, findMember, listMembers, removeMember } from "./members.ts";
import {
  invitationList,
  invitationShape,
  invitationToken,
  memberChanges,
  memberList,
  memberPage,
  memberShape,
  newInvitation,
  organizationShape,
  shownInvitation,
} from "./shapes.ts";

export interface MemberDeps {
  readonly db: Db;
  readonly audit: Audit;
  readonly send: SendInvitation;
}

export const createMemberEndpoints = (deps: MemberDeps): Endpoint[] => [...ofMembers(deps), ...ofInvitations(deps)];

const ofMembers = ({ db, audit }: MemberDeps): Endpoint[] => {
  const tag = "members";
  return [
    endpoint({
      ...{ method: "get", path: "/members", access: "members.read", tag, summary: "The members" },
      query: memberPage,
      success: { status: 200, body: memberList },
      handle: ({ caller, query: { cursor = "", limit } }) =>
        withPostgres(async () => {
          const found = await listMembers(db, caller.tenant, { after: cursor, limit: limit + 1 });
          const members = found.slice(0, limit);
          return { members, next: found.length > limit ? (members.at(-1)?.person ?? null) : null };
        }),
    }),
    endpoint({
      ...{ method: "get", path: "/members/:person", access: "members.read", tag, summary: "One member" },
      success: { status: 200, body: memberShape },
      etag: true,
      handle: ({ caller, params }) => withPostgres(() => findMember(db, caller.tenant, params.person)),
    }),
    endpoint({
      ...{ method: "patch", path: "/members/:person", access: "members.write", tag },
      summary: "Change a member's role or sources",
      stepUp: true,
      body: memberChanges,
      success: { status: 200, body: memberShape },
      etag: true,
      handle: ({ caller, params, body, unchanged, response }) =>
        withPostgres(() => changeMember(db, caller.tenant, params.person, body, caller, unchanged, audit.by(response))),
    }),
    endpoint({
      ...{ method: "delete", path: "/members/:person", access: "members.write", tag, summary: "Remove a member" },
      stepUp: true,
      success: { status: 204 },
      handle: ({ caller, params, response }) =>
        withPostgres(() => removeMember(db, caller.tenant, params.person, caller, audit.by(response))),
    }),
  ];
};

const ofInvitations = ({ db, audit, send }: MemberDeps): Endpoint[] => {
  const tag = "invitations";
  return [
    endpoint({
      ...{ method: "get", path: "/invitations", access: "members.read", tag, summary: "Invitations not yet taken" },
      query: pageQuery,
      success: { status: 200, body: invitationList },
      handle: ({ caller, query: { cursor, limit } }) =>
        withPostgres(async () => {
          const { page, next } = pageOf(await listInvitations(db, caller.tenant, { cursor, limit: limit + 1 }), limit);
          return { invitations: page, next };
        }),
    }),
    endpoint({
      ...{ method: "post", path: "/invitations", access: "members.write", tag, summary: "Invite somebody by mail" },
      body: newInvitation,
      success: { status: 201, body: invitationShape },
      handle: ({ caller, body, response }) =>
        withPostgres(() => {
          const { name: inviter } = caller.actor;
          const by = audit.by(response);
          return createInvitation(db, caller.tenant, body, { giver: caller, inviter, send, by });
        }),
    }),
    endpoint({
      ...{
        method: "delete",
        path: "/invitations/:id",
        access: "members.write",
        tag,
        summary: "Withdraw an invitation",
      },
      success: { status: 204 },
      handle: ({ caller, params, response }) =>
        withPostgres(() => revokeInvitation(db, caller.tenant, params.id, audit.by(response))),
    }),
    // The token is in the body: in an address it would be logged on its way.
    endpoint({
      ...{ method: "post", path: "/invitations/show", access: "signed-in", tag, summary: "What an invitation is for" },
      body: invitationToken,
      success: { status: 200, body: shownInvitation },
      handle: ({ caller, body }) => withPostgres(() => showInvitation(db, caller, body.token)),
    }),
    endpoint({
      ...{ method: "post", path: "/invitations/accept", access: "signed-in", tag, summary: "Take an invitation" },
      body: invitationToken,
      success: { status: 200, body: organizationShape },
      handle: ({ caller, body, response }) =>
        withPostgres(() => acceptInvitation(db, caller, body.token, audit.by(response))),
    }),
  ];
};
