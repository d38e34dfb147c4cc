/**
 * Where notifications go. A target is reached directly; `on_call` stands for the target whose turn it is, `escalation` for
 * several, one after the other until somebody takes the incident. So a rule names destinations and knows no more.
 */
import { localTime, minutesOf } from "./local-time.ts";

export const targetKinds = ["webhook", "slack", "teams", "discord", "pagerduty", "opsgenie", "email"] as const;
export type TargetKind = (typeof targetKinds)[number];

export const destinationKinds = [...targetKinds, "on_call", "escalation"] as const;
export type DestinationKind = (typeof destinationKinds)[number];

/** Empty texts stand for the product's own words. */
export interface Template {
  readonly title: string;
  readonly text: string;
}

/** Turns of whole days, handed over at one time of the day in one zone, so that summer time moves nothing. */
export interface OnCall {
  readonly turns: readonly string[];
  /** Days of one turn. */
  readonly days: number;
  /** The day of the first turn's beginning, 2026-01-05. */
  readonly from: string;
  /** 09:00 */
  readonly handover: string;
  /** An IANA name, Europe/Zurich. */
  readonly zone: string;
  /** Somebody else for a while; of several that cover a moment the last one counts. */
  readonly instead: readonly { readonly from: string; readonly until: string; readonly to: string }[];
}

export interface Escalation {
  /** Minutes after the incident began; the first is at 0 in most. */
  readonly steps: readonly { readonly after_minutes: number; readonly to: readonly string[] }[];
}

export const regions = ["us", "eu"] as const;
export type Region = (typeof regions)[number];

/** What of a destination may be shown, by its kind. */
export interface DestinationSettings {
  readonly webhook: { readonly url: string };
  /** Their addresses are secrets: this is what tells one from another. */
  readonly slack: { readonly host: string };
  readonly teams: { readonly host: string };
  readonly discord: { readonly host: string };
  readonly pagerduty: { readonly region: Region };
  readonly opsgenie: { readonly region: Region };
  readonly email: { readonly to: readonly string[] };
  readonly on_call: OnCall;
  readonly escalation: Escalation;
}

/** What is sealed beside it; none for e-mail, on call and escalation. */
export interface DestinationSecrets {
  /** Of webhooks: whsec_…; while it is rotated, both sign until the time given. */
  readonly secret?: string;
  readonly before?: string;
  readonly before_until?: string;
  /** Address of a chat's incoming webhook. */
  readonly url?: string;
  /** PagerDuty's routing key, Opsgenie's API key. */
  readonly key?: string;
}

export type Destination = {
  readonly [K in DestinationKind]: {
    readonly id: string;
    readonly tenant: string;
    readonly name: string;
    readonly kind: K;
    readonly settings: DestinationSettings[K];
    readonly template: Template;
    /** Told of every rule that names no destination. */
    readonly standard: boolean;
    /** Grows with each change. */
    readonly version: number;
    readonly disabled: boolean;
    /** Sealed JSON of DestinationSecrets, bound to `sealedFor`; empty where there is none. */
    readonly sealed: string;
  };
}[DestinationKind];

export type Target = Extract<Destination, { kind: TargetKind }>;
export const isTarget = (one: Destination): one is Target => (targetKinds as readonly string[]).includes(one.kind);

export const sealedFor = (tenant: string, id: string): string => JSON.stringify(["alert_destinations", tenant, id]);

/** Whose turn it is at a moment; undefined before the first turn. */
export const onCallAt = ({ turns, days, from, handover, zone, instead }: OnCall, at: number): string | undefined => {
  const other = instead.findLast((one) => Date.parse(one.from) <= at && at < Date.parse(one.until));
  if (other !== undefined) return other.to;
  const { day, minute } = localTime(at, zone);
  const passed = day - Date.parse(`${from}T00:00:00Z`) / 86_400_000 - (minute < minutesOf(handover) ? 1 : 0);
  return passed < 0 ? undefined : turns[Math.floor(passed / days) % turns.length];
};

export interface Step {
  readonly afterMs: number;
  /** A target or one who is on call. */
  readonly to: string;
}

type LookUp = (id: string) => Destination | undefined;

/** Who is to be told of a rule's incident and when, by order of time; what is not there any more is left out. */
export const stepsOf = (ids: readonly string[], lookUp: LookUp): Step[] =>
  [...new Set(ids)]
    .flatMap((id): Step[] => {
      const one = lookUp(id);
      if (one === undefined) return [];
      if (one.kind !== "escalation") return [{ afterMs: 0, to: id }];
      return one.settings.steps.flatMap(({ after_minutes, to }) =>
        to.map((each) => ({ afterMs: after_minutes * 60_000, to: each })),
      );
    })
    .sort((a, b) => a.afterMs - b.afterMs);

/** The target that a step leads to at a moment. */
export const targetAt = (id: string, lookUp: LookUp, at: number): Target | undefined => {
  const one = lookUp(id);
  if (one === undefined) return undefined;
  if (one.kind === "on_call") {
    const turn = one.disabled ? undefined : onCallAt(one.settings, at);
    const target = turn === undefined ? undefined : lookUp(turn);
    return target !== undefined && isTarget(target) ? target : undefined;
  }
  return isTarget(one) ? one : undefined;
};
