/** What rules that drop fields would find, and what they have dropped of an event. */
import type { ControlTable } from "@astralog/chassis";
import type { RetentionRuleRecord } from "@astralog/schemas";
import { type Bind, createBinder } from "@astralog/schemas/query/index";
import {
  dayNumber,
  dayText,
  droppedConditions,
  dueOn,
  previewConditions,
  type RetentionRule,
  retentionRuleShape,
  type TenantPolicy,
} from "@astralog/schemas/retention/index";
import { type Owner, ownerSql } from "../search/scope.ts";
import type { Stores } from "../search/store.ts";

export interface FieldPreview {
  /** Events it finds that have something of its fields. */
  readonly events: number;
  /** Of these: past its days, so that they lose it with the next sweep. */
  readonly due: number;
  /** Past its days, and kept by a hold. */
  readonly held: number;
}

const seconds = 30;

export const createFieldQueries = (stores: Stores) => ({
  /** `place`: the id of a storage connection; left out: Astralog's own. Faults: those of stores and their queries. */
  preview: async (owner: Owner, policy: TenantPolicy, rule: RetentionRule, place?: string): Promise<FieldPreview> => {
    const { params, bind } = createBinder();
    const now = Date.now();
    const { there, over, held } = previewConditions(policy, rule, bind, { now, today: dayNumber(now) });
    const query = `SELECT toString(count()), toString(countIf(${over} AND NOT ${held})), toString(countIf(${over} AND ${held}))
FROM tenant_events WHERE ${ownerSql(owner, bind)} AND ${there}`;
    const store = await stores.open(owner, place);
    const options = { name: place === undefined ? "field_preview" : "field_preview_in_bucket", seconds };
    const { rows } = await store.ask<[string, string, string]>({}, { query, params }, options);
    const [events = 0, due = 0, kept = 0] = (rows[0] ?? []).map(Number);
    return { events, due, held: kept };
  },
});

export type FieldQueries = ReturnType<typeof createFieldQueries>;

/** What a rule has dropped, or would have: what was there before is nowhere written down. */
export interface DroppedFields {
  readonly rule: string;
  readonly fields: readonly string[];
  readonly except: readonly string[];
  readonly after_days: number;
  /** The day on which they were due, YYYY-MM-DD. */
  readonly due_on: string;
}

export interface DroppedOf {
  /** Of the event's row: for each rule whether it has dropped its fields. */
  column(bind: Bind): string;
  read(flags: readonly number[], receivedAt: number): DroppedFields[];
}

/** From the control topic: an event is shown without asking Postgres. */
export const createDroppedOf =
  (rules: Pick<ControlTable<RetentionRuleRecord>, "values">) =>
  (tenant: string, names: ReadonlyMap<string, string>): DroppedOf => {
    const now = Date.now();
    const policy: TenantPolicy = {
      ...{ tenant, planDays: 0 },
      sources: new Map([...names].map(([id, name]) => [id, { name, days: 0 }])),
      rules: [...rules.values()]
        .filter((record) => record.tenant === tenant)
        .flatMap(({ definition }) => retentionRuleShape.safeParse(JSON.parse(definition)).data ?? []),
    };
    const conditionsOf = (bind: Bind) => droppedConditions(policy, bind, { now, today: dayNumber(now) });
    return {
      column: (bind) => {
        const flags = conditionsOf(bind).map(({ sql }) => sql);
        return flags.length === 0 ? "[]" : `[${flags.join(", ")}]`;
      },
      read: (flags, receivedAt) =>
        policy.rules
          .filter(({ kind }) => kind === "drop_fields")
          .flatMap(({ name, fields, except, days }, i) =>
            flags[i] === 1
              ? [
                  {
                    ...{ rule: name, fields, except, after_days: days ?? 0 },
                    due_on: dayText(dueOn(dayNumber(receivedAt), days ?? 0)),
                  },
                ]
              : [],
          ),
    };
  };
