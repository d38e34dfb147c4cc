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
  /** Ids that lie behind it already, the newest last. */
  readonly there: Set<string>;
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

/** What is judged again is what a snapshot did not have yet; many more than that are written in no such time. */
const mostThere = 50_000;

/** Whatever is judged again from here on, these are not written again. */
export const remember = ({ there }: Bench, ids: readonly string[]): void => {
  for (const id of ids) there.add(id);
  for (const id of there) {
    if (there.size <= mostThere) return;
    there.delete(id);
  }
};

/** How far all partitions of the rule's tenant have come. */
export const watermarkOf = ({ reached }: Bench, { state }: JudgedRule, partitions: Iterable<number>): number => {
  let lowest = Number.POSITIVE_INFINITY;
  for (const partition of partitions) {
    if (state.admitted[partition] !== true) return 0;
    lowest = Math.min(lowest, reached[partition]?.watermark ?? 0);
  }
  return Number.isFinite(lowest) ? lowest : 0;
};
