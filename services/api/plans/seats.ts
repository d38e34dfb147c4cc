/** How many people a plan has room for: its members and those it waits for. */
import { Fault } from "@astralog/chassis";
import type { Trx } from "../postgres.ts";
import { readPlan } from "./tenant-plans.ts";

/**
 * Before one more is invited or, where nobody invited him, joins; while the organization is locked. `instead` is an
 * invitation's address whose place is taken over. Faults: `over_plan`.
 */
export const mustHaveSeat = async (trx: Trx, tenant: string, instead = ""): Promise<void> => {
  const { plan, limits } = await readPlan(trx, tenant);
  if (limits.seats === 0) return;
  const { members } = await trx
    .selectFrom("memberships")
    .select(({ fn }) => fn.countAll<number>().as("members"))
    .where("tenant", "=", tenant)
    .executeTakeFirstOrThrow();
  const { invited } = await trx
    .selectFrom("invitations")
    .select(({ fn }) => fn.countAll<number>().as("invited"))
    .where("tenant", "=", tenant)
    .where("accepted_at", "is", null)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", new Date())
    .where("email", "!=", instead)
    .executeTakeFirstOrThrow();
  if (members + invited >= limits.seats)
    throw new Fault(
      "over_plan",
      `The organization's plan (${plan}) has ${limits.seats} seats: ${members} members and ${invited} open invitations take them.`,
    );
};
