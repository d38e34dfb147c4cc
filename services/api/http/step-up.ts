/** A dangerous act asks a person for a second factor of the last minutes. Keys have none, and are not asked. */
import { Fault } from "@astralog/chassis";
import type { Session } from "./caller.ts";

/** How long a proven second factor opens what needs one. */
const stepUpMs = 10 * 60_000;

/** Faults: `step_up_required`. */
export const mustHaveProven = (session: Session | undefined): void => {
  if (session === undefined) return;
  const { mfaAt } = session;
  if (mfaAt === null || Date.now() - mfaAt.getTime() > stepUpMs)
    throw new Fault("step_up_required", "Prove your second factor again, then repeat this.");
};
