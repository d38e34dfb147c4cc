/** What an organization may use and has used, over HTTP; and its plan, for operators of the platform. */
import { Fault } from "@astralog/chassis";
import { dayOf, nextDay, planFeatures } from "@astralog/schemas";
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { type Db, withPostgres } from "../postgres.ts";
import { type Plan, planName, planOverrides } from "./plan-inputs.ts";
import { readPlan, setPlan } from "./tenant-plans.ts";
import { mostRows, type UsageQueries } from "./usage-queries.ts";

export interface PlanDeps {
  readonly db: Db;
  readonly audit: Audit;
  readonly usage: UsageQueries;
  sourceNames(tenant: string): Map<string, string>;
  /** Called when a plan has changed. */
  planChanged(): void;
}

const limitsShape = z.object({
  retention_days: z.int(),
  max_bytes_per_second: z.int().describe("Inflated, per receiver; 0 is unlimited."),
  daily_bytes: z.int().describe("Of events as they are stored, encoded and not compressed; 0 is unlimited."),
  partitions: z.int(),
  seats: z.int().describe("0 is unlimited."),
  features: z.array(z.enum(planFeatures)),
});
const planShape = z.object({
  plan: planName,
  limits: limitsShape,
  overridden: z.array(z.string()).describe("Which limits are not the plan's own."),
});
const todayShape = z.object({ day: z.string(), bytes: z.int(), events: z.int(), resets_at: z.iso.datetime() });

const viewOf = ({ plan, limits, overrides }: Plan) => ({ plan, limits, overridden: Object.keys(overrides) });

const counts = z.record(z.string(), z.int());
const dayShape = z.object({
  day: z.string(),
  source: z.string(),
  name: z.string().describe("The source's name today; empty when it is gone."),
  events: z.int(),
  bytes: z.int(),
  dropped: counts.describe("By reason."),
  redacted: counts.describe("Replacements by detector."),
});

const day = z.iso.date();
const mostDays = 400;
const dayMs = 86_400_000;

/** Both included. Faults: `invalid_request`. */
const rangeOf = (given: { from?: string | undefined; to?: string | undefined }): { from: string; to: string } => {
  const to = given.to ?? dayOf(Date.now());
  const from = given.from ?? dayOf(Date.parse(to) - 29 * dayMs);
  const days = (Date.parse(to) - Date.parse(from)) / dayMs + 1;
  if (days < 1) throw new Fault("invalid_request", "from: must not lie behind to.");
  if (days > mostDays) throw new Fault("invalid_request", `from: ${days} days are asked for; ${mostDays} are given.`);
  return { from, to };
};

export const createPlanEndpoints = ({ db, audit, usage, sourceNames, planChanged }: PlanDeps): Endpoint[] => {
  const tag = "usage";
  return [
    endpoint({
      ...{ method: "get", path: "/organization/plan", access: "usage.read", tag, summary: "The plan, and today's use" },
      success: { status: 200, body: planShape.extend({ today: todayShape }) },
      handle: async ({ caller }) => {
        const plan = await withPostgres(() => readPlan(db, caller.tenant));
        const today = dayOf(Date.now());
        const rows = await usage.days(caller.tenant, today, today);
        const sum = (of: "bytes" | "events") => rows.reduce((all, row) => all + row[of], 0);
        const resets_at = new Date(nextDay(today)).toISOString();
        return { ...viewOf(plan), today: { day: today, bytes: sum("bytes"), events: sum("events"), resets_at } };
      },
    }),
    endpoint({
      ...{ method: "get", path: "/usage", access: "usage.read", tag, summary: "What was stored, by day and source" },
      query: z.strictObject({
        from: day.optional().describe("First day of UTC, YYYY-MM-DD; 29 days before `to` when it is left out."),
        to: day.optional().describe("Last day; today when it is left out."),
      }),
      success: { status: 200, body: z.object({ from: z.string(), to: z.string(), days: z.array(dayShape) }) },
      handle: async ({ caller, query }) => {
        const range = rangeOf(query);
        const rows = await usage.days(caller.tenant, range.from, range.to);
        if (rows.length >= mostRows) throw new Fault("query_too_expensive", "from: choose fewer days.");
        const names = sourceNames(caller.tenant);
        const seen = rows.filter(({ source }) => caller.sources === "all" || caller.sources.has(source));
        return { ...range, days: seen.map((row) => ({ ...row, name: names.get(row.source) ?? "" })) };
      },
    }),
    endpoint({
      ...{ method: "put", path: "/platform/organizations/:id/plan", access: "plans.write", tag: "platform" },
      summary: "Choose an organization's plan and overrides",
      stepUp: true,
      body: z.strictObject({ plan: planName, overrides: planOverrides.default({}) }),
      success: { status: 200, body: planShape },
      handle: ({ params, body, response }) =>
        withPostgres(async () => {
          const plan = await setPlan(db, params.id, body, audit.by(response));
          planChanged();
          return viewOf(plan);
        }),
    }),
  ];
};
