/**
 * Backups are never changed: each is removed whole when its time is over. So nothing can be taken out of one, and what is
 * said of a deletion is by when the last backup is gone that may hold it.
 */
import type { Place } from "./places.ts";

const dayMs = 86_400_000;

/** A backup that is past its time is removed beside the making of the next. */
const slackDays = 1;

export const createBackupsPlace = ({ keepDays, now = Date.now }: { keepDays: number; now?: () => number }): Place => {
  const none = "Astralog makes no backups here; what an operator copies by other means is his to look after";
  return {
    name: "backups",
    sweep: async () => ({
      ...{ looked: 0, removed: new Map(), overdue: 0, held: 0 },
      detail:
        keepDays === 0 ? none : `backups are removed ${keepDays} days after they were begun, once there is a newer one`,
    }),
    remove: async () => undefined,
    // Asked when all other places are found empty: whatever backup begins from here on does not hold it.
    rescan: async () => ({
      ...{ found: 0, removed: 0 },
      detail:
        keepDays === 0
          ? none
          : `backups forget by themselves: none that begins after ${new Date(now()).toISOString()} holds it, and those before are gone by ${new Date(now() + (keepDays + slackDays) * dayMs).toISOString()}, as long as newer ones are made; until then they are sealed, and in reach of the operator only`,
    }),
  };
};
