/** A notice in words: the same for every kind of receiver, each of which writes them its own way. */
import type { AlertState } from "@astralog/schemas";
import type { Notice, NoticeIncident } from "@astralog/schemas/alerts/index";

export interface Words {
  readonly title: string;
  readonly text: string;
}

/** Shown beside the words, in this order. */
export interface Fact {
  readonly name: string;
  readonly value: string;
}

const states: Readonly<Record<AlertState, string>> = {
  ok: "resolved",
  pending: "pending",
  firing: "firing",
  resolved: "resolved",
  nodata: "without data",
  errored: "not judged",
};

export const stateOf = ({ happening, state }: Pick<Notice, "happening" | "state">): string => {
  if (happening === "test") return "test";
  if (happening === "ended") return "resolved";
  return happening === "lasts" ? `still ${states[state]}` : states[state];
};

/** `2026-01-05 09:00:00 UTC`: nobody should have to guess the zone of an alert. */
export const timeOf = (iso: string): string => (iso === "" ? "" : `${iso.slice(0, 19).replace("T", " ")} UTC`);

/** `service=checkout, host=a` */
export const groupOf = (group: NoticeIncident["group"]): string =>
  Object.entries(group)
    .map(([name, value]) => `${name}=${value === "" ? '""' : value}`)
    .join(", ");

const groupsOf = ({ incidents, more }: Notice): string => {
  const named = incidents.map(({ group }) => groupOf(group)).filter((text) => text !== "");
  const rest = more + incidents.length - Math.min(incidents.length, 3);
  if (named.length === 0) return "";
  return `${named.slice(0, 3).join("; ")}${rest > 0 ? ` and ${rest} more` : ""}`;
};

const incidentLine = ({ group, found, since, until, complete }: NoticeIncident): string =>
  [
    ...(Object.keys(group).length === 0 ? [] : [`${groupOf(group)}:`]),
    found,
    until === "" ? `since ${timeOf(since)}` : `from ${timeOf(since)} to ${timeOf(until)}`,
    ...(complete < 1 ? [`(judged on ${Math.floor(complete * 1_000) / 10} % of the events)`] : []),
  ].join(" ");

const linesOf = ({ incidents, more }: Notice): string =>
  [...incidents.map(incidentLine), ...(more > 0 ? [`and ${more} more`] : [])].join("\n");

const samplesOf = ({ incidents }: Notice): string =>
  incidents
    .flatMap(({ lines }) => lines)
    .slice(0, 5)
    .join("\n");

/** What a template may name, and what it stands for. `labels.x` is the rule's label x, `group.x` the first group's field. */
const named: Readonly<Record<string, (notice: Notice) => string>> = {
  rule: ({ rule }) => rule.name,
  description: ({ rule }) => rule.description,
  severity: ({ rule }) => rule.severity,
  owners: ({ rule }) => rule.owners.join(", "),
  runbook: ({ rule }) => rule.runbook,
  query: ({ rule }) => rule.query,
  state: stateOf,
  group: groupsOf,
  found: ({ incidents }) => incidents[0]?.found ?? "",
  value: ({ incidents }) => String(incidents[0]?.value ?? ""),
  since: ({ incidents }) => timeOf(incidents[0]?.since ?? ""),
  until: ({ incidents }) => timeOf(incidents[0]?.until ?? ""),
  count: ({ incidents, more }) => String(incidents.length + more),
  incidents: linesOf,
  events: samplesOf,
  at: ({ at }) => timeOf(at),
  search: ({ incidents }) => incidents[0]?.search ?? "",
  incident: ({ incidents }) => incidents[0]?.page ?? "",
};

export const templateNames: readonly string[] = [...Object.keys(named), "labels.…", "group.…"];

const place = /\{\{\s*([^{}]*?)\s*\}\}/g;

const meaningOf = (name: string): ((notice: Notice) => string) | undefined => {
  if (Object.hasOwn(named, name)) return named[name];
  const [, of, key = ""] = /^(labels|group)\.([\w.@$:/-]{1,200})$/.exec(name) ?? [];
  if (of === "labels") return ({ rule }) => (Object.hasOwn(rule.labels, key) ? (rule.labels[key] ?? "") : "");
  if (of === "group")
    return ({ incidents }) => {
      const group = incidents[0]?.group ?? {};
      return Object.hasOwn(group, key) ? (group[key] ?? "") : "";
    };
  return undefined;
};

/** What a template names and nothing is known by. */
export const unknownNames = (template: string): string[] =>
  [...template.matchAll(place)].map(([, name = ""]) => name).filter((name) => meaningOf(name) === undefined);

/** Names are replaced once: what a value says is never read as a template. */
const fill = (template: string, notice: Notice): string =>
  template.replace(place, (whole, name: string) => meaningOf(name)?.(notice) ?? whole);

const ownTitle = "[{{severity}}] {{rule}}: {{state}}";

export const wordsOf = (notice: Notice, template: { title: string; text: string }): Words => {
  const group = groupsOf(notice);
  const title = template.title === "" ? `${ownTitle}${group === "" ? "" : " for {{group}}"}` : template.title;
  const text =
    template.text === ""
      ? `${notice.rule.description === "" ? "" : "{{description}}\n"}{{incidents}}${samplesOf(notice) === "" ? "" : "\n{{events}}"}`
      : template.text;
  return {
    title: fill(title, notice).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " "),
    text: fill(text, notice),
  };
};

export const factsOf = (notice: Notice): Fact[] => {
  const { rule, incidents } = notice;
  const facts = [
    { name: "Query", value: rule.query },
    { name: "Since", value: timeOf(incidents[0]?.since ?? "") },
    { name: "Severity", value: rule.severity },
    { name: "Owners", value: rule.owners.join(", ") },
    { name: "Labels", value: groupOf(rule.labels) },
  ];
  return facts.filter(({ value }) => value !== "");
};

export interface Link {
  readonly name: string;
  readonly url: string;
}

export const linksOf = ({ rule, incidents }: Notice): Link[] =>
  [
    { name: "See the events", url: incidents[0]?.search ?? "" },
    { name: "Open the incident", url: incidents[0]?.page ?? "" },
    { name: "Runbook", url: rule.runbook },
  ].filter(({ url }) => url !== "");

/** At most so many characters; that something is missing is seen. */
export const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`;
