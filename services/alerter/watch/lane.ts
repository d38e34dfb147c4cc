/** One partition of events.clean as the first stage has it. */
import { type Holding, newHolding } from "../holdings.ts";
import type { Chooser } from "./choose.ts";
import type { PartitionState } from "./partition.ts";
import type { Sight } from "./proof.ts";
import type { CountedRule } from "./tenants.ts";

export interface Lane extends Holding {
  /** Absent while the partition rests: no rule needs it. */
  state?: PartitionState;
  /** Those that are counted; changed only between records. */
  rules: readonly CountedRule[];
  byTenant: ReadonlyMap<string, Chooser>;
  /** Whether its records come. */
  reading: boolean;
  /** What was last seen of the raw topics and has not come through yet. */
  waiting?: Sight;
  /** What had come through when a window was last proven complete. */
  proven?: Sight;
  reportedAt: number;
  savedAt: number;
  savedNext: number;
}

export const newLane = (partition: number): Lane => ({
  ...newHolding(partition),
  rules: [],
  byTenant: new Map(),
  reading: false,
  reportedAt: 0,
  savedAt: Date.now(),
  savedNext: -1,
});

/** The earliest instant at which some rule's pane, with its lateness, ends behind the watermark. */
export const nextEnd = ({ rules, state }: Lane): number => {
  const seen = new Set<number>();
  let next = Number.POSITIVE_INFINITY;
  for (const { counter } of rules) {
    const { every, lateness } = counter;
    const kind = every * 3_600_001 + lateness;
    if (seen.has(kind)) continue;
    seen.add(kind);
    const after = (state?.watermark ?? 0) - lateness;
    next = Math.min(next, (Math.floor(after / every) + 1) * every + lateness);
  }
  return next;
};
