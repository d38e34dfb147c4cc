/** A record of events.clean as its events in memory, decoded only as far as somebody asks. */
import { Fault, type Registry } from "@astralog/chassis";
import {
  AvroError,
  AvroReader,
  type BatchHeader,
  decodeRecord,
  type Event,
  EventView,
  readBatchHeader,
  schemaIdOf,
  tombstone,
  types,
} from "@astralog/schemas";
import type { EventInMemory } from "@astralog/schemas/query/index";

export interface Batch extends BatchHeader {
  /** Where texts of events stand as they are; undefined of another version's, which may write them otherwise. */
  readonly raw: { readonly bytes: Uint8Array; readonly from: number } | undefined;
  /** Calls with each event that was not dropped on the way, valid during the call, and its index. Throws AvroError. */
  each(use: (event: EventInMemory, index: number) => void): void;
}

export type BatchReader = (value: Buffer | null) => Promise<Batch | undefined>;

const isDropped = (event: Event): boolean => event.millis === tombstone.millis && event.nanos === tombstone.nanos;

/** Who told no time has that of his receipt, as it will be stored. */
const timed = (event: Event, receivedAt: number): void => {
  if (event.millis === 0 && event.nanos === 0) event.millis = receivedAt;
};

const current = (value: Buffer): Batch => {
  const { eventsAt, ...header } = readBatchHeader(value);
  const { source } = header;
  return {
    ...header,
    raw: { bytes: value, from: eventsAt },
    each: (use) => {
      const reader = new AvroReader(value, eventsAt);
      const event = new EventView(reader);
      event.source = source;
      let index = 0;
      for (let count = reader.block(); count > 0; count = reader.block()) {
        for (let i = 0; i < count; i++, index++) {
          event.next();
          if (isDropped(event)) continue;
          timed(event, header.received_at);
          use(event, index);
        }
      }
    },
  };
};

/** Of another version's writer: as a whole, by the reference codec. */
const foreign = (value: Buffer, writer: Parameters<typeof decodeRecord>[2]): Batch => {
  const { events, received_at, raw_offset, ...header } = decodeRecord("EventBatch", value, writer);
  return {
    ...header,
    raw: undefined,
    received_at: Number(received_at),
    raw_offset: Number(raw_offset),
    each: (use) => {
      for (const [index, { timestamp, attributes, ...rest }] of events.entries()) {
        const nanos = Number(((timestamp % 1_000_000n) + 1_000_000n) % 1_000_000n);
        const event = {
          ...rest,
          millis: Number((timestamp - BigInt(nanos)) / 1_000_000n),
          nanos,
          attributes: Object.entries(attributes).flat(),
          source: header.source,
        };
        if (isDropped(event)) continue;
        timed(event, Number(received_at));
        use(event, index);
      }
    },
  };
};

/** undefined for what is no batch: the sink says so, and rules have nothing to judge there. */
export const createBatchReader = (registry: Pick<Registry, "writerOf">): BatchReader => {
  const known = types.EventBatch.fingerprint();
  const mine = new Map<number, boolean>();
  return async (value) => {
    const id = value === null ? undefined : schemaIdOf(value);
    if (value === null || id === undefined) return undefined;
    try {
      let isMine = mine.get(id);
      if (isMine === undefined) mine.set(id, (isMine = (await registry.writerOf(id)).fingerprint().equals(known)));
      return isMine ? current(value) : foreign(value, await registry.writerOf(id));
    } catch (error) {
      if (error instanceof AvroError || (error instanceof Fault && !error.retriable)) return undefined;
      throw error;
    }
  };
};
