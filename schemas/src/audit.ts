/**
 * The audit trail: what one event is. How events are chained stands in audit-chain.ts; this much a browser knows, too.
 */
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
  "alert.rule_created",
  "alert.rule_changed",
  "alert.rule_deleted",
  "alert.destination_created",
  "alert.destination_changed",
  "alert.destination_secret_rotated",
  "alert.destination_tested",
  "alert.destination_removed",
  "alert.destination_disabled",
  "alert.silenced",
  "alert.silence_ended",
  "alert.acknowledged",
  "alert.snoozed",
  "alert.resolved",
  "alert.notice_repeated",
  "storage.connection_created",
  "storage.connection_changed",
  "storage.connection_client_key_renewed",
  "storage.connection_probed",
  "storage.connection_removed",
  "retention.rule_created",
  "retention.rule_changed",
  "retention.rule_deleted",
  "deletion.requested",
  "deletion.certified",
  "rehydration.requested",
  "rehydration.ended",
  "takeout.requested",
  "takeout.cancelled",
  "takeout.finished",
  "takeout.failed",
  "takeout.downloaded",
  "takeout.import_begun",
  "takeout.import_finished",
  "takeout.audit_imported",
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
