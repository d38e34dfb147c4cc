/**
 * Notices as PagerDuty and Opsgenie take them: one call for each incident, under a key of the incident's own, so that a
 * repeat is no second page and an end closes what its beginning opened.
 */
import type { Notice } from "@astralog/schemas/alerts/index";
import { cut, factsOf, groupOf, linksOf, type Words } from "./words.ts";

/** Opsgenie takes 8000 characters of them in all. */
const details = (notice: Notice): Record<string, string> =>
  Object.fromEntries([
    ...factsOf(notice).map(({ name, value }) => [name.toLowerCase(), cut(value, 1_000)]),
    ...notice.incidents
      .slice(0, 1)
      .flatMap(({ found, group }) => [
        ["found", cut(found, 1_000)],
        ...(Object.keys(group).length === 0 ? [] : [["group", cut(groupOf(group), 1_000)]]),
      ]),
  ]);

/** What both sides know the incident by. */
export const incidentKey = ({ incidents }: Notice): string => `astralog/${incidents[0]?.id ?? ""}`;

/** Events API v2. */
export const pagerdutyEvent = (notice: Notice, { title }: Words, routingKey: string): unknown => {
  const action = notice.happening === "ended" ? "resolve" : "trigger";
  const [incident] = notice.incidents;
  return {
    routing_key: routingKey,
    event_action: action,
    dedup_key: incidentKey(notice),
    client: "Astralog",
    client_url: incident?.page ?? "",
    ...(action === "resolve"
      ? {}
      : {
          payload: {
            summary: cut(title, 1_024),
            // It may not be empty.
            source: cut(incident?.group.service || incident?.group.host || notice.rule.name, 1_024),
            severity: notice.happening === "test" ? "info" : notice.rule.severity,
            timestamp: incident?.since ?? notice.at,
            component: cut(incident?.group.service ?? "", 1_024),
            group: notice.rule.id,
            class: notice.rule.name,
            custom_details: details(notice),
          },
          links: linksOf(notice).map(({ name, url }) => ({ href: url, text: name })),
        }),
  };
};

const priorities = { critical: "P1", error: "P2", warning: "P3", info: "P5" } as const;

/** Alert API: what to call below its address, and with what. */
export const opsgenieCall = (notice: Notice, { title, text }: Words): { path: string; body: unknown } => {
  const alias = incidentKey(notice);
  if (notice.happening === "ended")
    return {
      path: `/v2/alerts/${encodeURIComponent(alias)}/close?identifierType=alias`,
      body: { source: "Astralog", note: cut(title, 25_000) },
    };
  return {
    path: "/v2/alerts",
    body: {
      message: cut(title, 130),
      alias,
      description: cut([text, ...linksOf(notice).map(({ name, url }) => `${name}: ${url}`)].join("\n\n"), 15_000),
      details: details(notice),
      tags: Object.entries(notice.rule.labels)
        .slice(0, 20)
        .map(([name, value]) => cut(`${name}:${value}`, 50)),
      entity: cut(groupOf(notice.incidents[0]?.group ?? {}), 512),
      source: "Astralog",
      priority: notice.happening === "test" ? "P5" : priorities[notice.rule.severity],
    },
  };
};
