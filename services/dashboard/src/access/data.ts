/** Production access and the access review, as the api has them. */
import { useRead } from "../api/read.ts";

export interface Grant {
  readonly id: string;
  readonly email: string;
  readonly state: "requested" | "lapsed" | "denied" | "active" | "expired" | "ended";
  readonly reason: string;
  readonly permissions: readonly string[];
  readonly seconds: number;
  readonly requested_at: string;
  readonly decided_at: string | null;
  readonly expires_at: string | null;
  readonly ended_at: string | null;
  readonly used_at: string | null;
}

export interface Held {
  readonly kind: "membership" | "key" | "producer" | "grant";
  readonly id: string;
  readonly name: string;
  readonly what: string;
  readonly created_at: string;
  readonly used_at: string | null;
  readonly idle_days: number;
  readonly unused: boolean;
  readonly kept: string;
}

export interface Ended {
  readonly ended: readonly { readonly kind: Held["kind"]; readonly id: string }[];
  readonly left: readonly { readonly kind: Held["kind"]; readonly id: string; readonly why: string }[];
}

export const useGrants = () => useRead<{ grants: readonly Grant[] }>("grants", "/access/grants");
export const useAccessPolicy = () => useRead<{ staff_may_approve: boolean }>("access-policy", "/access/policy");
export const useReview = (days: number) =>
  useRead<{ held: readonly Held[] }>("review", `/access/review?unused_days=${days}`);

/** "2 hours", "45 minutes". */
export const spanWords = (seconds: number): string => {
  const [count, unit] = seconds % 3600 === 0 ? [seconds / 3600, "hour"] : [Math.ceil(seconds / 60), "minute"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
};

export const kindWords: Readonly<Record<Held["kind"], string>> = {
  membership: "member",
  key: "key",
  producer: "Kafka producer",
  grant: "staff access",
};
