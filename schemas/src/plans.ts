/**
 * What a plan allows, as data. A tenant has a plan and may have overrides, which the platform's operator sets; what both
 * together allow are its limits. The receiver knows them from control.tenants, the api from Postgres.
 */
import { topics } from "./topics.ts";

/**
 * What a plan may switch on. Who gets in, what he may do, and the proof of what was done are not among them: everybody
 * has those.
 */
export const planFeatures = ["native_producers", "own_storage"] as const;
export type PlanFeature = (typeof planFeatures)[number];

export interface PlanLimits {
  /** Most days that a source may keep its events. */
  readonly retention_days: number;
  /** Bytes that all its sources together may send a second, inflated, to each receiver; 0 is unlimited. */
  readonly max_bytes_per_second: number;
  /** Bytes of events that may be stored in one day of UTC, encoded and not compressed; 0 is unlimited. */
  readonly daily_bytes: number;
  /** k: how many partitions a source's events may use. */
  readonly partitions: number;
  /** Members and open invitations; 0 is unlimited. */
  readonly seats: number;
  readonly features: readonly PlanFeature[];
}

const mebi = 2 ** 20;
const gibi = 2 ** 30;
export const plans = {
  free: {
    retention_days: 7,
    max_bytes_per_second: mebi,
    daily_bytes: gibi,
    partitions: 1,
    seats: 5,
    features: [],
  },
  team: {
    retention_days: 30,
    max_bytes_per_second: 8 * mebi,
    daily_bytes: 50 * gibi,
    partitions: 4,
    seats: 25,
    features: ["native_producers"],
  },
  business: {
    retention_days: 365,
    max_bytes_per_second: 32 * mebi,
    daily_bytes: 500 * gibi,
    partitions: 6,
    seats: 250,
    features: planFeatures,
  },
  // Also what one has who runs Astralog for himself.
  enterprise: {
    retention_days: 3650,
    max_bytes_per_second: 0,
    daily_bytes: 0,
    partitions: topics.raw.partitions,
    seats: 0,
    features: planFeatures,
  },
} as const satisfies Record<string, PlanLimits>;

export type PlanName = keyof typeof plans;
export const planNames = Object.keys(plans) as readonly PlanName[];

/** Limits that stand in place of the plan's. */
export type PlanOverrides = { readonly [L in keyof PlanLimits]?: PlanLimits[L] | undefined };

export const limitsOf = (plan: PlanName, overrides: PlanOverrides): PlanLimits => {
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
  return { ...plans[plan], ...(Object.fromEntries(given) as Partial<PlanLimits>) };
};

/** The day of UTC that a volume counts for, as YYYY-MM-DD. `at` is in milliseconds since the epoch. */
export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** When the day after begins, in milliseconds since the epoch. */
export const nextDay = (day: string): number => Date.parse(`${day}T00:00:00Z`) + 86_400_000;
