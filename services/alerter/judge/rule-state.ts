/**
 * One rule on the second stage: its machine, and the parts of panes that are not complete yet. Plain JSON, but for the
 * machine, which is made anew from its state. Every part is the whole of what its lane counted, so of two the greater one
 * is the newer.
 */
import type { AlertCounter, AlertMatch } from "@astralog/schemas";
import {
  type Change,
  createMachine,
  groupKey,
  type Machine,
  type MachineState,
  type Measure,
  mergeLanes,
  newState,
  paneSpan,
  type Rule,
  reviveMeasure,
  reviveState,
  spanMs,
} from "@astralog/schemas/alerts/index";

export interface RuleState {
  readonly tenant: string;
  readonly rule: string;
  readonly version: number;
  readonly effectiveFrom: number;
  readonly definition: Rule;
  readonly machine: MachineState;
  /** Pane to group to lane. */
  readonly panes: Record<string, Record<string, Record<string, Measure>>>;
  /** Lane to the last match that was told of. */
  readonly told: Record<string, [offset: number, index: number]>;
  /** Partition of events.clean to whether it counts this version. */
  readonly admitted: Record<string, boolean>;
  /** Begin of a pane that has been marked incomplete. */
  marked: number;
  /** Ids of changes that were said before their window was complete. */
  early: string[];
  /** Whether those who run cannot judge it: then nothing is but that. */
  readonly unjudged?: boolean;
}

export const newRuleState = (
  of: Pick<RuleState, "tenant" | "rule" | "version" | "effectiveFrom" | "definition" | "unjudged">,
): RuleState => ({
  ...of,
  machine: newState(of.definition, of.effectiveFrom),
  panes: {},
  told: {},
  admitted: {},
  marked: -1,
  early: [],
});

export const reviveRuleState = (state: RuleState): RuleState => {
  reviveState(state.machine);
  for (const groups of Object.values(state.panes))
    for (const lanes of Object.values(groups)) for (const measure of Object.values(lanes)) reviveMeasure(measure);
  return state;
};

export interface JudgedRule {
  readonly state: RuleState;
  addCounter(counter: AlertCounter): void;
  /** Whether the match is new: not one that a first stage that began again has said already. */
  addMatch(match: AlertMatch): boolean;
  /** When the next pane ends, with its lateness: it is complete when every partition's watermark has come so far. */
  readonly dueAt: number;
  /** Takes the next pane, which is complete. */
  step(): Change[];
  /** What the next pane would lead to if nothing came any more, and nothing is changed. */
  foresee(): Change[];
}

export const judgeRule = (state: RuleState): JudgedRule => {
  const { definition, effectiveFrom } = state;
  const machine: Machine = createMachine(definition, effectiveFrom, state.machine);
  const every = paneSpan(definition);
  const lateness = spanMs(definition.lateness);

  const merged = (pane: number): Map<string, Measure> =>
    new Map(Object.entries(state.panes[pane] ?? {}).map(([group, lanes]) => [group, mergeLanes(lanes)]));

  return {
    state,
    addCounter: ({ pane, group, lane, count, other, sum, min, max, numbers, event, line }) => {
      const at = Number(pane);
      if (at < machine.state.next) return;
      const groups = (state.panes[at] ??= {});
      const lanes = (groups[groupKey(group)] ??= {});
      const known = lanes[lane];
      const fresh = {
        count: Number(count),
        other: Number(other),
        sum,
        min,
        max,
        numbers: Number(numbers),
        event,
        line,
      };
      if (known === undefined || fresh.count + fresh.other > known.count + known.other) lanes[lane] = fresh;
    },
    addMatch: ({ lane, offset, index }) => {
      const [lastOffset, lastIndex] = state.told[lane] ?? [-1, -1];
      const at = Number(offset);
      if (at < lastOffset || (at === lastOffset && index <= lastIndex)) return false;
      state.told[lane] = [at, index];
      return true;
    },
    get dueAt() {
      return machine.state.next + every + lateness;
    },
    step: () => {
      const pane = machine.state.next;
      const changes = machine.step(merged(pane));
      delete state.panes[pane];
      return changes;
    },
    foresee: () => {
      const copy = reviveState(JSON.parse(JSON.stringify(machine.state)) as MachineState);
      return createMachine(definition, effectiveFrom, copy).step(merged(machine.state.next));
    },
  };
};

/** Whether more events can only make a window of it more true: then one that is true before it is complete stays so. */
export const onlyGrows = ({ when }: Rule): boolean =>
  when.type === "threshold" && when.above !== undefined && (when.value === "count()" || when.value === "rate()");
