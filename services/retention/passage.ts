/**
 * Whether all that was received before an instant has come through to the storage. By offsets: what the raw topics held a
 * while after it has been passed on, and what events.clean held after that has been stored, and is
 * in the buckets and on the servers that the tenant has connected.
 */
import type { KafkaPositions, Positions } from "@astralog/chassis";
import { type ArchiveStateRecord, nativePrefix, type SourceRecord, topics } from "@astralog/schemas";
import type { ArchiveState, StorageConnection } from "@astralog/schemas/storage";

/** By connection, and by partition of events.clean, below which offset all is in its bucket. */
export type Archives = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** Of the tenant's connections that are written to. */
export const archivesOf = (
  tenant: string,
  connections: Iterable<Pick<StorageConnection, "id" | "tenant" | "archive">>,
  states: Iterable<ArchiveStateRecord>,
): Archives => {
  const found = new Map<string, Map<number, number>>();
  for (const { id, tenant: owner, archive } of connections) if (owner === tenant && archive) found.set(id, new Map());
  for (const { connection, partition, state } of states)
    found.get(connection)?.set(partition, (JSON.parse(state) as ArchiveState).done);
  return found;
};

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
  archives(tenant: string): Archives;
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
      const { clean: ends } = state;
      return (
        reached(clean, ends) &&
        [...deps.archives(tenant).values()].every((committed) => reached({ ...clean, committed }, ends))
      );
    },
    forget: (id: string): void => void waiting.delete(id),
  };
};

export type Passage = ReturnType<typeof createPassage>;
