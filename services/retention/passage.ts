/**
 * Whether all that was received before an instant has come through to the storage. By offsets: what the raw topics held a
 * while after it has been passed on, and what events.clean held after that has been stored.
 */
import type { KafkaPositions, Positions } from "@astralog/chassis";
import { nativePrefix, type SourceRecord, topics } from "@astralog/schemas";

/** Topic to partition to offset. */
type Ends = ReadonlyMap<string, ReadonlyMap<number, number>>;

interface Waiting {
  raw?: Ends;
  clean?: ReadonlyMap<number, number>;
}

const reached = ({ starts, committed }: Positions, ends: ReadonlyMap<number, number>): boolean =>
  // Where nothing is left below the end there is nothing to come.
  [...ends].every(([partition, end]) => Math.max(committed.get(partition) ?? 0, starts.get(partition) ?? 0) >= end);

export const createPassage = (deps: {
  positions: KafkaPositions;
  sources(): Iterable<SourceRecord>;
  redactorGroup: string;
  sinkGroup: string;
  inFlightMs: number;
}) => {
  const { positions, redactorGroup, sinkGroup, inFlightMs } = deps;
  const waiting = new Map<string, Waiting>();

  const rawOf = async (tenant: string): Promise<Map<string, Positions>> => {
    const found = new Map<string, Positions>([[topics.raw.name, await positions.of(topics.raw.name, redactorGroup)]]);
    for (const { tenant: owner, source, native_partitions: native } of deps.sources())
      if (owner === tenant && native.length > 0) {
        const topic = nativePrefix + source;
        found.set(topic, await positions.of(topic, `${redactorGroup}.native`));
      }
    return found;
  };

  return {
    /** Asked again and again under one id, it remembers what it waits for. Faults: `kafka_unavailable`. */
    passed: async ({ id, tenant, cut }: { id: string; tenant: string; cut: number }): Promise<boolean> => {
      if (Date.now() < cut + inFlightMs) return false;
      const state = waiting.get(id) ?? {};
      waiting.set(id, state);
      const raw = await rawOf(tenant);
      state.raw ??= new Map([...raw].map(([topic, { ends }]) => [topic, ends]));
      for (const [topic, ends] of state.raw) {
        const now = raw.get(topic);
        if (now !== undefined && !reached(now, ends)) return false;
      }
      const clean = await positions.of(topics.clean.name, sinkGroup);
      state.clean ??= clean.ends;
      return reached(clean, state.clean);
    },
    forget: (id: string): void => void waiting.delete(id),
  };
};

export type Passage = ReturnType<typeof createPassage>;
