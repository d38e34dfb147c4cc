/** Looks at the incidents of one partition that are due, and writes down in one go what they are now and whom they tell. */
import { type Destination, type IncidentState, rulePartition, stepsOf, targetAt } from "@astralog/schemas/alerts/index";
import { compose, type Draft, type Pages } from "./compose.ts";
import type { Control } from "./control.ts";
import { type Decision, decide } from "./decide.ts";
import type { Entry, Journal } from "./journal.ts";

export interface TellDeps {
  readonly control: Control;
  readonly journal: Pick<Journal, "of">;
  readonly pages: Pages;
}

/** A rule that was changed is judged by its new version from then on; the last words of the old one may come so late. */
const lastWordsMs = 60_000;

export interface Told {
  readonly entries: readonly Entry[];
  /** Incident to when to look again. */
  readonly wakeAt: ReadonlyMap<string, number>;
}

export const createTell = ({ control, journal, pages }: TellDeps) => {
  const isJudged = ({ tenant, rule, version }: IncidentState, now: number): boolean => {
    const known = control.rule(tenant, rule);
    if (known === undefined) return false;
    return known.version === version || now < known.effectiveFrom + lastWordsMs;
  };

  /** Groups of what fires, by tenant and rule; each is looked up once. */
  const firingIn = () => {
    const known = new Map<string, IncidentState["group"][]>();
    return (tenant: string, rule: string): IncidentState["group"][] => {
      const key = `${tenant}/${rule}`;
      const found =
        known.get(key) ??
        [...journal.of(rulePartition(key)).incidents.values()]
          .filter((one) => one.tenant === tenant && one.rule === rule && !one.closed && one.state === "firing")
          .map(({ group }) => group);
      known.set(key, found);
      return found;
    };
  };

  /** All of one rule. */
  const ofRule = (incidents: readonly IncidentState[], firing: ReturnType<typeof firingIn>, now: number): Told => {
    const [{ tenant, rule: id } = { tenant: "", rule: "" }] = incidents;
    const rule = control.rule(tenant, id)?.definition;
    const lookUp = (one: string): Destination | undefined => control.destination(tenant, one);
    const steps = stepsOf(
      rule === undefined || rule.notify.length === 0 ? control.standard(tenant) : rule.notify,
      lookUp,
    );
    const actions = control.actions(tenant);
    const decided = incidents.map((incident): [IncidentState, Decision] => [
      incident,
      decide(incident, {
        ...{ now, rule, steps, actions, judged: isJudged(incident, now) },
        firing: (other) => firing(tenant, other),
        targetOf: (to) => targetAt(to, lookUp, now)?.id,
      }),
    ]);
    const drafts = decided.flatMap(([, { incident, messages }]) =>
      messages.map((message): Draft => ({ incident, message })),
    );
    const notices = compose(drafts, rule, (one) => targetAt(one, lookUp, now), { pages, now });
    const entries: Entry[] = [
      ...decided
        .filter(([before, { incident }]) => incident !== before)
        .map(([, { incident }]): Entry => ({ kind: "incident", tenant, id: incident.id, body: incident })),
      ...notices.map(
        ({ target, notice }): Entry => ({
          ...{ kind: "notice", tenant, id: notice.id },
          body: {
            notice,
            tenant,
            target,
            status: "due",
            attempts: 0,
            nextAt: now,
            madeAt: now,
            tries: [],
            problem: "",
          },
        }),
      ),
    ];
    return { entries, wakeAt: new Map(decided.map(([, { incident, wakeAt }]) => [incident.id, wakeAt])) };
  };

  /** For each rule, so that what is written together fits one request. */
  return (incidents: readonly IncidentState[], now: number): Told[] => {
    const firing = firingIn();
    const byRule = Map.groupBy(incidents, ({ tenant, rule }) => `${tenant}/${rule}`);
    return [...byRule.values()].flatMap((all) => portions(all).map((part) => ofRule(part, firing, now)));
  };
};

/** News that may go into one write: each is in its incident and in a notice for each target. */
const newsAtOnce = 200;

const portions = (incidents: readonly IncidentState[]): IncidentState[][] => {
  const parts: IncidentState[][] = [];
  let news = newsAtOnce;
  for (const incident of incidents) {
    const weight = 1 + incident.untold.length;
    if (news + weight > newsAtOnce) {
      parts.push([]);
      news = 0;
    }
    parts.at(-1)?.push(incident);
    news += weight;
  }
  return parts;
};
