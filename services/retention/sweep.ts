/** One look through all places: what is past its time is removed, and what was found is written down. */
import { randomUUID } from "node:crypto";
import type { Log } from "@astralog/chassis";
import type { RetentionMetrics } from "./metrics.ts";
import { type FieldsPlace, type Place, type Policies, total } from "./places.ts";
import type { Records } from "./records.ts";

export const createSweep = (deps: {
  places: readonly Place[];
  fields: readonly FieldsPlace[];
  records: Records;
  policies(): Policies;
  metrics: RetentionMetrics;
  log: Log;
}) => {
  const { places, fields, records, metrics, log } = deps;
  return async (): Promise<void> => {
    const sweep = randomUUID();
    const policies = deps.policies();
    const end = metrics.sweepSeconds.startTimer();
    let clean = true;
    // Kafka first: while it is away a hold may be unknown here, and nothing is removed. Fields last: of events that stay.
    for (const place of [...places.toReversed(), ...fields]) {
      const began = Date.now();
      const swept = await place.sweep(policies, began);
      await records.swept(sweep, place.name, swept, began);
      const removed = total(swept.removed);
      metrics.removed.inc({ place: place.name, cause: "expired" }, removed);
      metrics.overdue.set({ place: place.name }, swept.overdue);
      clean &&= swept.overdue === 0;
      if (swept.overdue > 0)
        log.error(
          { place: place.name, overdue: swept.overdue, detail: swept.detail },
          "something is past its time and still there",
        );
      else if (removed > 0) log.info({ place: place.name, removed }, "what was past its time is removed");
    }
    end();
    if (clean) metrics.sweptAt.set(Date.now() / 1000);
  };
};
