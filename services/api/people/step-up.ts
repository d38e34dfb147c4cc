/**
 * What changes who can get in is asked of people who have just shown that they are themselves: by their second factor,
 * or, as long as they have none, by a sign-in a moment ago.
 */
import { Fault } from "@astralog/chassis";
import type { Session } from "../http/caller.ts";
import type { Db } from "../postgres.ts";

export const freshMs = 10 * 60_000;

/** Faults: `step_up_required`, `sign_in_again`. */
export const freshly = async (db: Db, { id, mfaAt }: Session): Promise<void> => {
  const since = Date.now() - freshMs;
  if (mfaAt !== null) {
    if (mfaAt.getTime() < since)
      throw new Fault("step_up_required", "Show your second factor again, then repeat this.");
    return;
  }
  // A complete session without a second factor: its person has none.
  const row = await db.selectFrom("sessions").select("created_at").where("id", "=", id).executeTakeFirst();
  if (row === undefined || row.created_at.getTime() < since)
    throw new Fault("sign_in_again", "Sign in again, then repeat this: it may change who gets in.");
};
