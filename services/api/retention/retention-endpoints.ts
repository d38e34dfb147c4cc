/** Retention over HTTP: what is kept and how long, the rules, and what sweeps have found. */
import { Fault } from "@astralog/chassis";
import {
  dayNumber,
  fieldReach,
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
import type { Connections } from "../storage/connections.ts";
import type { FieldQueries } from "./field-queries.ts";
import { keptOf } from "./kept.ts";
import type { KeptQueries } from "./kept-queries.ts";
import {
  checkClash,
  createRule,
  deleteRule,
  findRule,
  listRules,
  type RetentionRuleRow,
  ruleOf,
  updateRule,
} from "./rules.ts";

export interface RetentionDeps {
  readonly db: Db;
  readonly audit: Pick<Audit, "by">;
  readonly kept: KeptQueries;
  readonly fields: FieldQueries;
  readonly connections: Pick<Connections, "list">;
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

const previewShape = z.object({
  events: count.describe("Stored events that it finds and that have something of its fields."),
  due: count.describe("Of these: past its days, so that they lose it with the next sweep, within the hour."),
  held: count.describe("Past its days, and kept whole by a hold."),
  buckets: z
    .array(
      z.object({
        ...{ connection: z.string(), name: z.string(), events: count.nullable(), due: count.nullable() },
        problem: z.string(),
      }),
    )
    .describe("The same in the organization's own; null where they could not be counted, see problem."),
  places: z
    .array(z.object({ place: z.string(), reached: z.boolean(), detail: z.string() }))
    .describe("Where such a rule reaches, and what happens where it does not."),
});

const shown = (row: RetentionRuleRow) => ({
  ...{ id: row.id, rule: ruleOf(row), created_by: row.created_by },
  ...{ created_at: row.created_at, updated_at: row.updated_at },
});

/** Whoever decides for some sources must see those. */
const mustSee = (caller: Caller, { source }: RetentionRule): void =>
  mustCover(caller, { sources: source === "" ? "all" : new Set([source]) }, "decide how long they are kept");

export const createRetentionEndpoints = ({ db, audit, kept, fields, connections }: RetentionDeps): Endpoint[] => {
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
      ...{ ...write, method: "post", path: "/retention/rules/preview" },
      summary: "How many events a rule that drops fields would find now",
      query: z.strictObject({
        instead_of: z.string().max(64).optional().describe("Id of the rule that it would replace."),
      }),
      body: retentionRuleShape,
      success: { status: 200, body: previewShape },
      handle: async ({ caller, body, query }) => {
        mustSee(caller, body);
        if (body.kind !== "drop_fields")
          throw new Fault("invalid_request", "kind: must be drop_fields; what other rules keep is in GET /retention.");
        const { policy } = await policyOf(caller);
        checkClash(body, await withPostgres(() => listRules(db, caller.tenant)), query.instead_of);
        const rows = await withPostgres(() => connections.list(caller.tenant));
        // One that cannot be asked hides no other.
        const inBuckets = rows.map(async ({ id: connection, name }) => {
          try {
            const { events, due } = await fields.preview(caller, policy, body, connection);
            return { connection, name, events, due, problem: "" };
          } catch (error) {
            if (!(error instanceof Fault)) throw error;
            return { connection, name, events: null, due: null, problem: error.message };
          }
        });
        const [counted, looks, buckets] = await Promise.all([
          fields.preview(caller, policy, body),
          kept.looks(caller.tenant),
          Promise.all(inBuckets),
        ]);
        const backups = looks.find(({ place }) => place === "backups")?.detail;
        const places = fieldReach.map((one) =>
          one.place === "backups" && backups !== undefined ? { ...one, detail: `${one.detail}: ${backups}` } : one,
        );
        return { ...counted, buckets, places };
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
