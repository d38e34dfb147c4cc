/** What is said of a rule as a whole, and of none of its groups. */
import type { AlertTransition } from "@astralog/schemas";
import { incidentId, incidentLabels, type Rule, type RuleVersion, transitionId } from "@astralog/schemas/alerts/index";

const ofRule = (version: RuleVersion, rule: Rule, window: { from: number; to: number }, at: number) => ({
  ...{ tenant: version.tenant, rule: version.rule, rule_version: version.version, rule_name: rule.name },
  ...{ group: {}, labels: incidentLabels(rule, {}), severity: rule.severity, query: rule.when.query },
  ...{ window_from: BigInt(window.from), window_to: BigInt(window.to), judged_at: BigInt(at) },
  ...{ value: null, threshold: null, completeness: 1, events: [], lines: [] },
});

/** A window that is not complete when its grace is over. Nothing changes by that; people can see why nothing is said. */
export const markTransition = (
  version: RuleVersion,
  rule: Rule,
  dueAt: number,
  { at, completeness }: { at: number; completeness: number },
): AlertTransition => ({
  ...ofRule(version, rule, { from: dueAt, to: dueAt }, at),
  ...{ id: transitionId(version, [], dueAt, "mark"), kind: "mark", incident: "", sequence: 0 },
  ...{ from_state: "nodata", to_state: "nodata", completeness },
  reason: `incomplete ${Math.floor(completeness * 100)} %: not everything that was received has come through`,
});

/** Groups' ids are made of their values; this is none. */
const whole = ["", "errored"];

/** Those who run do not know this kind of rule: a newer api has let it through. */
export const unjudgedTransition = (
  version: RuleVersion,
  rule: Rule,
  since: number,
  problem: string,
): AlertTransition => ({
  ...ofRule(version, rule, { from: since, to: since }, Date.now()),
  ...{ id: transitionId(version, whole, since, "errored"), kind: "change" },
  ...{ incident: incidentId(version, whole, since), sequence: 0, from_state: "ok", to_state: "errored" },
  reason: `it cannot be judged: ${problem}`,
});

export const judgedAgainTransition = (version: RuleVersion, rule: Rule, since: number): AlertTransition => {
  const now = Date.now();
  return {
    ...ofRule(version, rule, { from: since, to: now }, now),
    ...{ id: transitionId(version, whole, since, "judged"), kind: "change" },
    ...{ incident: incidentId(version, whole, since), sequence: 1, from_state: "errored", to_state: "resolved" },
    reason: "the rule was changed or removed, or can be judged now",
  };
};
