/**
 * What a notification says, before it is written the way its receiver reads: what the rule's owner wrote and what the
 * evaluation found. Lines of events in it have gone through the redactor, as all that the alerter reads.
 */
import { hash } from "node:crypto";
import type { AlertState } from "../records.ts";
import type { Severity } from "./rule.ts";

/** `lasts`: a reminder, or the next step of an escalation. `test`: somebody tries a destination. */
export const happenings = ["began", "lasts", "ended", "test"] as const;
export type Happening = (typeof happenings)[number];

export interface NoticeIncident {
  readonly id: string;
  /** The change that is told of; every change is in one notice of each target. Empty in a reminder. */
  readonly transition: string;
  readonly group: Readonly<Record<string, string>>;
  readonly state: AlertState;
  /** RFC 3339 in UTC, as every time here. */
  readonly since: string;
  /** Empty while it lasts. */
  readonly until: string;
  /** In words: why. */
  readonly found: string;
  readonly value: number | null;
  readonly threshold: number | null;
  /** Share of the window's events that were in, 0 to 1. */
  readonly complete: number;
  /** Some of the events, redacted, each on one line. */
  readonly lines: readonly string[];
  /** Opens the search that shows what was found. */
  readonly search: string;
  /** Opens the incident itself. */
  readonly page: string;
}

export interface Notice {
  /** The same with every try: a receiver tells a repeat by it. */
  readonly id: string;
  readonly happening: Happening;
  readonly state: AlertState;
  readonly at: string;
  readonly organization: string;
  readonly rule: {
    readonly id: string;
    readonly name: string;
    readonly severity: Severity;
    readonly query: string;
    readonly description: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly owners: readonly string[];
    /** Empty without one. */
    readonly runbook: string;
  };
  readonly incidents: readonly NoticeIncident[];
  /** How many more there are than a message can name; only chats and mails leave any out. */
  readonly more: number;
}

/** In one notice. */
export const mostIncidents = 20;

/** The same for the same news, whoever makes it and however often. */
export const noticeId = (tenant: string, target: string, ...news: readonly (string | number)[]): string =>
  `ntf_${hash("sha256", JSON.stringify(["notice", tenant, target, ...news]), "hex").slice(0, 32)}`;
