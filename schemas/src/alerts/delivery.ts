/**
 * What lies in alerts.deliveries, as JSON in its records: how far people have been told of an incident, and how far a
 * notice has come to its target. The newest word of each is all that an alerter needs to go on.
 */
import type { AlertState } from "../records.ts";
import type { Notice } from "./notice.ts";

/** One change of an incident, as far as people are told of it. */
export interface News {
  readonly transition: string;
  readonly state: AlertState;
  /** Milliseconds since the epoch, as every time here. */
  readonly at: number;
  readonly from: number;
  readonly to: number;
  readonly found: string;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly complete: number;
  readonly lines: readonly string[];
}

/** Why people are not told now. */
export type Hold = "" | "schedule" | "maintenance" | "silence" | "dependency" | "snooze";

export interface IncidentState {
  readonly id: string;
  readonly tenant: string;
  readonly rule: string;
  readonly version: number;
  readonly ruleName: string;
  readonly severity: string;
  readonly group: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly query: string;
  readonly state: AlertState;
  readonly since: number;
  /** 0 while it lasts. */
  readonly until: number;
  readonly latest: News;
  /** Offset of the last transition that this knows of: what lies at or before it is a repeat. */
  readonly through: number;
  /** The newest changes that this knows of: an evaluation that was repeated says them again, elsewhere in the topic. */
  readonly known: readonly string[];
  /** Changes that nobody was told of yet. */
  readonly untold: readonly News[];
  /** When people were first and last told; 0 when never. */
  readonly firstToldAt: number;
  readonly lastToldAt: number;
  /** Targets that know of it, who will also hear of its end. */
  readonly told: readonly string[];
  /** Steps of the rule's escalation that were taken. */
  readonly steps: number;
  readonly reminders: number;
  readonly hold: Hold;
  /** Nothing is left to tell. */
  readonly closed: boolean;
  /** It was ended with its rule: whatever is evaluated later opens it no more. */
  readonly final: boolean;
}

export interface Try {
  readonly at: number;
  readonly ms: number;
  /** Empty when it was taken. */
  readonly problem: string;
}

/** `due` until one of the others; `superseded`: a later one said more before it could be brought. */
export type NoticeStatus = "due" | "taken" | "failed" | "superseded" | "cancelled";

export interface NoticeState {
  readonly notice: Notice;
  readonly tenant: string;
  readonly target: string;
  readonly status: NoticeStatus;
  /** Failed tries, and when the next is due. */
  readonly attempts: number;
  readonly nextAt: number;
  readonly madeAt: number;
  /** The last ones. */
  readonly tries: readonly Try[];
  /** Why it ended without having been taken. */
  readonly problem: string;
}

/** A target that answered 410 in this version: it wants no more until somebody changes it. */
export interface Gone {
  readonly tenant: string;
  readonly target: string;
  readonly version: number;
  readonly at: number;
  readonly problem: string;
}

export interface DeliveryBodies {
  readonly incident: IncidentState;
  readonly notice: NoticeState;
  readonly gone: Gone;
}
export type DeliveryKind = keyof DeliveryBodies;

export const deliveryKey = (kind: DeliveryKind, tenant: string, id: string): string => `${kind}/${tenant}/${id}`;
