/** Retention over HTTP: what is kept and how long, the rules, and what sweeps have found. */
import {
  dayNumber,
  type RetentionRule,
  retentionRuleShape,
  type TenantPolicy,
} from "@astralog/schemas/retention/index";
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import { listSources } from "../control/sources.ts";
import type { Caller } from "../http/caller.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { mustCover } from "../organizations/grants.ts";
import { readPlan } from "../plans/tenant-plans.ts";
import { type Db, withPostgres } from "../postgres.ts";
import { keptOf } from "./kept.ts";
import type { KeptQueries } from "./kept-queries.ts";
import { createRule, deleteRule, findRule, listRules, type RetentionRuleRow, ruleOf, updateRule } from "./rules.ts";

export interface RetentionDeps {
  readonly db: Db;
  readonly audit: Pick<Audit, "by">;
  readonly kept: KeptQueries;
}

const date = z.iso.datetime();
const day = z.iso.date().nullable();
const count = z.int();
const ruleShape = z.object({
  ...{ id: z.string(), rule: z.looseObject({}), created_by: z.string(), created_at: date, updated_at: date },
});
const sweepShape = z.object({
  ...{ place: z.string(), overdue: count, removed: count.describe("Of the organization's."), detail: z.string() },
  ...{ began_at: z.string(), ended_at: z.string() },
});
const sourceShape = z.looseObject({
  ...{ source: z.string(), name: z.string(), events: count, bytes: count, oldest: day, newest: day },
  ...{ base: count.optional(), least: count.optional(), most: count.optional() },
  held: z.enum(["none", "some", "all"]).optional(),
  ...{ expires_next: day, expiring: count },
});
const overview = z.object({
  plan: z.object({ name: z.string(), retention_days: count }),
  sources: z.array(sourceShape),
  expiries: z.array(z.object({ day: z.string(), events: count })).describe("What expires on which day, soonest first."),
  dead_letters: count,
  rules: z.array(ruleShape),
  sweep: z.array(sweepShape).describe("The last look at each place: overdue is 0 where nothing past its time is left."),
});

const shown = (row: RetentionRuleRow) => ({
  ...{ id: row.id, rule: ruleOf(row), created_by: row.created_by },
  ...{ created_at: row.created_at, updated_at: row.updated_at },
});

/** Whoever decides for some sources must see those. */
const mustSee = (caller: Caller, { source }: RetentionRule): void =>
  mustCover(caller, { sources: source === "" ? "all" : new Set([source]) }, "decide how long they are kept");

export const createRetentionEndpoints = ({ db, audit, kept }: RetentionDeps): Endpoint[] => {
  const tag = "retention";
  const read = { access: "retention.read", tag } as const;
  const write = { access: "retention.write", tag } as const;
  const one = { success: { status: 200, body: ruleShape }, etag: true } as const;
  const held = (caller: Caller, unchanged: (shown: unknown) => void) => (row: RetentionRuleRow) => {
    mustSee(caller, ruleOf(row));
    unchanged(shown(row));
  };

  const policyOf = async ({ tenant, sources }: Caller) => {
    const [plan, rows, rules] = await withPostgres(() =>
      Promise.all([readPlan(db, tenant), listSources(db, tenant, { limit: 10_000 }), listRules(db, tenant)]),
    );
    const mine = rows.filter(({ id }) => sources === "all" || sources.has(id));
    const policy: TenantPolicy = {
      tenant,
      planDays: plan.limits.retention_days,
      sources: new Map(mine.map(({ id, name, retention_days: days }) => [id, { name, days }])),
      rules: rules.map(ruleOf),
    };
    const seen = rules.filter(
      (row) => sources === "all" || ruleOf(row).source === "" || sources.has(ruleOf(row).source),
    );
    return { plan, policy, rules: seen };
  };

  return [
    endpoint({
      ...{ ...read, method: "get", path: "/retention", summary: "What is kept, how long, and what expires next" },
      success: { status: 200, body: overview },
      handle: async ({ caller }) => {
        const { plan, policy, rules } = await policyOf(caller);
        const [stored, sizes, letters, sweep] = await Promise.all([
          kept.stored(caller),
          kept.sizes(caller),
          kept.letters(caller),
          kept.looks(caller.tenant),
        ]);
        return {
          plan: { name: plan.plan, retention_days: plan.limits.retention_days },
          ...keptOf(policy, stored, sizes, dayNumber(Date.now())),
          dead_letters: letters,
          rules: rules.map(shown),
          sweep,
        };
      },
    }),
    endpoint({
      ...{
        ...read,
        method: "get",
        path: "/retention/sweeps",
        summary: "What sweeps have removed of the organization's",
      },
      query: z.strictObject({ limit: z.coerce.number().int().min(1).max(1_000).default(100) }),
      success: { status: 200, body: z.object({ sweeps: z.array(sweepShape) }) },
      handle: async ({ caller, query }) => ({ sweeps: await kept.removals(caller.tenant, query.limit) }),
    }),
    endpoint({
      ...{ ...read, method: "get", path: "/retention/rules", summary: "The retention rules and holds" },
      success: { status: 200, body: z.object({ rules: z.array(ruleShape) }) },
      handle: async ({ caller }) => ({ rules: (await policyOf(caller)).rules.map(shown) }),
    }),
    endpoint({
      ...{ ...read, ...one, method: "get", path: "/retention/rules/:id", summary: "One retention rule" },
      handle: ({ caller, params }) => withPostgres(async () => shown(await findRule(db, caller.tenant, params.id))),
    }),
    endpoint({
      ...{
        ...write,
        method: "post",
        path: "/retention/rules",
        summary: "Make a retention rule, or a hold",
        etag: true,
      },
      body: retentionRuleShape,
      success: { status: 201, body: ruleShape },
      handle: ({ caller, body, response }) => {
        mustSee(caller, body);
        return withPostgres(async () => shown(await createRule(db, caller.tenant, body, audit.by(response))));
      },
    }),
    endpoint({
      ...{ ...write, ...one, method: "put", path: "/retention/rules/:id", summary: "Change a retention rule" },
      body: retentionRuleShape,
      handle: ({ caller, params, body, unchanged, response }) => {
        mustSee(caller, body);
        const by = audit.by(response);
        return withPostgres(async () =>
          shown(await updateRule(db, caller.tenant, params.id, body, held(caller, unchanged), by)),
        );
      },
    }),
    endpoint({
      ...{ ...write, method: "delete", path: "/retention/rules/:id", summary: "Delete a rule, or end a hold" },
      success: { status: 204 },
      handle: ({ caller, params, unchanged, response }) =>
        withPostgres(() => deleteRule(db, caller.tenant, params.id, held(caller, unchanged), audit.by(response))),
    }),
  ];
};
