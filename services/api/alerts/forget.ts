/**
 * Lets go of what is long over: incidents with their changes and notices, what was said of them, and silences that have
 * ended. The alerters forget on their own, days after an end; this is the history that people read.
 */
import { sql } from "kysely";
import { announceAlert } from "../control/outbox.ts";
import type { Db } from "../postgres.ts";

/** In one statement, so that none holds its rows for long. */
const atOnce = 1_000;

/** Until a turn has less to do than it may. */
const whole = async (turn: () => Promise<number>): Promise<number> => {
  for (let sum = 0; ; ) {
    const done = await turn();
    sum += done;
    if (done < atOnce) return sum;
  }
};

/** What had ended before `ended`. An incident that lasts stays, however old. Returns how many incidents went. */
export const forgetAlerts = async (db: Db, ended: Date): Promise<number> => {
  const incidents = await whole(() =>
    db.transaction().execute(async (trx) => {
      const { rows: gone } = await sql<{ tenant: string; id: string }>`
        delete from alert_incidents where (tenant, id) in (
          select tenant, id from alert_incidents
          where closed and created_at < ${ended} and (body->>'until')::bigint < ${ended.getTime()} limit ${atOnce})
        returning tenant, id`.execute(trx);
      if (gone.length === 0) return 0;
      const [tenants, ids] = [gone.map(({ tenant }) => tenant), gone.map(({ id }) => id)];
      const theirs = sql<boolean>`(tenant, incident) in (select * from unnest(${tenants}::text[], ${ids}::text[]))`;
      await trx.deleteFrom("alert_changes").where(theirs).execute();
      const said = await trx.deleteFrom("alert_actions").where(theirs).returning(["tenant", "id"]).execute();
      for (const { tenant, id } of said) await announceAlert(trx, "alertActions", tenant, id, null);
      return gone.length;
    }),
  );
  await whole(async () => {
    // One that is due is on its way still; its schedule ends within days.
    const { numAffectedRows } = await sql`delete from alert_notices where (tenant, id) in (
      select tenant, id from alert_notices where created_at < ${ended} and status <> 'due' limit ${atOnce})`.execute(
      db,
    );
    return Number(numAffectedRows ?? 0);
  });
  await whole(async () => {
    // What belongs to no incident: windows that waited for data.
    const { numAffectedRows } = await sql`delete from alert_changes where (tenant, id) in (
      select tenant, id from alert_changes where incident = '' and at < ${ended} limit ${atOnce})`.execute(db);
    return Number(numAffectedRows ?? 0);
  });
  await whole(() =>
    db.transaction().execute(async (trx) => {
      const gone = await trx
        .deleteFrom("alert_actions")
        .where("id", "in", (eb) =>
          eb
            .selectFrom("alert_actions as old")
            .select("old.id")
            .where("old.kind", "in", ["silence", "maintenance"])
            .where("old.ends_at", "<", ended)
            .limit(atOnce),
        )
        .returning(["tenant", "id"])
        .execute();
      for (const { tenant, id } of gone) await announceAlert(trx, "alertActions", tenant, id, null);
      return gone.length;
    }),
  );
  return incidents;
};
