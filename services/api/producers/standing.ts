/**
 * Whether a producer that has not ended may write now, and how fast: by its source, its organization's plan, and what the
 * ledger has of the organization's day.
 */
import { dayOf, type TenantUsage } from "@astralog/schemas";
import { type Plan, planOf } from "../plans/plan-inputs.ts";
import type { Db, Trx } from "../postgres.ts";
import { isOpen } from "./producers.ts";

export const pauses = ["source_disabled", "over_plan", "quota_exhausted"] as const;
/** Why Kafka takes nothing from it for now; null where it does. */
export type Pause = (typeof pauses)[number] | null;

/** What the ledger has of a tenant, as it was announced last. */
export type UsageOf = (tenant: string) => TenantUsage | undefined;

interface Around {
  readonly disabled: boolean;
  /** Undefined for a plan that this version does not know: it gives nothing. */
  readonly plan: Plan | undefined;
  readonly usage: TenantUsage | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export const pauseOf = ({ disabled, plan, usage, now }: Around): Pause => {
  if (disabled) return "source_disabled";
  if (plan?.limits.features.includes("native_producers") !== true) return "over_plan";
  const { daily_bytes } = plan.limits;
  const used = usage?.day === dayOf(now) ? Number(usage.bytes) : 0;
  return daily_bytes > 0 && used >= daily_bytes ? "quota_exhausted" : null;
};

/** Bytes a second of one producer: the lesser of its source's and its organization's; 0 is unlimited. */
export const rateOf = (ofSource: number, ofPlan: number): number =>
  ofSource > 0 && ofPlan > 0 ? Math.min(ofSource, ofPlan) : Math.max(ofSource, ofPlan);

const knownPlan = (row: Parameters<typeof planOf>[0]): Plan | undefined => {
  try {
    return planOf(row);
  } catch {
    return undefined;
  }
};

export interface Standing {
  readonly username: string;
  readonly source: string;
  readonly pause: Pause;
  readonly bytesPerSecond: number;
}

/** Of all producers that have not ended. */
export const readStandings = async (db: Db | Trx, usageOf: UsageOf): Promise<Standing[]> => {
  const rows = await db
    .selectFrom("producers")
    .innerJoin("sources", "sources.id", "producers.source")
    .innerJoin("tenants", "tenants.id", "producers.tenant")
    .select(["producers.username", "producers.source", "producers.tenant"])
    .select(["sources.disabled", "sources.max_bytes_per_second", "tenants.plan", "tenants.overrides"])
    .where("producers.closed_at", "is", null)
    .where(isOpen)
    .orderBy("producers.username")
    .execute();
  return rows.map(({ username, source, tenant, disabled, max_bytes_per_second, ...row }) => {
    const plan = knownPlan(row);
    return {
      ...{ username, source },
      pause: pauseOf({ disabled, plan, usage: usageOf(tenant), now: Date.now() }),
      bytesPerSecond: rateOf(max_bytes_per_second, plan?.limits.max_bytes_per_second ?? 0),
    };
  });
};

/** Why the producers of each source of one tenant are paused. */
export const readPauses = async (
  db: Db,
  tenant: string,
  usage: TenantUsage | undefined,
): Promise<(source: string) => Pause> => {
  const rows = await db
    .selectFrom("sources")
    .innerJoin("tenants", "tenants.id", "sources.tenant")
    .select(["sources.id", "sources.disabled", "tenants.plan", "tenants.overrides"])
    .where("tenants.id", "=", tenant)
    .execute();
  const now = Date.now();
  const found = new Map(
    rows.map(({ id, disabled, ...row }) => [id, pauseOf({ disabled, plan: knownPlan(row), usage, now })]),
  );
  return (source) => found.get(source) ?? null;
};
