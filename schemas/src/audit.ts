/**
 * The audit trail: what one event is, how events are chained, and how a chain is checked. The api writes with this code
 * and `astralog audit verify` reads with it, offline.
 *
 * hash = SHA-256, in lower-case hex, of the UTF-8 of the event's JSON without its member `hash`, in the canonical form of
 * RFC 8785 (members sorted, no spaces). `prev` is the hash of the event before, 64 zeros in the first. So an event is
 * bound to its tenant, its place and everything before it; docs/audit.md tells others how to check it without this code.
 */
import { hash as digest } from "node:crypto";

export const auditActions = [
  "tenant.created",
  "source.created",
  "source.changed",
  "key.created",
  "key.rotated",
  "key.revoked",
  "producer.created",
  "producer.rotated",
  "producer.revoked",
  "dead_letter.listed",
  "dead_letter.shown",
  "dead_letter.replayed",
  "verify.run",
  "audit.listed",
  "audit.exported",
  "events.exported",
  "view.created",
  "view.changed",
  "view.deleted",
  "dashboard.created",
  "dashboard.changed",
  "dashboard.deleted",
  "annotation.created",
  "annotation.deleted",
  "organization.renamed",
  "member.joined",
  "member.changed",
  "member.removed",
  "member.left",
  "invitation.created",
  "invitation.revoked",
  "team.created",
  "team.changed",
  "team.deleted",
  "team.member_added",
  "team.member_removed",
  "role.created",
  "role.changed",
  "role.deleted",
  "auth.failed",
  "sign_in.link_asked",
  "sign_in.ok",
  "sign_in.failed",
  "sign_in.second_factor",
  "session.signed_out",
  "session.ended",
  "person.created",
  "person.changed",
  "person.email_changed",
  "person.disabled",
  "person.enabled",
  "factor.added",
  "factor.removed",
  "recovery_codes.made",
  "recovery_codes.used",
  "organization.mfa_required",
  "identity.linked",
  "identity.unlinked",
  "identity.confirmation_asked",
  "sso.connection_created",
  "sso.connection_changed",
  "sso.connection_deleted",
  "sso.connection_tested",
  "sso.domain_claimed",
  "sso.domain_verified",
  "sso.domain_removed",
  "sso.only_changed",
  "sso.bypassed",
  "sso.member_admitted",
  "scim.token_created",
  "scim.token_rotated",
  "scim.token_revoked",
  "scim.user_created",
  "scim.user_changed",
  "scim.user_deactivated",
  "scim.user_deleted",
  "scim.group_created",
  "scim.group_changed",
  "scim.group_deleted",
  "access.denied",
  "plan.changed",
  "audit.stream_created",
  "audit.stream_changed",
  "audit.stream_secret_rotated",
  "audit.stream_removed",
  "audit.stream_disabled",
  "staff.changed",
  "staff_access.requested",
  "staff_access.approved",
  "staff_access.denied",
  "staff_access.used",
  "staff_access.ended",
  "staff_access.policy_changed",
  "access.reviewed",
] as const;
export type AuditAction = (typeof auditActions)[number];

/** `anonymous` has shown no key that is known. */
export const actorKinds = ["key", "operator", "system", "user", "anonymous"] as const;
export type ActorKind = (typeof actorKinds)[number];
export const auditResults = ["ok", "denied", "failed"] as const;
export type AuditResult = (typeof auditResults)[number];

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Members as exported; none is ever absent, what is unknown is "". */
export interface AuditEvent {
  /** Of this form. */
  readonly v: 1;
  readonly tenant: string;
  /** 1, 2, 3 … in each tenant. */
  readonly seq: number;
  /** RFC 3339 in UTC with milliseconds; never before the event before. */
  readonly at: string;
  readonly actor: { readonly kind: ActorKind; readonly id: string; readonly name: string };
  readonly action: AuditAction;
  readonly target: { readonly kind: string; readonly id: string };
  readonly where: { readonly ip: string; readonly user_agent: string; readonly request_id: string };
  readonly result: AuditResult;
  readonly details: { readonly [name: string]: Json };
  readonly prev: string;
  readonly hash: string;
}

/** `prev` of the first event. */
export const chainStart = "0".repeat(64);

/** The chain of what belongs to no tenant, such as keys that nobody has. */
export const systemChain = "system";

/** RFC 8785. Throws on a number that JSON has not; text must be well-formed. */
export const canonicalJson = (value: Json): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = value as { readonly [name: string]: Json };
    const names = Object.keys(members).sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${canonicalJson(members[name] ?? null)}`).join(",")}}`;
  }
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError(`${value} is no JSON number`);
  return JSON.stringify(value);
};

/** The hash an event must have; its own is not looked at. */
export const auditHash = (event: Omit<AuditEvent, "hash">): string => {
  const { hash: _, ...rest } = event as AuditEvent;
  return digest("sha256", canonicalJson(rest as unknown as Json), "hex");
};

/** The first place where a chain is not what was written, and what is wrong there. */
export interface ChainBreak {
  readonly seq: number;
  readonly problem: string;
}

/** What a chain must reach: a head that was kept elsewhere. */
export interface ChainPoint {
  readonly tenant: string;
  readonly seq: number;
  readonly hash: string;
}

export interface ChainCheck {
  /** Takes the next event; the first break ends the check. */
  take(event: AuditEvent): ChainBreak | undefined;
  /** Says whether what came reaches every point, and whether it ends exactly in `end`. */
  finish(end?: ChainPoint): ChainBreak | undefined;
  readonly count: number;
  readonly first: AuditEvent | undefined;
  readonly last: AuditEvent | undefined;
}

const missing = (from: number, to: number): string =>
  from === to ? `seq ${from} is missing` : `seq ${from} to ${to} are missing`;

/** Checks a chain in one pass, from its first event on. `points` and `hashes` must all lie in it. */
export const createChainCheck = (
  tenant: string,
  points: readonly ChainPoint[] = [],
  hashes: readonly string[] = [],
): ChainCheck => {
  let count = 0;
  let first: AuditEvent | undefined;
  let last: AuditEvent | undefined;
  const wanted = new Set(hashes);

  const problemOf = (event: AuditEvent): string | undefined => {
    const due = count + 1;
    if (event.tenant !== tenant) return `it belongs to the chain of ${JSON.stringify(event.tenant)}, not to this one`;
    if (event.seq > due) return `${missing(due, event.seq - 1)}; seq ${event.seq} stands there (deleted or moved)`;
    if (event.seq < due) return `seq ${event.seq} stands there once more (inserted or moved)`;
    if (event.hash !== auditHash(event)) return "its contents are not what its hash was made of (changed)";
    if (event.prev !== (last?.hash ?? chainStart)) return "it does not follow from the event before it (spliced)";
    const point = points.find(({ seq }) => seq === event.seq);
    if (point !== undefined && point.hash !== event.hash)
      return "it is not the event that the signed head names (rewritten)";
    return undefined;
  };

  const finish = (end?: ChainPoint): ChainBreak | undefined => {
    const all = end === undefined ? points : [...points, end];
    const stranger = all.find((point) => point.tenant !== tenant);
    if (stranger !== undefined)
      return { seq: stranger.seq, problem: `the head is of ${JSON.stringify(stranger.tenant)}` };
    const farthest = all.reduce((most, { seq }) => Math.max(most, seq), 0);
    if (farthest > count) return { seq: count + 1, problem: `${missing(count + 1, farthest)} at the end (truncated)` };
    if (end !== undefined && end.seq < count)
      return { seq: end.seq + 1, problem: "it stands behind the signed head (inserted)" };
    if (end !== undefined && end.hash !== (last?.hash ?? chainStart))
      return { seq: end.seq, problem: "it is not the event that the signed head names (rewritten)" };
    const [absent] = wanted;
    if (absent !== undefined)
      return { seq: count + 1, problem: `no event has the hash ${absent} (truncated or rewritten)` };
    return undefined;
  };

  return {
    take: (event) => {
      const problem = problemOf(event);
      if (problem !== undefined) return { seq: count + 1, problem };
      count++;
      first ??= event;
      last = event;
      wanted.delete(event.hash);
      return undefined;
    },
    finish,
    get count() {
      return count;
    },
    get first() {
      return first;
    },
    get last() {
      return last;
    },
  };
};
