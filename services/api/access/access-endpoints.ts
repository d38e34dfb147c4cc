/** Production access over HTTP: what the platform's staff ask for, and what an organization decides on. */
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import { staffActor } from "../http/authenticate.ts";
import type { Caller } from "../http/caller.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { lineOf } from "../http/text.ts";
import { withPostgres } from "../postgres.ts";
import { defaultPermissions, grantablePermissions, longestSeconds, shortestSeconds, stateOf } from "./decide.ts";
import {
  decideAccess,
  endAccess,
  type GrantRow,
  type GrantView,
  grantsForStaff,
  grantsOf,
  readAccessPolicy,
  requestAccess,
  setAccessPolicy,
} from "./grants.ts";
import { heldKinds } from "./review.ts";
import { applyReview, type ReviewDeps, runReview } from "./review-run.ts";

export interface AccessDeps extends ReviewDeps {
  readonly audit: Audit;
}

const date = z.iso.datetime();
const grantShape = z.object({
  id: z.string(),
  organization: z.string(),
  person: z.string(),
  state: z.enum(["requested", "lapsed", "denied", "active", "expired", "ended"]),
  reason: z.string(),
  permissions: z.array(z.string()),
  seconds: z.int(),
  requested_at: date,
  decided_at: date.nullable(),
  decided_by: z.string().nullable(),
  expires_at: date.nullable(),
  ended_at: date.nullable(),
  used_at: date.nullable(),
});
const grantList = z.object({
  grants: z.array(grantShape.extend({ email: z.string(), organization_name: z.string() })),
});
const policyShape = z.strictObject({
  staff_may_approve: z.boolean().describe("Whether another one of the platform's staff may approve in your place."),
});

const viewOf = ({ tenant, approved: _, ...grant }: GrantRow) => ({
  ...grant,
  organization: tenant,
  state: stateOf({ ...grant, approved: _ }, Date.now()),
});
const listView = ({ organization, ...grant }: GrantView) => ({ ...viewOf(grant), organization_name: organization });

const wanted = z.strictObject({
  organization: z.string().regex(/^tn_\w{1,64}$/, "is the id of an organization, tn_…"),
  reason: lineOf(10, 500, "say in 10 characters at least why; the customer reads it"),
  seconds: z.int().min(shortestSeconds).max(longestSeconds),
  permissions: z
    .array(z.enum(grantablePermissions))
    .min(1)
    .default([...defaultPermissions]),
});
const decision = z.strictObject({ approve: z.boolean() });

/** Only people hold what leads here. */
const personOf = ({ session, actor }: Caller): string => session?.person ?? actor.id;

export const createAccessEndpoints = (deps: AccessDeps): Endpoint[] => [
  ...forStaff(deps),
  ...forMembers(deps),
  ...forReview(deps),
];

const forStaff = ({ db, audit }: AccessDeps): Endpoint[] => {
  const tag = "platform";
  const access = "access.request";
  const path = "/platform/access";
  const by = ({ caller, response }: { caller: Caller; response: Parameters<Audit["by"]>[0] }) =>
    audit.by(response, staffActor({ actor: { ...caller.actor, kind: "user" } }));
  return [
    endpoint({
      ...{ method: "get", path, access, tag, summary: "Your requests for access, and those you may decide on" },
      success: { status: 200, body: grantList },
      handle: ({ caller }) =>
        withPostgres(async () => ({ grants: (await grantsForStaff(db, personOf(caller))).map(listView) })),
    }),
    endpoint({
      ...{ method: "post", path, access, tag, summary: "Ask an organization for access, with a reason, for a while" },
      stepUp: true,
      body: wanted,
      success: { status: 201, body: grantShape },
      handle: (input) =>
        withPostgres(async () => viewOf(await requestAccess(db, personOf(input.caller), input.body, by(input)))),
    }),
    endpoint({
      ...{ method: "post", path: "/platform/access/:id/decision", access, tag },
      summary: "Decide on a colleague's request, where the organization lets you",
      stepUp: true,
      body: decision,
      success: { status: 200, body: grantShape },
      handle: (input) =>
        withPostgres(async () => {
          const { params, caller, body } = input;
          const decider = { person: personOf(caller), as: "staff" } as const;
          return viewOf(await decideAccess(db, { id: params.id }, decider, body.approve, by(input)));
        }),
    }),
    endpoint({
      ...{ method: "post", path: "/platform/access/:id/end", access, tag, summary: "Give access back" },
      success: { status: 200, body: grantShape },
      handle: (input) =>
        withPostgres(async () =>
          viewOf(await endAccess(db, input.params.id, { person: personOf(input.caller) }, by(input))),
        ),
    }),
  ];
};

const forMembers = ({ db, audit }: AccessDeps): Endpoint[] => {
  const tag = "access";
  return [
    endpoint({
      ...{ method: "get", path: "/access/grants", access: "access.read", tag },
      summary: "When the platform's staff asked for access, and what came of it",
      success: { status: 200, body: grantList },
      handle: ({ caller }) => withPostgres(async () => ({ grants: (await grantsOf(db, caller.tenant)).map(listView) })),
    }),
    endpoint({
      ...{ method: "post", path: "/access/grants/:id/decision", access: "access.approve", tag },
      summary: "Approve or deny a request for access",
      stepUp: true,
      body: decision,
      success: { status: 200, body: grantShape },
      handle: ({ caller, params, body, response }) =>
        withPostgres(async () => {
          const decider = { person: personOf(caller), as: "member" } as const;
          const grant = { id: params.id, tenant: caller.tenant };
          return viewOf(await decideAccess(db, grant, decider, body.approve, audit.by(response)));
        }),
    }),
    endpoint({
      // No second factor: what is wrong must stop now.
      ...{
        method: "post",
        path: "/access/grants/:id/end",
        access: "access.approve",
        tag,
        summary: "End access at once",
      },
      success: { status: 200, body: grantShape },
      handle: ({ caller, params, response }) =>
        withPostgres(async () => viewOf(await endAccess(db, params.id, { tenant: caller.tenant }, audit.by(response)))),
    }),
    endpoint({
      ...{ method: "get", path: "/access/policy", access: "access.read", tag, summary: "Who may approve access" },
      success: { status: 200, body: policyShape },
      handle: ({ caller }) => withPostgres(() => readAccessPolicy(db, caller.tenant)),
    }),
    endpoint({
      ...{ method: "put", path: "/access/policy", access: "access.approve", tag, summary: "Choose who may approve" },
      stepUp: true,
      body: policyShape,
      success: { status: 200, body: policyShape },
      handle: ({ caller, body, response }) =>
        withPostgres(() => setAccessPolicy(db, caller.tenant, body, audit.by(response))),
    }),
  ];
};

const days = z.coerce.number().int().min(1).max(3650).default(90);
const heldShape = z.object({
  kind: z.enum(heldKinds),
  id: z.string(),
  name: z.string(),
  what: z.string().describe("A role, a kind of key, or a state."),
  created_at: date,
  used_at: date.nullable(),
  idle_days: z.int(),
  unused: z.boolean(),
  kept: z.string().describe("Why a review does not end it; empty when it does."),
});
const ref = z.object({ kind: z.enum(heldKinds), id: z.string() });

const forReview = ({ audit, ...deps }: AccessDeps): Endpoint[] => {
  const tag = "access";
  const path = "/access/review";
  return [
    endpoint({
      ...{ method: "get", path, access: "access.read", tag, summary: "Who holds what, and when it was last used" },
      query: z.strictObject({ unused_days: days.describe("Days without use that make something unused.") }),
      success: { status: 200, body: z.object({ unused_days: z.int(), held: z.array(heldShape) }) },
      handle: ({ caller, query: { unused_days } }) =>
        withPostgres(async () => ({ unused_days, held: await runReview(deps, caller.tenant, unused_days) })),
    }),
    endpoint({
      ...{ method: "post", path, access: "access.approve", tag, summary: "End what is unused" },
      stepUp: true,
      body: z.strictObject({ unused_days: days }),
      success: { status: 200, body: z.object({ ended: z.array(ref), left: z.array(ref.extend({ why: z.string() })) }) },
      handle: ({ caller, body, response }) =>
        withPostgres(() => applyReview(deps, caller.tenant, body.unused_days, caller, audit.by(response))),
    }),
  ];
};
