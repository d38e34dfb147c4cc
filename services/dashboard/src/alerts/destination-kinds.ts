/** The kinds of destinations, and what is given for one: what may be shown, and what is sealed. */
import type { Escalation, OnCall } from "@astralog/schemas/alerts/destination";
import type { Destination } from "./data.ts";

/** Kind to its name and what must be given for it, where that is one text. */
export const direct = {
  webhook: ["Webhook", "Address"],
  slack: ["Slack", "Address of the incoming webhook"],
  teams: ["Microsoft Teams", "Address of the workflow's webhook"],
  discord: ["Discord", "Address of the webhook"],
  pagerduty: ["PagerDuty", "Routing key"],
  opsgenie: ["Opsgenie", "API key"],
  email: ["E-mail", "Addresses, with commas between"],
} as const satisfies Record<string, readonly [string, string]>;
export type DirectKind = keyof typeof direct;
export type Kind = DirectKind | "on_call" | "escalation";

export const kindWords: Readonly<Record<Kind, string>> = {
  ...(Object.fromEntries(Object.entries(direct).map(([kind, [name]]) => [kind, name])) as Record<DirectKind, string>),
  on_call: "On call",
  escalation: "Escalation",
};
export const kindNames = Object.keys(kindWords) as Kind[];

export const isDirect = (kind: string): kind is DirectKind => Object.hasOwn(direct, kind);
export const isPager = (kind: string): boolean => kind === "pagerduty" || kind === "opsgenie";

/** What an edit begins with; a secret is never there. */
export interface Given {
  readonly name: string;
  readonly kind: Kind;
  readonly text: string;
  readonly region: "us" | "eu";
  readonly onCall: OnCall;
  readonly escalation: Escalation;
  readonly template: { readonly title: string; readonly text: string };
  readonly standard: boolean;
}

export const givenOf = (one: Destination | undefined, today: string, zone: string): Given => {
  const settings = one?.settings ?? {};
  return {
    ...{ name: one?.name ?? "", kind: (one?.kind ?? "webhook") as Kind, standard: one?.standard ?? false },
    ...{ template: one?.template ?? { title: "", text: "" }, region: settings.region ?? "us" },
    text: settings.url ?? settings.to?.join(", ") ?? "",
    onCall: {
      turns: settings.turns ?? [],
      ...{ days: settings.days ?? 7, from: settings.from ?? today, handover: settings.handover ?? "09:00" },
      ...{ zone: settings.zone ?? zone, instead: settings.instead ?? [] },
    },
    escalation: { steps: settings.steps ?? [{ after_minutes: 0, to: [] }] },
  };
};

/** As the api takes it. Without text a secret stays as it is. */
export const bodyOf = ({ name, kind, text, region, onCall, escalation, template, standard }: Given, isNew: boolean) => {
  const common = { name: name.trim(), template, standard, ...(isNew ? { kind } : {}) };
  const secret = (body: object) => (text.trim() === "" && !isNew ? {} : { secrets: body });
  switch (kind) {
    case "webhook":
      return { ...common, settings: { url: text.trim() } };
    case "email":
      return { ...common, settings: { to: text.split(",").map((one) => one.trim()) } };
    case "pagerduty":
    case "opsgenie":
      return { ...common, settings: { region }, ...secret({ key: text.trim() }) };
    case "on_call":
      return { ...common, settings: onCall };
    case "escalation":
      return { ...common, settings: escalation };
    default:
      return { ...common, ...secret({ url: text.trim() }) };
  }
};

/** Whether everything that it cannot do without is there. */
export const isWhole = ({ name, kind, text, onCall, escalation }: Given, isNew: boolean): boolean => {
  if (name.trim() === "") return false;
  if (kind === "on_call") return onCall.turns.length > 0;
  if (kind === "escalation") return escalation.steps.length > 0 && escalation.steps.every(({ to }) => to.length > 0);
  return text.trim() !== "" || (!isNew && kind !== "webhook" && kind !== "email");
};

/** What tells one from another. */
export const whereOf = ({ settings, id, kind }: Destination, all: readonly Destination[]): string => {
  const nameOf = (other: string): string => all.find((one) => one.id === other)?.name ?? other;
  if (kind === "on_call") return `${(settings.turns ?? []).map(nameOf).join(", ")}: ${settings.days} days each`;
  if (kind === "escalation")
    return (settings.steps ?? [])
      .map(({ after_minutes, to }) => `${after_minutes} min: ${to.map(nameOf).join(", ")}`)
      .join("; ");
  return settings.url ?? settings.host ?? settings.to?.join(", ") ?? id;
};
