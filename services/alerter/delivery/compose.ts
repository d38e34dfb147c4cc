/** Messages as notices: one for what a rule has to say to one target at one moment, as far as its kind can say it at once. */

import { isPager } from "@astralog/chassis";
import {
  aroundWindow,
  groupQuery,
  type IncidentState,
  mostIncidents,
  type Notice,
  type NoticeIncident,
  noticeId,
  type Rule,
  type Severity,
  type Target,
} from "@astralog/schemas/alerts/index";
import type { Message } from "./decide.ts";

/** The dashboard's addresses. */
export interface Pages {
  search(incident: IncidentState, message: Message): string;
  incident(incident: IncidentState): string;
}

export const pagesAt = (publicUrl: URL): Pages => {
  const page = (path: string, parameters: Readonly<Record<string, string>>): string =>
    `${new URL(path, publicUrl)}?${new URLSearchParams(parameters)}`;
  const iso = (at: number) => new Date(at).toISOString();
  return {
    search: ({ tenant, query, group }, { news }) => {
      const { from, to } = aroundWindow(news);
      return page("/explore", {
        ...{ q: groupQuery(query, group), organization: tenant, from: iso(from), to: iso(to) },
      });
    },
    incident: ({ tenant, id }) => page(`/alerts/incidents/${id}`, { organization: tenant }),
  };
};

export interface Draft {
  readonly incident: IncidentState;
  readonly message: Message;
}

const iso = (at: number): string => (at === 0 ? "" : new Date(at).toISOString());

const about = ({ incident, message }: Draft, pages: Pages): NoticeIncident => {
  const { news, happening } = message;
  return {
    id: incident.id,
    transition: happening === "lasts" ? "" : news.transition,
    ...{ group: incident.group, state: news.state, since: iso(incident.since) },
    until: happening === "ended" ? iso(incident.until) : "",
    ...{ found: news.found, value: news.value, threshold: news.threshold, complete: news.complete, lines: news.lines },
    ...{ search: pages.search(incident, message), page: pages.incident(incident) },
  };
};

const chunks = <T>(list: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));

/** Pages are one incident each; a webhook names every one; who reads is told of twenty and of how many more. */
const partsOf = (drafts: readonly Draft[], kind: Target["kind"]): { drafts: Draft[]; more: number }[] => {
  if (isPager({ kind })) return drafts.map((draft) => ({ drafts: [draft], more: 0 }));
  if (kind === "webhook") return chunks(drafts, mostIncidents).map((part) => ({ drafts: part, more: 0 }));
  return [{ drafts: drafts.slice(0, mostIncidents), more: Math.max(0, drafts.length - mostIncidents) }];
};

const newsOf = ({ incident, message }: Draft): string =>
  message.happening === "lasts" ? `${incident.id} ${message.again}` : message.news.transition;

/** Of one rule. What is told alike, to one target, goes together. */
export const compose = (
  drafts: readonly Draft[],
  rule: Rule | undefined,
  targetOf: (id: string) => Target | undefined,
  { pages, now }: { pages: Pages; now: number },
): { target: string; notice: Notice }[] => {
  const alike = Map.groupBy(drafts, ({ message }) =>
    JSON.stringify([message.target, message.happening, message.news.state]),
  );
  return [...alike.values()].flatMap((together) => {
    const [first] = together;
    const target = first === undefined ? undefined : targetOf(first.message.target);
    if (first === undefined || target === undefined) return [];
    const { incident, message } = first;
    return partsOf(together, target.kind).map(({ drafts: part, more }) => ({
      target: target.id,
      notice: {
        id: noticeId(incident.tenant, target.id, message.happening, ...part.map(newsOf), more),
        ...{ happening: message.happening, state: message.news.state, at: iso(now), organization: incident.tenant },
        rule: {
          ...{ id: incident.rule, name: rule?.name ?? incident.ruleName, severity: incident.severity as Severity },
          ...{ query: incident.query, description: rule?.description ?? "", labels: rule?.labels ?? {} },
          ...{ owners: rule?.owners ?? [], runbook: rule?.runbook ?? "" },
        },
        incidents: part.map((draft) => about(draft, pages)),
        more,
      },
    }));
  });
};
