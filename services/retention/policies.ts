/** The rules in force, from the control topics: what Postgres says, without asking it. */
import type { ControlTable, Log } from "@astralog/chassis";
import type { RetentionRuleRecord, SourceRecord, TenantLimits } from "@astralog/schemas";
import { mostDays, type RetentionRule, retentionRuleShape, type TenantPolicy } from "@astralog/schemas/retention/index";
import type { Policies } from "./places.ts";

/**
 * As the tables are now. A rule that this version cannot read becomes a hold on all that it may be about: better kept too
 * long than removed too early.
 */
export const readPolicies = (deps: {
  rules: Pick<ControlTable<RetentionRuleRecord>, "values">;
  sources: Pick<ControlTable<SourceRecord>, "values">;
  tenants: Pick<ControlTable<TenantLimits>, "get">;
  log: Pick<Log, "error">;
}): Policies => {
  const ruleOf = ({ tenant, rule, definition }: RetentionRuleRecord): RetentionRule => {
    const read = retentionRuleShape.safeParse(JSON.parse(definition));
    if (read.success) return read.data;
    deps.log.error(
      { tenant, rule },
      "a retention rule cannot be read by this version: its organization's events are held",
    );
    return {
      name: rule,
      kind: "hold",
      source: "",
      query: "",
      days: null,
      reason: "it cannot be read",
      fields: [],
      except: [],
    };
  };
  const sources = Map.groupBy(deps.sources.values(), ({ tenant }) => tenant);
  const rules = Map.groupBy(deps.rules.values(), ({ tenant }) => tenant);
  const policies = new Map<string, TenantPolicy>();
  for (const tenant of new Set([...sources.keys(), ...rules.keys()]))
    policies.set(tenant, {
      tenant,
      planDays: deps.tenants.get(tenant)?.retention_days ?? mostDays,
      sources: new Map(
        (sources.get(tenant) ?? []).map(({ source, name, retention_days: days }) => [source, { days, name }]),
      ),
      rules: (rules.get(tenant) ?? []).map(ruleOf),
    });
  return { of: (tenant) => policies.get(tenant), all: () => [...policies.values()] };
};
