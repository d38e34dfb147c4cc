/**
 * What a source and its tenant may send: a rate each, of this receiver, and the tenant's daily volume, of all of them. A
 * request that comes while there is something left is taken whole; the next ones wait for what it took too much.
 */
import { dayOf, nextDay, type TenantLimits, type TenantUsage } from "@astralog/schemas";
import type { Grant } from "./admit.ts";
import { createDailyVolume, type Volume } from "./daily-volume.ts";
import { Refusal } from "./refusals.ts";
import { type Bucket, createBuckets } from "./token-bucket.ts";

/** One request's leave to send. */
export interface Allowance {
  /** Days that its events are kept, and how many partitions they may use: what the source asks, within the plan. */
  readonly retentionDays: number;
  readonly partitions: number;
  /** Its inflated bytes count against the rates; `at` is when they were read, by performance.now(). */
  spend(bytes: number, at: number): void;
  /** Its events' bytes count against the day. Throws a Refusal when the day has nothing left. */
  take(bytes: number): Volume;
}

/** Sources and tenants whose rates are kept in mind, and the seconds of rate that a quiet one may send at once. */
const rates = { names: 100_000, burstSeconds: 2 };
/** A plan may be raised before the day is over, so no client is sent away for longer. */
const longestWaitSeconds = 3_600;

const untracked: Volume = { placed: () => {}, end: () => {} };

export interface QuotasDeps {
  limits(tenant: string): TenantLimits | undefined;
  usage(tenant: string): TenantUsage | undefined;
  /** Milliseconds since the epoch. */
  now?(): number;
}

export const createQuotas = ({ limits, usage, now = Date.now }: QuotasDeps) => {
  const buckets = createBuckets(rates.names);
  const volume = createDailyVolume(usage);

  /** Throws a Refusal while the rate is exceeded. */
  const bucketOf = (name: string, who: string, perSecond: number): Bucket | undefined => {
    if (perSecond <= 0) return undefined;
    const at = performance.now();
    const bucket = buckets.get(name, perSecond, perSecond * rates.burstSeconds, at);
    const wait = bucket.wait(at);
    if (wait > 0)
      throw new Refusal("rate_limited", `${who} may send ${perSecond} bytes a second.`, {
        retryAfter: Math.ceil(wait),
        details: { limit: perSecond, unit: "bytes/s" },
      });
    return bucket;
  };

  const checkDay = (tenant: string, day: string, { daily_bytes, plan }: TenantLimits): void => {
    const limit = Number(daily_bytes);
    const used = volume.used(tenant, day);
    if (used < limit) return;
    const resets = nextDay(day);
    const resetsAt = new Date(resets).toISOString();
    throw new Refusal(
      "quota_exhausted",
      `The organization's plan (${plan}) takes ${limit} bytes of events a day; ${used} are used. More is taken from ${resetsAt} on, or when the plan is raised.`,
      {
        retryAfter: Math.min(longestWaitSeconds, Math.max(1, Math.ceil((resets - now()) / 1_000))),
        details: { limit, used, unit: "bytes/day", resets_at: resetsAt },
      },
    );
  };

  return {
    /** Throws a Refusal: rate_limited, quota_exhausted. */
    admit: ({ tenant, source }: Grant): Allowance => {
      const plan = limits(tenant);
      const day = dayOf(now());
      const daily = plan === undefined || plan.daily_bytes <= 0n ? undefined : plan;
      if (daily !== undefined) checkDay(tenant, day, daily);
      const ofTenant = bucketOf(
        tenant,
        "The organization's sources together",
        Number(plan?.max_bytes_per_second ?? 0n),
      );
      const ofSource = bucketOf(`${tenant}/${source.source}`, "The source", Number(source.max_bytes_per_second));
      return {
        retentionDays: Math.min(source.retention_days, plan?.retention_days ?? source.retention_days),
        partitions: Math.min(source.partitions, plan?.partitions ?? source.partitions),
        spend: (bytes, at) => {
          ofTenant?.spend(bytes, at);
          ofSource?.spend(bytes, at);
        },
        take: (bytes) => {
          if (daily === undefined) return untracked;
          // Others may have taken the rest while this one was read.
          checkDay(tenant, day, daily);
          return volume.begin(tenant, day, bytes);
        },
      };
    },
    learn: volume.learn,
  };
};

export type Quotas = ReturnType<typeof createQuotas>;
