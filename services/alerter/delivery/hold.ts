/** Whether people may be told of an incident now, by what they and the rule have said. */
import type { AlertActionRecord } from "@astralog/schemas";
import {
  type Hold,
  type IncidentState,
  isWithin,
  type Matcher,
  matches,
  type Rule,
  type Schedule,
} from "@astralog/schemas/alerts/index";

export interface Said {
  /** Of the incident's tenant. */
  readonly actions: readonly AlertActionRecord[];
  /** Undefined when it was deleted or turned off. */
  readonly rule: Rule | undefined;
  /** The groups that fire of another rule of the tenant. */
  firing(rule: string): readonly IncidentState["group"][];
}

const isOn = ({ starts_at, ends_at, schedule }: AlertActionRecord, at: number): boolean =>
  at >= Number(starts_at) &&
  (ends_at === 0n || at < Number(ends_at)) &&
  (schedule === "" || isWithin(JSON.parse(schedule) as Schedule, at));

const covers = (action: AlertActionRecord, incident: IncidentState): boolean =>
  matches(JSON.parse(action.matchers) as Matcher[], incident.labels);

/** Two groups are about the same when no field that both have says otherwise. */
const isAbout = (group: IncidentState["group"], other: IncidentState["group"]): boolean =>
  Object.entries(group).every(([name, value]) => !Object.hasOwn(other, name) || other[name] === value);

export const holdOf = (incident: IncidentState, { actions, rule, firing }: Said, at: number): Hold => {
  const on = actions.filter((action) => isOn(action, at));
  if (on.some((one) => one.kind === "maintenance" && covers(one, incident))) return "maintenance";
  if (on.some((one) => one.kind === "silence" && covers(one, incident))) return "silence";
  if (on.some((one) => one.kind === "snooze" && one.incident === incident.id)) return "snooze";
  for (const other of rule?.depends_on ?? [])
    if (firing(other).some((group) => isAbout(incident.group, group))) return "dependency";
  if (rule?.schedule !== undefined && !isWithin(rule.schedule, at)) return "schedule";
  return "";
};

/** Somebody has said that it is over; what is found later is new. */
export const isResolved = (incident: IncidentState, { actions }: Pick<Said, "actions">): boolean =>
  actions.some(
    (one) => one.kind === "resolution" && one.incident === incident.id && Number(one.starts_at) >= incident.latest.at,
  );

export const isAcknowledged = (incident: IncidentState, { actions }: Pick<Said, "actions">, at: number): boolean =>
  actions.some((one) => one.kind === "acknowledgement" && one.incident === incident.id && isOn(one, at));
