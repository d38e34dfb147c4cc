/**
 * Who is to be told what of an incident now. Pure: from what the incident is, what people have said and the time, to a
 * message for each target and the incident as it is once these are written down.
 */
import { type Happening, type IncidentState, type News, type Step, spanMs } from "@astralog/schemas/alerts/index";
import { isOver } from "./apply.ts";
import { holdOf, isAcknowledged, isResolved, type Said } from "./hold.ts";

export interface Circumstances extends Said {
  readonly now: number;
  /** Whether the rule is still judged in the version that the incident is of. */
  readonly judged: boolean;
  /** Who is told and when: those that the rule names, or the organization's standard ones. */
  readonly steps: readonly Step[];
  /** The target that a step leads to now; undefined when there is none. */
  targetOf(to: string): string | undefined;
}

/** For one target. */
export interface Message {
  readonly target: string;
  readonly happening: Happening;
  /** Of a reminder: the latest. */
  readonly news: News;
  /** What tells a reminder from others of the incident; empty for a change, which is told once. */
  readonly again: string;
}

export interface Decision {
  readonly incident: IncidentState;
  readonly messages: readonly Message[];
  /** When to look again, if nothing happens before. */
  readonly wakeAt: number;
}

/** A hold has many ways to end; this often it is looked at. */
const lookAgainMs = 5_000;
const never = Number.POSITIVE_INFINITY;

const unique = <T>(values: readonly (T | undefined)[]): T[] => [
  ...new Set(values.filter((value) => value !== undefined)),
];

/** The incident once those were told. */
const afterTelling = (incident: IncidentState, messages: readonly Message[], now: number): IncidentState =>
  messages.length === 0
    ? incident
    : {
        ...incident,
        firstToldAt: incident.firstToldAt || now,
        lastToldAt: now,
        told: unique([...incident.told, ...messages.map(({ target }) => target)]),
      };

/** The changes nobody was told of go to those of the first step, and to those who know of the incident already. */
const begin = (incident: IncidentState, { steps, targetOf, now }: Circumstances): Decision => {
  if (incident.untold.length === 0) return { incident, messages: [], wakeAt: never };
  const first = steps.filter(({ afterMs }) => afterMs === 0);
  const targets = unique([...first.map(({ to }) => targetOf(to)), ...incident.told]);
  const messages = incident.untold.flatMap((news) =>
    targets.map((target): Message => ({ target, happening: "began", news, again: "" })),
  );
  const told = afterTelling({ ...incident, untold: [] }, messages, now);
  // Where nobody is to be told at once, later steps count from here all the same.
  const firstToldAt = told.firstToldAt || now;
  return { incident: { ...told, firstToldAt, steps: Math.max(told.steps, first.length) }, messages, wakeAt: never };
};

const close = ({ incident, messages }: Decision, now: number): Decision => {
  const last = incident.told.map(
    (target): Message => ({ target, happening: "ended", news: incident.latest, again: "" }),
  );
  return {
    incident: { ...afterTelling(incident, last, now), untold: [], hold: "", closed: true },
    messages: [...messages, ...last],
    wakeAt: never,
  };
};

/** An end that no evaluation has said. */
const endOf = (incident: IncidentState, found: string, now: number, final: boolean): IncidentState => {
  const { latest } = incident;
  const transition = `${latest.transition}.ended`;
  return {
    ...{ ...incident, state: "resolved", until: now, final },
    latest: { ...latest, transition, state: "resolved", at: now, to: now, found, lines: [] },
  };
};

const escalate = (incident: IncidentState, { steps, targetOf, now }: Circumstances): Decision => {
  const due = steps.slice(incident.steps).filter(({ afterMs }) => incident.firstToldAt + afterMs <= now);
  const messages = due.flatMap(({ to }, i): Message[] => {
    const target = targetOf(to);
    const again = `step ${incident.steps + i}`;
    return target === undefined ? [] : [{ target, happening: "lasts", news: incident.latest, again }];
  });
  const taken = incident.steps + due.length;
  const next = steps[taken];
  return {
    incident: { ...afterTelling(incident, messages, now), steps: taken },
    messages,
    wakeAt: next === undefined ? never : incident.firstToldAt + next.afterMs,
  };
};

/** `snoozed`: the time that somebody asked for is over, and it still lasts. */
const remind = (incident: IncidentState, { rule, now }: Circumstances, snoozed: boolean): Decision => {
  if (incident.lastToldAt === 0) return { incident, messages: [], wakeAt: never };
  const everyMs = rule?.renotify === undefined ? never : spanMs(rule.renotify);
  const due = snoozed ? now : incident.lastToldAt + everyMs;
  if (due > now) return { incident, messages: [], wakeAt: due };
  const reminders = incident.reminders + 1;
  const messages = incident.told.map(
    (target): Message => ({ target, happening: "lasts", news: incident.latest, again: `reminder ${reminders}` }),
  );
  return { incident: { ...afterTelling(incident, messages, now), reminders }, messages, wakeAt: now + everyMs };
};

export const decide = (incident: IncidentState, around: Circumstances): Decision => {
  const { now } = around;
  if (incident.closed) return { incident, messages: [], wakeAt: never };
  const hold = holdOf(incident, around, now);
  // What a hold kept back until the end is not told any more; who knows of the beginning is told of the end always.
  if (isOver(incident))
    return close(hold === "" ? begin(incident, around) : { incident, messages: [], wakeAt: never }, now);
  const by = isResolved(incident, around)
    ? "Somebody resolved it by hand."
    : around.judged
      ? ""
      : "The rule was changed or turned off.";
  if (by !== "") return close({ incident: endOf(incident, by, now, !around.judged), messages: [], wakeAt: never }, now);
  if (incident.state === "pending") return { incident, messages: [], wakeAt: never };
  if (hold !== "") return { incident: { ...incident, hold }, messages: [], wakeAt: now + lookAgainMs };
  const begun = begin({ ...incident, hold }, around);
  if (isAcknowledged(incident, around, now)) return begun;
  const escalated = escalate(begun.incident, around);
  const snoozed = incident.hold === "snooze" && begun.messages.length === 0;
  const reminded = remind(escalated.incident, around, snoozed);
  return {
    incident: reminded.incident,
    messages: [...begun.messages, ...escalated.messages, ...reminded.messages],
    wakeAt: Math.min(escalated.wakeAt, reminded.wakeAt),
  };
};
