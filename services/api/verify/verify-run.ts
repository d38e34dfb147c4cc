/** Runs verify's checks in an order in which what is on its way cannot look like a fault. */
import { setTimeout as sleep } from "node:timers/promises";
import type { KafkaPositions, Positions } from "@astralog/chassis";
import { topics } from "@astralog/schemas";
import { type Elsewhere, type Theirs, verifyElsewhere } from "./elsewhere.ts";
import type { LedgerQueries, Window, WrongRecord } from "./ledger-queries.ts";
import {
  addCounts,
  chunksOf,
  type Gap,
  gapsIn,
  type PartitionState,
  partitionStates,
  type RawTopic,
  type SourceSum,
  sumBySource,
} from "./verify.ts";

export interface Verification {
  /** No gap, no duplicate, no mismatch. Lag does not matter to it. */
  readonly ok: boolean;
  readonly accepted: number;
  readonly stored: number;
  readonly dropped: Record<string, number>;
  /** Of what was stored: gone since, as its time was over or as somebody had it deleted. */
  readonly removed: { readonly expired: number; readonly deleted: number };
  readonly gaps: Gap[];
  /** Records with more rows than different indexes. */
  readonly duplicates: WrongRecord[];
  /** Records whose rows, stored and accepted do not agree. */
  readonly mismatches: WrongRecord[];
  readonly sources: SourceSum[];
  /** On a server of the tenant's own; null where nothing is kept there alone. */
  readonly elsewhere: Elsewhere | null;
  readonly lag: {
    readonly records: number;
    /** Events that are still to be stored on the tenant's own server. */
    readonly elsewhere: number;
    readonly partitions: { topic: string; partition: number; end: number; lag: number }[];
  };
  /** Whether more was found than is listed. */
  readonly truncated: boolean;
  readonly ms: number;
}

export interface VerifyDeps {
  readonly positions: KafkaPositions;
  readonly ledger: LedgerQueries;
  /** events.raw first, then those of the tenant's own. */
  rawTopics(tenant: string): readonly RawTopic[];
  readonly sinkGroup: string;
  /** Where the tenant's events are kept instead. */
  theirs(tenant: string): Theirs | undefined;
}

/** Listed of each kind of fault. */
const listed = 100;
const eventsAtOnce = 2_000_000;
const offsetsAtOnce = 200_000;

const statesOf = async (
  { positions, ledger, sinkGroup }: VerifyDeps,
  rawTopics: readonly RawTopic[],
): Promise<PartitionState[]> => {
  const raws: { one: RawTopic; raw: Positions }[] = [];
  for (const one of rawTopics) raws.push({ one, raw: await positions.of(one.topic, one.group) });
  const clean = await positions.of(topics.clean.name, sinkGroup);
  const states: PartitionState[] = [];
  for (const { one, raw } of raws) states.push(...partitionStates(one, raw, clean, await ledger.partitions(one.topic)));
  return states;
};

const sumLag = (states: readonly PartitionState[]): number => states.reduce((sum, { lag }) => sum + lag, 0);

/** Waits until nothing is on its way, `waitMs` at most. */
const settled = async (deps: VerifyDeps, rawTopics: readonly RawTopic[], waitMs: number): Promise<PartitionState[]> => {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const states = await statesOf(deps, rawTopics);
    if (sumLag(states) === 0 || Date.now() >= deadline) return states;
    await sleep(Math.min(200, Math.max(0, deadline - Date.now())));
  }
};

const findGaps = async (ledger: LedgerQueries, state: PartitionState): Promise<Gap[]> => {
  const gaps: Gap[] = [];
  let from = 0;
  while (from < state.due && gaps.length < listed) {
    const offsets = await ledger.offsets(state.topic, state.partition, from, offsetsAtOnce);
    // A full answer ends at its last offset, which is where the next one begins.
    const until = offsets.length < offsetsAtOnce ? state.due : Math.min(state.due, (offsets.at(-1) ?? 0) + 1);
    const base = from;
    const shifted = offsets.map((offset) => offset - base);
    for (const gap of gapsIn(shifted, until - base)) {
      gaps.push({ topic: state.topic, partition: state.partition, from: gap.from + base, to: gap.to + base });
    }
    from = until;
  }
  return gaps;
};

export const createVerify =
  (deps: VerifyDeps) =>
  async (
    tenant: string,
    options: { window?: Window | undefined; waitMs: number; names: ReadonlyMap<string, string> },
  ): Promise<Verification> => {
    const begun = performance.now();
    const rawTopics = deps.rawTopics(tenant);
    const states = await settled(deps, rawTopics, options.waitMs);
    const gaps: Gap[] = [];
    for (const state of states) if (state.incomplete) gaps.push(...(await findGaps(deps.ledger, state)));

    const names = rawTopics.map(({ topic }) => topic);
    const minutes = await deps.ledger.minutes(tenant, names, options.window);
    const perMinute = Map.groupBy(minutes, ({ minute }) => Date.parse(minute) / 1000);
    const chunks = chunksOf(
      [...perMinute]
        .map(([minute, rows]) => ({ minute, accepted: rows.reduce((sum, row) => sum + row.accepted, 0) }))
        .sort((a, b) => a.minute - b.minute),
      eventsAtOnce,
    );
    const wrong: WrongRecord[] = [];
    for (const chunk of chunks) {
      if (wrong.length > listed) break;
      wrong.push(...(await deps.ledger.wrong(tenant, chunk, states, listed + 1)));
    }
    const duplicates = wrong.filter(({ found, distinct }) => found > distinct);
    const mismatches = wrong.filter(({ found, distinct }) => found === distinct);
    const sources = sumBySource(minutes, options.names);
    const elsewhere = await verifyElsewhere(deps.theirs(tenant), tenant, {
      ...{ topics: names, window: options.window, minutes, chunks, states, most: listed + 1 },
    });
    return {
      ok: gaps.length === 0 && wrong.length === 0 && (elsewhere?.wrong ?? 0) === 0,
      accepted: sources.reduce((sum, source) => sum + source.accepted, 0),
      stored: sources.reduce((sum, source) => sum + source.stored, 0),
      dropped: sources.reduce((sum, source) => addCounts(sum, source.dropped), {}),
      removed: await deps.ledger.removed(tenant, names, options.window),
      gaps: gaps.slice(0, listed),
      duplicates: duplicates.slice(0, listed),
      mismatches: mismatches.slice(0, listed),
      sources,
      elsewhere,
      lag: {
        records: sumLag(states),
        elsewhere: elsewhere?.waiting ?? 0,
        partitions: states.flatMap(({ topic, partition, end, lag }) =>
          lag > 0 ? [{ topic, partition, end, lag }] : [],
        ),
      },
      truncated: gaps.length > listed || wrong.length > listed,
      ms: Math.round(performance.now() - begun),
    };
  };
