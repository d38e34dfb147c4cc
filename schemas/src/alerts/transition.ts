/** A change as the record that tells of it. */
import type { AlertTransition } from "../records.ts";
import { paneOf } from "./event-time.ts";
import { incidentId, type RuleVersion, transitionId } from "./identity.ts";
import { incidentLabels } from "./labels.ts";
import type { Change } from "./machine.ts";
import type { Rule } from "./rule.ts";
import { spanMs } from "./span.ts";

export interface Judged {
  /** By the clock; no part of what must be the same. */
  readonly at: number;
  readonly completeness: number;
}

const groupLabels = ({ when }: Rule, values: readonly string[]): Record<string, string> => {
  const names = when.type === "new_pattern" ? ["pattern"] : when.by;
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? ""]));
};

const ofRule = (version: RuleVersion, rule: Rule, values: readonly string[], judged: Judged) => {
  const group = groupLabels(rule, values);
  return {
    kind: "change" as const,
    tenant: version.tenant,
    rule: version.rule,
    rule_version: version.version,
    rule_name: rule.name,
    group,
    labels: incidentLabels(rule, group),
    severity: rule.severity,
    judged_at: BigInt(judged.at),
    completeness: judged.completeness,
    query: rule.when.query,
  };
};

export const changeTransition = (
  version: RuleVersion,
  rule: Rule,
  change: Change,
  judged: Judged,
): AlertTransition => ({
  ...ofRule(version, rule, change.group, judged),
  id: transitionId(version, change.group, change.windowTo, change.to),
  incident: incidentId(version, change.group, change.beganAt),
  sequence: change.sequence,
  from_state: change.from,
  to_state: change.to,
  window_from: BigInt(change.windowFrom),
  window_to: BigInt(change.windowTo),
  value: change.value,
  threshold: change.threshold,
  reason: change.reason,
  events: change.events,
  lines: change.lines,
});

export interface MatchedEvent {
  readonly group: readonly string[];
  /** Event time. */
  readonly at: number;
  /** Its coordinates as text, and its text. */
  readonly event: string;
  readonly line: string;
}

/** Of an event that a match rule tells of. */
export const matchTransition = (
  version: RuleVersion,
  rule: Rule,
  { group, at, event, line }: MatchedEvent,
  judged: Judged,
): AlertTransition => ({
  ...ofRule(version, rule, group, judged),
  id: transitionId(version, group, event, "firing"),
  incident: incidentId(version, group, rule.when.type === "match" ? paneOf(at, spanMs(rule.when.window)) : at),
  sequence: 0,
  from_state: "ok",
  to_state: "firing",
  window_from: BigInt(at),
  window_to: BigInt(at),
  value: 1,
  threshold: null,
  reason: "the event matches",
  events: [event],
  lines: [line],
});

/** The rule changed or went while a group was not well: its incident ends with the version that it belongs to. */
export const endedTransition = (
  version: RuleVersion,
  rule: Rule,
  group: {
    readonly values: readonly string[];
    readonly status: "pending" | "firing";
    readonly beganAt: number;
    readonly sequence: number;
  },
  at: number,
): AlertTransition => ({
  ...ofRule(version, rule, group.values, { at, completeness: 1 }),
  id: transitionId(version, group.values, group.beganAt, "ended"),
  incident: incidentId(version, group.values, group.beganAt),
  sequence: group.sequence + 1,
  from_state: group.status,
  to_state: group.status === "pending" ? "ok" : "resolved",
  window_from: BigInt(at),
  window_to: BigInt(at),
  value: null,
  threshold: null,
  reason: "the rule was changed or removed",
  events: [],
  lines: [],
});
