/** Alerts over HTTP: rules as people and git write them, and whole sets of them with a plan first. */

import { Fault } from "@astralog/chassis";
import { type RuleInput, ruleShape } from "@astralog/schemas/alerts/index";
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { type Db, withPostgres } from "../postgres.ts";
import { definitionOf, type RuleRow } from "./control-records.ts";
import { standingShape, standings } from "./rule-states.ts";
import { applyRules, createRule, deleteRule, findRule, listRules, planRules, updateRule } from "./rules.ts";

export interface RuleEndpointsDeps {
  readonly db: Db;
  readonly audit: Pick<Audit, "by">;
}

const date = z.iso.datetime();
const shape = z.object({
  ...{ id: z.string(), version: z.int(), effective_from: date, rule: z.record(z.string(), z.unknown()) },
  ...{ created_at: date, updated_at: date },
});
const change = z.object({
  id: z.string(),
  change: z.enum(["create", "update", "delete"]),
  fields: z.array(z.object({ field: z.string(), before: z.string(), after: z.string() })),
});
const set = z.strictObject({
  rules: z
    .array(ruleShape)
    .max(1_000)
    .refine((rules) => new Set(rules.map(({ id }) => id)).size === rules.length, "have one id twice"),
  prune: z.boolean().default(false).describe("Delete rules that are not in the set."),
});

const shown = (row: RuleRow) => ({
  ...{ id: row.id, version: row.version, effective_from: row.effective_from, rule: definitionOf(row) as RuleInput },
  ...{ created_at: row.created_at, updated_at: row.updated_at },
});

export const createRuleEndpoints = ({ db, audit }: RuleEndpointsDeps): Endpoint[] => {
  const tag = "alerts";
  const read = { access: "alerts.read", tag } as const;
  const write = { access: "alerts.write", tag } as const;
  const one = { success: { status: 200, body: shape }, etag: true } as const;
  const changes = { status: 200, body: z.object({ changes: z.array(change) }) } as const;
  const held = (unchanged: (shown: unknown) => void) => (row: RuleRow) => unchanged(shown(row));
  return [
    endpoint({
      ...{ ...read, method: "get", path: "/alerts/rules", summary: "The alert rules, and how they stand" },
      success: { status: 200, body: z.object({ rules: z.array(shape.extend({ standing: standingShape })) }) },
      handle: ({ caller }) =>
        withPostgres(async () => {
          const rows = await listRules(db, caller.tenant);
          const now = await standings(db, rows);
          return { rules: rows.map((row) => ({ ...shown(row), standing: now.get(row.id) })) };
        }),
    }),
    endpoint({
      ...{ ...read, ...one, method: "get", path: "/alerts/rules/:id", summary: "One alert rule" },
      handle: ({ caller, params }) => withPostgres(async () => shown(await findRule(db, caller.tenant, params.id))),
    }),
    endpoint({
      ...{ ...write, method: "post", path: "/alerts/rules", summary: "Make an alert rule", etag: true },
      body: ruleShape,
      success: { status: 201, body: shape },
      handle: ({ caller, body, response }) =>
        withPostgres(async () => shown(await createRule(db, caller.tenant, body, audit.by(response)))),
    }),
    endpoint({
      ...{ ...write, ...one, method: "put", path: "/alerts/rules/:id", summary: "Change an alert rule" },
      body: ruleShape,
      handle: ({ caller, params, body, unchanged, response }) =>
        withPostgres(async () => {
          const { id } = await findRule(db, caller.tenant, params.id);
          if (body.id !== id) throw new Fault("invalid_request", "id: must be the one in the address.");
          return shown(await updateRule(db, caller.tenant, body, held(unchanged), audit.by(response)));
        }),
    }),
    endpoint({
      ...{ ...write, method: "delete", path: "/alerts/rules/:id", summary: "Delete an alert rule" },
      success: { status: 204 },
      handle: ({ caller, params, unchanged, response }) =>
        withPostgres(() => deleteRule(db, caller.tenant, params.id, held(unchanged), audit.by(response))),
    }),
    endpoint({
      ...{ ...read, method: "post", path: "/alerts/rules/plan", summary: "What applying a set of rules would do" },
      ...{ body: set, bodyLimit: "4mb", success: changes },
      handle: ({ caller, body }) =>
        withPostgres(async () => ({ changes: planRules(await listRules(db, caller.tenant), body.rules, body.prune) })),
    }),
    endpoint({
      ...{ ...write, method: "post", path: "/alerts/rules/apply", summary: "Apply a set of rules, all or nothing" },
      ...{ body: set, bodyLimit: "4mb", success: changes },
      handle: ({ caller, body, response }) =>
        withPostgres(async () => ({
          changes: await applyRules(db, caller.tenant, body.rules, body.prune, audit.by(response)),
        })),
    }),
  ];
};
