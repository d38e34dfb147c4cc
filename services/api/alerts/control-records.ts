/** What the alerters know of rules, destinations and what people say: the rows as the control topics have them. */
import type { AlertActionRecord, AlertDestinationRecord, AlertRuleRecord } from "@astralog/schemas";
import type { Destination, DestinationKind, Rule } from "@astralog/schemas/alerts/index";
import type { AlertActionTable, AlertDestinationTable, AlertRuleTable } from "@astralog/schemas/postgres";
import type { Selectable } from "kysely";
import { announceAlert } from "../control/outbox.ts";
import type { Trx } from "../postgres.ts";

export type RuleRow = Selectable<AlertRuleTable>;
export type ActionRow = Selectable<AlertActionTable>;
export type DestinationRow = Selectable<AlertDestinationTable>;

export const definitionOf = ({ definition }: Pick<RuleRow, "definition">): Rule => definition as Rule;

/** undefined of a rule that is off or was deleted: no alerter judges it. */
export const ruleRecord = (row: RuleRow): AlertRuleRecord | undefined => {
  const { tenant, id, version, effective_from, definition, deleted_at } = row;
  if (deleted_at !== null || !definitionOf(row).enabled) return undefined;
  return {
    ...{ tenant, rule: id, version, effective_from: BigInt(effective_from.getTime()) },
    definition: JSON.stringify(definition),
  };
};

export const announceRule = (trx: Trx, row: RuleRow): Promise<void> =>
  announceAlert(trx, "alertRules", row.tenant, row.id, ruleRecord(row) ?? null);

export const actionRecord = (row: ActionRow): AlertActionRecord => ({
  ...{ tenant: row.tenant, action: row.id, kind: row.kind, matchers: JSON.stringify(row.matchers) },
  ...{ incident: row.incident, starts_at: BigInt(row.starts_at.getTime()) },
  ends_at: BigInt(row.ends_at?.getTime() ?? 0),
  schedule: row.schedule === null ? "" : JSON.stringify(row.schedule),
  // It never changes: who takes something back takes it away.
  ...{ by: row.created_by, comment: row.comment, updated_at: BigInt(row.created_at.getTime()) },
});

export const announceAction = (trx: Trx, row: ActionRow): Promise<void> =>
  announceAlert(trx, "alertActions", row.tenant, row.id, actionRecord(row));

export const destinationOf = (row: DestinationRow): Destination =>
  ({
    ...{ id: row.id, tenant: row.tenant, name: row.name, kind: row.kind as DestinationKind, settings: row.settings },
    ...{ template: row.template, standard: row.standard, version: row.version, disabled: row.disabled_at !== null },
    sealed: row.sealed,
  }) as Destination;

export const destinationRecord = (row: DestinationRow): AlertDestinationRecord => ({
  ...{ tenant: row.tenant, destination: row.id, definition: JSON.stringify(destinationOf(row)) },
});

export const announceDestination = (trx: Trx, row: DestinationRow): Promise<void> =>
  announceAlert(trx, "alertDestinations", row.tenant, row.id, destinationRecord(row));
