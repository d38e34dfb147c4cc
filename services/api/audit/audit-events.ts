/** Reads a trail back from Postgres: a page, newest first, and all of it, oldest first. */
import type { AuditEvent } from "@astralog/schemas";
import type { AuditEventTable } from "@astralog/schemas/postgres";
import type { Selectable } from "kysely";
import type { Db } from "../postgres.ts";

/** As it was hashed. */
export const auditEventOf = (row: Selectable<AuditEventTable>): AuditEvent =>
  ({
    v: 1,
    tenant: row.tenant,
    seq: row.seq,
    at: row.at.toISOString(),
    actor: { kind: row.actor_kind, id: row.actor_id, name: row.actor_name },
    action: row.action,
    target: { kind: row.target_kind, id: row.target_id },
    where: { ip: row.ip, user_agent: row.user_agent, request_id: row.request_id },
    result: row.result,
    details: JSON.parse(row.details) as AuditEvent["details"],
    prev: row.prev,
    hash: row.hash,
  }) as AuditEvent;

export interface AuditFilter {
  readonly action?: string | undefined;
  /** Ids. */
  readonly actor?: string | undefined;
  readonly target?: string | undefined;
  readonly from?: Date | undefined;
  /** Not included. */
  readonly to?: Date | undefined;
  /** Only what lies before this event. */
  readonly before?: number | undefined;
  readonly limit: number;
}

export const listAudit = async (db: Db, tenant: string, filter: AuditFilter): Promise<AuditEvent[]> => {
  let query = db.selectFrom("audit_events").selectAll().where("tenant", "=", tenant);
  if (filter.action !== undefined) query = query.where("action", "=", filter.action);
  if (filter.actor !== undefined) query = query.where("actor_id", "=", filter.actor);
  if (filter.target !== undefined) query = query.where("target_id", "=", filter.target);
  if (filter.from !== undefined) query = query.where("at", ">=", filter.from);
  if (filter.to !== undefined) query = query.where("at", "<", filter.to);
  if (filter.before !== undefined) query = query.where("seq", "<", filter.before);
  return (await query.orderBy("seq", "desc").limit(filter.limit).execute()).map(auditEventOf);
};

const rowsAtOnce = 1_000;

/** The chain up to and with `last`, in pages: rows only get added, so pages need no snapshot. */
export async function* readAudit(db: Db, tenant: string, last: number): AsyncGenerator<AuditEvent> {
  let done = 0;
  for (;;) {
    const rows = await db
      .selectFrom("audit_events")
      .selectAll()
      .where("tenant", "=", tenant)
      .where("seq", ">", done)
      .where("seq", "<=", last)
      .orderBy("seq")
      .limit(rowsAtOnce)
      .execute();
    for (const row of rows) yield auditEventOf(row);
    const end = rows.at(-1);
    if (end === undefined || rows.length < rowsAtOnce) return;
    done = end.seq;
  }
}
