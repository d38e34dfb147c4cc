/**
 * What people do to their own account, in the trails of all the organizations they belong to: each has a right to know.
 * Who belongs to none yet is told of in the chain that belongs to none.
 */
import { systemChain } from "@astralog/schemas";
import { type Act, type By, recordAct } from "../audit/audit-trail.ts";
import type { Db, Trx } from "../postgres.ts";

/** In one order, since each chain is locked in turn. */
export const chainsOf = async (db: Db | Trx, person: string | undefined): Promise<string[]> => {
  if (person === undefined) return [systemChain];
  const rows = await db.selectFrom("memberships").select("tenant").where("person", "=", person).execute();
  return rows.length === 0 ? [systemChain] : rows.map(({ tenant }) => tenant).sort();
};

/** Call it last in the transaction. */
export const recordPersonalAct = async (trx: Trx, by: By, person: string, act: Omit<Act, "tenant">): Promise<void> => {
  for (const tenant of await chainsOf(trx, person)) await recordAct(trx, by, { tenant, ...act });
};
