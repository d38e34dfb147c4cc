/** Names that come out the same wherever and however often they are made. */
import { hash } from "node:crypto";
import { topics } from "../topics.ts";

export interface RuleVersion {
  readonly tenant: string;
  readonly rule: string;
  readonly version: number;
}

const digest = (...parts: readonly unknown[]): string => hash("sha256", JSON.stringify(parts), "hex").slice(0, 32);

/** Of a match it begins with its window, else with the window that made the group pending or firing. */
export const incidentId = ({ tenant, rule, version }: RuleVersion, group: readonly string[], beganAt: number): string =>
  digest("incident", tenant, rule, version, group, beganAt);

/** `at`: the end of the window that was judged; of an event of a match, its identity. */
export const transitionId = (
  { tenant, rule, version }: RuleVersion,
  group: readonly string[],
  at: number | string,
  change: string,
): string => digest("transition", tenant, rule, version, group, at, change);

/** As keys of control.alert-rules and in alerts.partials. */
export const ruleKey = ({ tenant, rule }: Pick<RuleVersion, "tenant" | "rule">): string => `${tenant}/${rule}`;

/** Which partition of alerts.partials, alerts.state and alerts.transitions a rule's records lie in. */
export const rulePartition = (key: string, total: number = topics.alertTransitions.partitions): number =>
  Number.parseInt(hash("sha256", key, "hex").slice(0, 8), 16) % total;
