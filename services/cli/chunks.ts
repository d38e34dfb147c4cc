/** Events gathered into request bodies, bounded by count and bytes, each knowing the lines it came from. */

export interface Chunk {
  /** From 0 over the whole run: with the run's id it names the chunk for good, whoever sends it again. */
  readonly ordinal: number;
  readonly events: readonly Buffer[];
  /** Name of the input and line number of each event. */
  readonly origins: readonly Origin[];
  readonly bytes: number;
}

export interface Origin {
  readonly input: string;
  readonly line: number;
}

export interface Chunker {
  /** The chunk that is full now, if any. */
  add(event: Buffer, origin: Origin): Chunk | undefined;
  /** What is left. */
  rest(): Chunk | undefined;
}

export const createChunker = (maxEvents: number, maxBytes: number): Chunker => {
  let events: Buffer[] = [];
  let origins: Origin[] = [];
  let size = 0;
  let ordinal = 0;
  const take = (): Chunk | undefined => {
    if (events.length === 0) return undefined;
    const chunk = { ordinal: ordinal++, events, origins, bytes: size };
    events = [];
    origins = [];
    size = 0;
    return chunk;
  };
  return {
    add: (event, origin) => {
      const full = size + event.length + 1 > maxBytes ? take() : undefined;
      events.push(event);
      origins.push(origin);
      size += event.length + 1;
      return full ?? (events.length >= maxEvents ? take() : undefined);
    },
    rest: take,
  };
};
