/** One partition of alerts.partials as the second stage has it. */
import { type Holding, newHolding } from "../holdings.ts";
import type { JudgedRule, RuleState } from "./rule-state.ts";

export interface Reached {
  watermark: number;
  seen: number;
  known: number;
}

export interface Snapshot {
  readonly next: number;
  readonly written: number;
  readonly reached: Record<string, Reached>;
  readonly rules: RuleState[];
}

export interface Bench extends Holding {
  /** Offset of alerts.partials. */
  next: number;
  /** Offset of alerts.transitions behind what this state has led to. */
  written: number;
  /** Ids that lie behind it already. */
  there: Set<string>;
  /** By partition of events.clean. */
  reached: Record<string, Reached>;
  rules: Map<string, JudgedRule>;
  awake: boolean;
  loaded: boolean;
  since: number;
  dirty: boolean;
  savedAt: number;
}

export const newBench = (partition: number): Bench => ({
  ...newHolding(partition),
  next: 0,
  written: 0,
  there: new Set(),
  reached: {},
  rules: new Map(),
  awake: false,
  loaded: false,
  since: Date.now(),
  dirty: false,
  savedAt: Date.now(),
});

/** Of the raw records that were known of, the share that had come through the tenant's partitions. */
export const completenessOf = (bench: Bench, partitions: Iterable<number>, dueAt: number): number => {
  let [seen, known] = [0, 0];
  for (const partition of partitions) {
    const reached = bench.reached[partition];
    if (reached === undefined) continue;
    seen += reached.seen;
    known += reached.known;
    // One that has said nothing of this window lacks one record at least.
    if (reached.watermark < dueAt && reached.seen === reached.known) known++;
  }
  return known === 0 ? 0 : seen / known;
};
