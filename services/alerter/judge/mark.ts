/** A window that is not complete when its grace is over. Nothing changes by that; people can see why nothing is said. */
import type { AlertTransition } from "@astralog/schemas";
import { incidentLabels, type Rule, type RuleVersion, transitionId } from "@astralog/schemas/alerts/index";

export const markTransition = (
  version: RuleVersion,
  rule: Rule,
  dueAt: number,
  { at, completeness }: { at: number; completeness: number },
): AlertTransition => ({
  id: transitionId(version, [], dueAt, "mark"),
  kind: "mark",
  tenant: version.tenant,
  rule: version.rule,
  rule_version: version.version,
  rule_name: rule.name,
  group: {},
  labels: incidentLabels(rule, {}),
  severity: rule.severity,
  incident: "",
  sequence: 0,
  from_state: "nodata",
  to_state: "nodata",
  window_from: BigInt(dueAt),
  window_to: BigInt(dueAt),
  judged_at: BigInt(at),
  value: null,
  threshold: null,
  completeness,
  reason: `incomplete ${Math.floor(completeness * 100)} %: not everything that was received has come through`,
  query: rule.when.query,
  events: [],
  lines: [],
});
