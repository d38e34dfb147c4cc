import { Fault } from "@astralog/chassis";
import type { Db, Trx } from "../postgres.ts";

/** Faults: `invalid_request`, naming the first id that is no source of the tenant's. */
export const mustHaveSources = async (db: Db | Trx, tenant: string, ids: readonly string[] | null): Promise<void> => {
  if (ids === null || ids.length === 0) return;
  const rows = await db
    .selectFrom("sources")
    .select("id")
    .where("tenant", "=", tenant)
    .where("id", "in", ids)
    .execute();
  const known = new Set(rows.map(({ id }) => id));
  const stranger = ids.find((id) => !known.has(id));
  if (stranger !== undefined)
    throw new Fault("invalid_request", `sources: there is no source ${JSON.stringify(stranger.slice(0, 32))}.`);
};
