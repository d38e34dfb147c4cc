/** What a transition makes of the incident it belongs to. Pure: the same transitions give the same incident, always. */
import type { AlertTransition } from "@astralog/schemas";
import type { IncidentState, News } from "@astralog/schemas/alerts/index";

/** Lines that a message may show. */
const mostLines = 3;
const longestLine = 300;
/** Of a match that is held back, the newest are enough to tell what happened; others are told before there are more. */
export const mostUntold = 100;
/** Of a match, whose events are the changes. */
const mostKnown = 200;

/** The evaluator's lines are JSON: time, level, service, message. */
const lineOf = (json: string): string => {
  try {
    const { at = "", level = "", service = "", message = "" } = JSON.parse(json) as Record<string, unknown>;
    const text = [at, level, service, message].filter((part) => part !== "").join(" ");
    return text
      .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ")
      .slice(0, longestLine)
      .toWellFormed();
  } catch {
    return "";
  }
};

const newsOf = (transition: AlertTransition): News => ({
  transition: transition.id,
  state: transition.to_state,
  at: Number(transition.judged_at),
  from: Number(transition.window_from),
  to: Number(transition.window_to),
  found: transition.reason,
  value: transition.value,
  threshold: transition.threshold,
  complete: transition.completeness,
  lines: transition.lines
    .slice(0, mostLines)
    .map(lineOf)
    .filter((line) => line !== ""),
});

export const isOver = ({ state }: Pick<IncidentState, "state">): boolean => state === "resolved" || state === "ok";

const isTold = ({ state }: News): boolean => state === "firing" || state === "nodata" || state === "errored";

/** Undefined when it changes nothing that anybody is told of: a mark, or what is known already. */
export const applyTransition = (
  before: IncidentState | undefined,
  transition: AlertTransition,
  offset: number,
): IncidentState | undefined => {
  if (transition.kind === "mark" || (before !== undefined && offset <= before.through)) return undefined;
  if (before?.known.includes(transition.id)) return { ...before, through: offset };
  // Its end was told by hand or with its rule.
  if (before?.final === true || (before?.closed === true && isOver({ state: transition.to_state })))
    return { ...before, through: offset };
  const latest = newsOf(transition);
  const begun: IncidentState = before ?? {
    ...{ id: transition.incident, tenant: transition.tenant, rule: transition.rule, version: transition.rule_version },
    ...{ ruleName: transition.rule_name, severity: transition.severity, group: transition.group },
    ...{ labels: transition.labels, query: transition.query, state: latest.state, since: latest.to, until: 0 },
    ...{
      latest,
      through: offset,
      known: [],
      untold: [],
      firstToldAt: 0,
      lastToldAt: 0,
      told: [],
      steps: 0,
      reminders: 0,
    },
    ...{ hold: "", closed: false, final: false },
  };
  const over = isOver(latest);
  // It is as old as its first bad window, also when it was pending first.
  const since = before === undefined || before.state === "pending" ? latest.to : begun.since;
  const untold = isTold(latest) ? [...begun.untold, latest].slice(-mostUntold) : begun.untold;
  return {
    ...begun,
    state: latest.state,
    since,
    until: over ? latest.to : 0,
    latest,
    through: offset,
    known: [...begun.known, transition.id].slice(-mostKnown),
    untold,
    closed: false,
  };
};
