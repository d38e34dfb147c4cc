/** A plan and its overrides as they are kept, and what they are worth together. */
import { Fault } from "@astralog/chassis";
import {
  limitsOf,
  type PlanFeature,
  type PlanLimits,
  type PlanName,
  type PlanOverrides,
  planFeatures,
  planNames,
} from "@astralog/schemas";
import { z } from "zod";

const most = Number.MAX_SAFE_INTEGER;

/** 0 is unlimited where the limit may be. */
export const planOverrides: z.ZodType<PlanOverrides> = z.strictObject({
  retention_days: z.int().min(1).max(3650).optional(),
  max_bytes_per_second: z.int().min(0).max(most).optional(),
  daily_bytes: z.int().min(0).max(most).optional(),
  partitions: z.int().min(1).max(1000).optional(),
  seats: z.int().min(0).max(1_000_000).optional(),
  features: z.array(z.enum(planFeatures)).optional(),
});

export const planName = z.enum(planNames as readonly [PlanName, ...PlanName[]]);

export interface Plan {
  readonly plan: PlanName;
  readonly overrides: PlanOverrides;
  readonly limits: PlanLimits;
}

/** Throws ZodError on what is no plan of this version: nobody is given more than was agreed because a row is not understood. */
export const planOf = (row: { readonly plan: string; readonly overrides: unknown }): Plan => {
  const plan = planName.parse(row.plan);
  const overrides = planOverrides.parse(row.overrides);
  return { plan, overrides, limits: limitsOf(plan, overrides) };
};

/** What of a source its tenant's plan bounds. */
interface Asked {
  readonly retention_days?: number | undefined;
  readonly partitions?: number | undefined;
  readonly max_bytes_per_second?: number | undefined;
}

/** Faults: `over_plan`, naming the field, the limit and the plan. */
export const checkSource = ({ plan, limits }: Plan, asked: Asked): void => {
  for (const field of ["retention_days", "partitions", "max_bytes_per_second"] as const) {
    const [wanted, limit] = [asked[field] ?? 0, limits[field]];
    if (limit > 0 && wanted > limit)
      throw new Fault(
        "over_plan",
        `${field}: the organization's plan (${plan}) allows ${limit} at most, not ${wanted}.`,
      );
  }
};

/** Faults: `over_plan`, naming the feature, the plan, and those that have it. */
export const checkFeature = ({ plan, limits }: Plan, feature: PlanFeature): void => {
  if (limits.features.includes(feature)) return;
  const having = planNames.filter((name) => limitsOf(name, {}).features.includes(feature)).join(" and ");
  throw new Fault(
    "over_plan",
    `${feature}: the organization's plan (${plan}) does not have it; ${having} do. Who runs this installation can change the plan.`,
  );
};

/** What a source asks where it was not told: no more than the plan has. */
export const sourceDefaults = ({ limits }: Plan): Required<Omit<Asked, "max_bytes_per_second">> => ({
  retention_days: Math.min(30, limits.retention_days),
  partitions: Math.min(4, limits.partitions),
});
