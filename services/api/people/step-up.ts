/**
 * What changes who can get in is asked of people who have just shown that they are themselves: by their second factor,
 * or, as long as they have none, by a sign-in a moment ago.
 */
import { Fault } from "@astralog/chassis";
import type { Session } from "../http/caller.ts";
import type { Db } from "../postgres.ts";

export const freshMs = 10 * 60_000;

/** Faults: `step_up_required`, `sign_in_again`, `forbidden`. */
export const freshly = async (db: Db, { id, mfaAt }: Session): Promise<void> => {
  const row = await db
    .selectFrom("sessions")
    .select(["created_at", "organization"])
    .where("id", "=", id)
    .executeTakeFirst();
  // An organization's provider vouched for this session; it has no say over ways into the person's other organizations.
  if (row !== undefined && row.organization !== null)
    throw new Fault(
      "forbidden",
      "You came through your organization's provider: sign in by mail or passkey to do this.",
    );
  const since = Date.now() - freshMs;
  if (mfaAt !== null) {
    if (mfaAt.getTime() < since)
      throw new Fault("step_up_required", "Show your second factor again, then repeat this.");
    return;
  }
  // A complete session without a second factor: its person has none.
  if (row === undefined || row.created_at.getTime() < since)
    throw new Fault("sign_in_again", "Sign in again, then repeat this: it may change who gets in.");
};
