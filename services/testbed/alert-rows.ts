/** What a driver of alerts says, as the api would have it in Postgres: what is not there is taken out of the topics. */
import type { AlertActionRecord, AlertDestinationRecord } from "@astralog/schemas";
import type { Destination, Rule } from "@astralog/schemas/alerts/index";
import type { connectPostgres } from "@astralog/schemas/postgres";

type Db = ReturnType<typeof connectPostgres>;

export const createAlertRows = (db: Db) => {
  const tenants = new Set<string>();
  const known = async (tenant: string): Promise<void> => {
    if (tenants.has(tenant)) return;
    await db
      .insertInto("tenants")
      .values({ id: tenant, name: tenant, handle: null })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    tenants.add(tenant);
  };

  const action = async (record: AlertActionRecord): Promise<void> => {
    const { tenant, action: id, kind, incident, matchers, schedule, by, comment } = record;
    await known(tenant);
    const values = {
      ...{ id, tenant, kind: kind as "silence", incident, matchers, comment, created_by: by },
      starts_at: new Date(Number(record.starts_at)),
      ends_at: record.ends_at === 0n ? null : new Date(Number(record.ends_at)),
      schedule: schedule === "" ? null : schedule,
    };
    await db
      .insertInto("alert_actions")
      .values(values)
      .onConflict((conflict) => conflict.column("id").doUpdateSet(values))
      .execute();
  };

  const destination = async ({ tenant, definition }: AlertDestinationRecord): Promise<void> => {
    await known(tenant);
    const { id, name, kind, settings, template, standard, version, disabled, sealed } = JSON.parse(
      definition,
    ) as Destination;
    const values = {
      ...{ id, tenant, name, kind, standard, version, sealed, disabled_at: disabled ? new Date() : null },
      ...{ settings: JSON.stringify(settings), template: JSON.stringify(template) },
    };
    await db
      .insertInto("alert_destinations")
      .values(values)
      .onConflict((conflict) => conflict.column("id").doUpdateSet(values))
      .execute();
  };

  return {
    rule: async (tenant: string, rule: Rule, version: number, from: Date): Promise<void> => {
      await known(tenant);
      const values = { version, effective_from: from, definition: JSON.stringify(rule), deleted_at: null };
      await db
        .insertInto("alert_rules")
        .values({ ...values, tenant, id: rule.id })
        .onConflict((conflict) => conflict.columns(["tenant", "id"]).doUpdateSet(values))
        .execute();
    },
    removeRule: async (tenant: string, id: string): Promise<void> => {
      const gone = { deleted_at: new Date() };
      await db.updateTable("alert_rules").set(gone).where("tenant", "=", tenant).where("id", "=", id).execute();
    },
    said: async (
      record: "AlertDestination" | "AlertAction",
      key: string,
      value: AlertActionRecord | AlertDestinationRecord | null,
    ): Promise<void> => {
      const table = record === "AlertAction" ? "alert_actions" : "alert_destinations";
      if (value === null)
        await db
          .deleteFrom(table)
          .where("id", "=", key.slice(key.indexOf("/") + 1))
          .execute();
      else if ("action" in value) await action(value);
      else await destination(value);
    },
  };
};
