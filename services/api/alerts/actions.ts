/** What people say about incidents: silences, maintenance windows, acknowledgements, snoozes, and that one is over. */
import { Fault } from "@astralog/chassis";
import { randomBase62 } from "@astralog/schemas";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { announceAlert } from "../control/outbox.ts";
import { after, created, pageOf } from "../http/paging.ts";
import type { Db, Trx } from "../postgres.ts";
import { type ActionRow, announceAction } from "./control-records.ts";

const acts = {
  silence: "alert.silenced",
  maintenance: "alert.silenced",
  acknowledgement: "alert.acknowledged",
  snooze: "alert.snoozed",
  resolution: "alert.resolved",
} as const;

export interface NewAction {
  readonly kind: ActionRow["kind"];
  readonly matchers?: unknown;
  readonly incident?: string;
  readonly starts_at?: Date | undefined;
  readonly ends_at?: Date | undefined;
  readonly schedule?: unknown;
  readonly comment: string;
}

export const listSilences = async (
  db: Db,
  tenant: string,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<{ page: ActionRow[]; next: string | null }> => {
  const rows = await db
    .selectFrom("alert_actions")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("kind", "in", ["silence", "maintenance"])
    .where(after(cursor))
    .orderBy(created)
    .orderBy("id")
    .limit(limit + 1)
    .execute();
  return pageOf(rows, limit);
};

const say = async (trx: Trx, tenant: string, given: NewAction, by: By): Promise<ActionRow> => {
  const row = await trx
    .insertInto("alert_actions")
    .values({
      ...{ id: `act_${randomBase62(12)}`, tenant, kind: given.kind, incident: given.incident ?? "" },
      matchers: JSON.stringify(given.matchers ?? []),
      ...{ starts_at: given.starts_at ?? new Date(), ends_at: given.ends_at ?? null, comment: given.comment },
      schedule: given.schedule === undefined ? null : JSON.stringify(given.schedule),
      created_by: by.actor.id,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await announceAction(trx, row);
  const target =
    row.incident === "" ? { kind: "alert_silence", id: row.id } : { kind: "alert_incident", id: row.incident };
  await recordAct(trx, by, {
    ...{ tenant, action: acts[row.kind], target },
    details: { kind: row.kind, comment: row.comment, until: row.ends_at?.toISOString() ?? "" },
  });
  return row;
};

/** With what people call who did it: a person's name or address, a key's name or its visible ends. */
export const withNames = async (
  db: Db,
  rows: readonly ActionRow[],
): Promise<(ActionRow & { created_by_name: string })[]> => {
  if (rows.length === 0) return [];
  const ids = [...new Set(rows.map(({ created_by }) => created_by))];
  const people = await db.selectFrom("people").select(["id", "name", "email"]).where("id", "in", ids).execute();
  const keys = await db.selectFrom("keys").select(["id", "name", "prefix", "last4"]).where("id", "in", ids).execute();
  const names = new Map([
    ...people.map(({ id, name, email }): [string, string] => [id, name || email]),
    ...keys.map(({ id, name, prefix, last4 }): [string, string] => [id, name || `${prefix}…${last4}`]),
  ]);
  return rows.map((row) => ({ ...row, created_by_name: names.get(row.created_by) ?? "" }));
};

export const addSilence = (db: Db, tenant: string, given: NewAction, by: By): Promise<ActionRow> =>
  db.transaction().execute((trx) => say(trx, tenant, given, by));

/** Faults: `not_found`. */
export const endSilence = (db: Db, tenant: string, id: string, by: By): Promise<void> =>
  db.transaction().execute(async (trx) => {
    const row = await trx
      .deleteFrom("alert_actions")
      .where("tenant", "=", tenant)
      .where("id", "=", id)
      .where("kind", "in", ["silence", "maintenance"])
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) throw new Fault("not_found", "There is no such silence.");
    await announceAlert(trx, "alertActions", tenant, id, null);
    await recordAct(trx, by, { tenant, action: "alert.silence_ended", target: { kind: "alert_silence", id } });
  });

/** The last word of a kind counts: one that was said before goes. Faults: `not_found`. */
export const sayOfIncident = (
  db: Db,
  tenant: string,
  given: NewAction & { incident: string },
  by: By,
): Promise<ActionRow> =>
  db.transaction().execute(async (trx) => {
    const incident = await trx
      .selectFrom("alert_incidents")
      .select("id")
      .where("tenant", "=", tenant)
      .where("id", "=", given.incident)
      .forUpdate()
      .executeTakeFirst();
    if (incident === undefined) throw new Fault("not_found", "There is no such incident.");
    const before = await trx
      .deleteFrom("alert_actions")
      .where("tenant", "=", tenant)
      .where("incident", "=", given.incident)
      .where("kind", "=", given.kind)
      .returning("id")
      .execute();
    for (const { id } of before) await announceAlert(trx, "alertActions", tenant, id, null);
    return say(trx, tenant, given, by);
  });
