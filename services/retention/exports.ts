/** Exports are streams to whoever asked for them: nothing of one is kept, so nothing of one can be past its time. */
import type { Place } from "./places.ts";

const detail =
  "exports are streams; none is kept here. What was downloaded is with whoever did, see events.exported in the audit trail";

export const exportsPlace: Place = {
  name: "exports",
  sweep: async () => ({ looked: 0, removed: new Map(), overdue: 0, held: 0, detail }),
  remove: async () => undefined,
  rescan: async () => ({ found: 0, removed: 0, detail }),
};
