/** Deletions in Postgres: what was asked, by whom and why, and the certificate in the end. */
import { Fault } from "@astralog/chassis";
import { randomBase62 } from "@astralog/schemas";
import type { DeletionTable } from "@astralog/schemas/postgres";
import { type Certificate, type DeletionScope, daysOfSource } from "@astralog/schemas/retention/index";
import type { Selectable } from "kysely";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { announceRetention, deletionRecord } from "../control/outbox.ts";
import { readPlan } from "../plans/tenant-plans.ts";
import { type Db, lockTenant, type Trx } from "../postgres.ts";
import { dropTakeouts } from "../takeout/takeouts.ts";
import { listRules, ruleOf } from "./rules.ts";

export type DeletionRow = Selectable<DeletionTable>;

/** How long a replay could bring something back: the longest that a topic with content lasts, and some days. */
const watchedMs = 20 * 86_400_000;
const mostOpen = 20;

export const scopeOfRow = ({ scope }: Pick<DeletionRow, "scope">): DeletionScope => scope as DeletionScope;

export const certificateOf = ({ certificate }: Pick<DeletionRow, "certificate">): Certificate | undefined =>
  (certificate as Certificate | null) ?? undefined;

/** Newest first. */
export const listDeletions = (db: Db, tenant: string, limit: number): Promise<DeletionRow[]> =>
  db
    .selectFrom("deletions")
    .selectAll()
    .where("tenant", "=", tenant)
    .orderBy("created_at", "desc")
    .orderBy("id")
    .limit(limit)
    .execute();

/** Faults: `not_found`. */
export const findDeletion = async (db: Db | Trx, tenant: string, id: string): Promise<DeletionRow> => {
  const row = await db
    .selectFrom("deletions")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .executeTakeFirst();
  if (row === undefined) throw new Fault("not_found", "There is no such deletion.");
  return row;
};

/** Whatever a hold may be about is not deleted: whether its query and the deletion's meet cannot be told. */
const checkHolds = async (trx: Trx, tenant: string, { sources }: DeletionScope): Promise<void> => {
  const rows = await trx
    .selectFrom("sources")
    .select(["id", "name", "retention_days"])
    .where("tenant", "=", tenant)
    .execute();
  const policy = {
    ...{ tenant, planDays: (await readPlan(trx, tenant)).limits.retention_days },
    sources: new Map(rows.map(({ id, name, retention_days: days }) => [id, { name, days }])),
    rules: (await listRules(trx, tenant)).map(ruleOf),
  };
  const ids = sources.length === 0 ? rows.map(({ id }) => id) : sources;
  const held = ids.find((id) => (daysOfSource(policy, id)?.held ?? "none") !== "none");
  if (held !== undefined)
    throw new Fault(
      "on_hold",
      `A legal hold covers events of the source ${policy.sources.get(held)?.name ?? held}. End the hold first, or leave the source out.`,
    );
};

/** Faults: `on_hold`, `too_many`. */
export const createDeletion = (
  db: Db,
  tenant: string,
  wanted: { readonly scope: Omit<DeletionScope, "cut">; readonly reason: string },
  by: By,
): Promise<DeletionRow> =>
  db.transaction().execute(async (trx) => {
    await lockTenant(trx, tenant);
    const now = new Date();
    const scope: DeletionScope = { ...wanted.scope, cut: now.getTime() };
    await checkHolds(trx, tenant, scope);
    const open = await trx
      .selectFrom("deletions")
      .select("id")
      .where("tenant", "=", tenant)
      .where("certificate", "is", null)
      .execute();
    if (open.length >= mostOpen)
      throw new Fault("too_many", `${mostOpen} deletions may be under way at once; wait for one to end.`);
    const row = await trx
      .insertInto("deletions")
      .values({
        ...{ id: `del_${randomBase62(12)}`, tenant, scope: JSON.stringify(scope), reason: wanted.reason },
        ...{ requested_by: by.actor.id, created_at: now, watched_until: new Date(now.getTime() + watchedMs) },
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    await dropTakeouts(trx, tenant);
    await announceRetention(trx, "deletions", row, deletionRecord(row));
    const { kind, query, sources, from, to } = scope;
    await recordAct(trx, by, {
      ...{ tenant, action: "deletion.requested", target: { kind: "deletion", id: row.id } },
      details: { kind, query, sources, from, to, reason: wanted.reason },
    });
    return row;
  });

/** Those without a certificate, of all tenants. */
export const openDeletions = (db: Db): Promise<DeletionRow[]> =>
  db.selectFrom("deletions").selectAll().where("certificate", "is", null).orderBy("created_at").execute();

/** Ends it. False when another api was faster. */
export const certify = (db: Db, row: DeletionRow, certificate: Certificate, by: By): Promise<boolean> =>
  db.transaction().execute(async (trx) => {
    const done = await trx
      .updateTable("deletions")
      .set({ certificate: JSON.stringify(certificate) })
      .where("id", "=", row.id)
      .where("certificate", "is", null)
      .returning("id")
      .executeTakeFirst();
    if (done === undefined) return false;
    await recordAct(trx, by, {
      ...{ tenant: row.tenant, action: "deletion.certified", target: { kind: "deletion", id: row.id } },
      details: { merkle_root: certificate.merkle.root, records: certificate.merkle.leaves },
    });
    return true;
  });

/** Tells retention to look no more for what no replay can bring back. */
export const releaseOld = (db: Db): Promise<void> =>
  db.transaction().execute(async (trx) => {
    const rows = await trx
      .updateTable("deletions")
      .set({ released: true })
      .where("released", "=", false)
      .where("certificate", "is not", null)
      .where("watched_until", "<", new Date())
      .returning(["id", "tenant"])
      .execute();
    for (const row of rows) await announceRetention(trx, "deletions", row, null);
  });
