/**
 * What one partition of events.clean adds to the rules: counts of panes that may still change. Pure but for what it is
 * given. A raw record is taken once, by its coordinates, however often it comes.
 */
import type { InRecord } from "@astralog/chassis";
import { type AlertCounter, type AlertMatch, AvroError, formatEventId, type RecordAt } from "@astralog/schemas";
import { groupValues, lineOf, type Measure, type Panes, reviveMeasure } from "@astralog/schemas/alerts/index";
import type { Chooser } from "./choose.ts";
import type { BatchReader } from "./read-batch.ts";
import type { CountedRule } from "./tenants.ts";

interface RuleCounts {
  readonly version: number;
  /** By lane. */
  readonly lanes: Map<string, Panes>;
}

export interface PartitionState {
  /** Offset of events.clean. */
  next: number;
  /** No pane that ended by then, with its lateness, will change. */
  watermark: number;
  /** Lane to the highest raw offset that was taken. */
  readonly lanes: Map<string, number>;
  readonly rules: Map<string, RuleCounts>;
  /** Keys of clients' own retries, the oldest first. */
  readonly repeats: Set<string>;
}

export const newPartition = (next: number): PartitionState => ({
  next,
  watermark: 0,
  lanes: new Map(),
  rules: new Map(),
  repeats: new Set(),
});

export interface Taken {
  matches: AlertMatch[];
  events: number;
  late: number;
}

/** A key that a client chose is longer than a random one. */
const keyedLength = 24;
const rememberedRepeats = 20_000;

const isRepeat = ({ repeats }: PartitionState, key: string): boolean => {
  if (key.length !== keyedLength) return false;
  const known = repeats.delete(key);
  repeats.add(key);
  if (repeats.size > rememberedRepeats) for (const oldest of repeats) if (repeats.delete(oldest)) break;
  return known;
};

const panesOf = (counts: RuleCounts, lane: string): Panes => {
  let panes = counts.lanes.get(lane);
  if (panes === undefined) counts.lanes.set(lane, (panes = new Map()));
  return panes;
};

/** Takes a record for these rules, which are all of one tenant's or none. */
export const takeRecords = async (
  state: PartitionState,
  records: readonly InRecord[],
  rulesOf: (tenant: string) => Chooser | undefined,
  readBatch: BatchReader,
  plainTopic: (topic: string) => string,
): Promise<Taken> => {
  const taken: Taken = { matches: [], events: 0, late: 0 };
  for (const { offset, value } of records) {
    if (offset < state.next) continue;
    state.next = offset + 1;
    const batch = await readBatch(value);
    if (batch === undefined) continue;
    const at: RecordAt = {
      topic: plainTopic(batch.raw_topic),
      partition: batch.raw_partition,
      offset: batch.raw_offset,
    };
    const lane = `${at.topic}/${at.partition}`;
    if (at.offset <= (state.lanes.get(lane) ?? -1)) continue;
    state.lanes.set(lane, at.offset);
    const rules = rulesOf(batch.tenant);
    // What another Astralog received is no news here, though its times may be of a moment ago.
    if (rules === undefined || batch.protocol === "import" || isRepeat(state, batch.dedup_id)) continue;
    if (batch.received_at < state.watermark) taken.late++;
    const chosen = rules.rulesFor(batch.raw);
    if (chosen.length === 0) {
      taken.events += batch.accepted;
      continue;
    }
    const counted = chosen.map(({ active, counter }) => {
      let counts = state.rules.get(active.key);
      if (counts === undefined) state.rules.set(active.key, (counts = { version: active.version, lanes: new Map() }));
      return { active, counter, panes: panesOf(counts, lane) };
    });
    try {
      batch.each((event, index) => {
        taken.events++;
        let id = "";
        for (const { active, counter, panes } of counted) {
          const match = counter.add(panes, {
            event,
            receivedAt: batch.received_at,
            id: () => (id ||= formatEventId({ ...at, index })),
          });
          if (match === undefined) continue;
          taken.matches.push({
            rule: active.key,
            version: active.version,
            group: match.group,
            lane,
            offset: BigInt(at.offset),
            index,
            at: BigInt(match.at),
            event: match.event,
            line: lineOf(event),
          });
        }
      });
    } catch (error) {
      if (!(error instanceof AvroError)) throw error;
    }
  }
  return taken;
};

const counterOf = (
  rule: string,
  version: number,
  lane: string,
  pane: number,
  key: string,
  measure: Measure,
): AlertCounter => ({
  ...measure,
  rule,
  version,
  lane,
  pane: BigInt(pane),
  group: groupValues(key),
  count: BigInt(measure.count),
  other: BigInt(measure.other),
  numbers: BigInt(measure.numbers),
});

/** Counters of the panes that end, with their lateness, by `watermark`; those are let go. With `open` also the others. */
export const countersOf = (
  state: PartitionState,
  rules: readonly CountedRule[],
  watermark: number,
  open = false,
): AlertCounter[] => {
  const counters: AlertCounter[] = [];
  for (const { active, counter } of rules) {
    const counts = state.rules.get(active.key);
    if (counts === undefined) continue;
    for (const [lane, panes] of counts.lanes)
      for (const [pane, groups] of panes) {
        const isClosed = pane + counter.every + counter.lateness <= watermark;
        if (!isClosed && !open) continue;
        for (const [key, measure] of groups)
          counters.push(counterOf(active.key, active.version, lane, pane, key, measure));
        if (isClosed) panes.delete(pane);
      }
  }
  return counters;
};

/** Keeps the counts of these rules alone. */
export const keepRules = (state: PartitionState, rules: readonly CountedRule[]): void => {
  const versions = new Map(rules.map(({ active }) => [active.key, active.version]));
  for (const [key, { version }] of state.rules) if (versions.get(key) !== version) state.rules.delete(key);
};

type Plain = [string, number, [string, [number, [string, Measure][]][]][]][];

/** As JSON, and back. */
export const partitionToJson = (state: PartitionState) => ({
  next: state.next,
  watermark: state.watermark,
  lanes: [...state.lanes],
  repeats: [...state.repeats],
  rules: [...state.rules].map(([key, { version, lanes }]) => [
    key,
    version,
    [...lanes].map(([lane, panes]) => [lane, [...panes].map(([pane, groups]) => [pane, [...groups]])]),
  ]) as Plain,
});

export const partitionFromJson = (json: ReturnType<typeof partitionToJson>): PartitionState => ({
  next: json.next,
  watermark: json.watermark,
  lanes: new Map(json.lanes),
  repeats: new Set(json.repeats),
  rules: new Map(
    json.rules.map(([key, version, lanes]) => [
      key,
      {
        version,
        lanes: new Map(
          lanes.map(([lane, panes]) => [
            lane,
            new Map(
              panes.map(([pane, groups]) => [
                pane,
                new Map(groups.map(([group, measure]) => [group, reviveMeasure(measure)])),
              ]),
            ),
          ]),
        ),
      },
    ]),
  ),
});
