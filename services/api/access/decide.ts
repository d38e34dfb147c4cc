/**
 * Who of the platform's staff may do what in an organization, and who says so. Pure. By themselves the staff may do
 * nothing there: a grant gives it, for a while, once somebody else has agreed to it.
 */
import type { TenantPermission } from "@astralog/schemas";
import { roles } from "@astralog/schemas";

/** What is asked for when nothing else is: to look. */
export const defaultPermissions: readonly TenantPermission[] = roles["read-only"].may;

/** What may be asked for at all. Nothing that gives rights to anybody, or that would hide what was done. */
export const grantablePermissions = [
  ...defaultPermissions,
  ...([
    "sources.write",
    "dead.replay",
    "producers.write",
    "keys.read",
    "sso.read",
    "audit.read",
    "access.read",
  ] as const),
] as const satisfies readonly TenantPermission[];

export const shortestSeconds = 60;
export const longestSeconds = 8 * 3_600;
const hour = 3_600_000;
/** A request that nobody answers ends by itself. */
export const requestMs = 24 * hour;
/** How long a proven second factor is good for within a grant. */
export const proofMs = hour;

export interface Grant {
  readonly person: string;
  readonly permissions: readonly string[];
  readonly seconds: number;
  readonly requested_at: Date;
  readonly approved: boolean | null;
  readonly expires_at: Date | null;
  readonly ended_at: Date | null;
}

export type GrantState = "requested" | "lapsed" | "denied" | "active" | "expired" | "ended";

export const stateOf = (grant: Grant, now: number): GrantState => {
  if (grant.approved === false) return "denied";
  if (grant.ended_at !== null) return grant.approved === null ? "lapsed" : "ended";
  if (grant.approved === null) return now < grant.requested_at.getTime() + requestMs ? "requested" : "lapsed";
  return now < (grant.expires_at?.getTime() ?? 0) ? "active" : "expired";
};

/** A member who holds access.approve, or another one of the staff. */
export interface Decider {
  readonly person: string;
  readonly as: "member" | "staff";
}

/** Why this one may not decide, or undefined when he may. */
export const whyNotDecide = (
  grant: Grant,
  decider: Decider,
  staffMayApprove: boolean,
  now: number,
): string | undefined => {
  if (decider.person === grant.person) return "Nobody decides on his own request.";
  if (decider.as === "staff" && !staffMayApprove) return "The organization keeps this decision to its own members.";
  const state = stateOf(grant, now);
  return state === "requested" ? undefined : `There is nothing to decide: the request is ${state}.`;
};

/** When an access that is approved now ends. */
export const endOf = ({ seconds }: Pick<Grant, "seconds">, now: number): Date =>
  new Date(now + Math.min(seconds, longestSeconds) * 1_000);

/** Who asks in an organization that he does not belong to. */
export interface Asker {
  readonly person: string;
  readonly staff: boolean;
  readonly mfaAt: Date | null;
}

/** `unproven`: there is access, but the second factor must be shown again first. */
export type Access = ReadonlySet<TenantPermission> | "none" | "unproven";

export const accessOf = (grant: Grant | undefined, asker: Asker, now: number): Access => {
  if (grant === undefined || !asker.staff || grant.person !== asker.person) return "none";
  if (stateOf(grant, now) !== "active") return "none";
  if (asker.mfaAt === null || now - asker.mfaAt.getTime() > proofMs) return "unproven";
  return new Set(grantablePermissions.filter((one) => grant.permissions.includes(one)));
};
