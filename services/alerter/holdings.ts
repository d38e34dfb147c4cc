/**
 * The partitions that a stage has been given. What happens to one happens one after the other; what fails begins again from
 * its snapshot; and what the group may have given to somebody else is let go of at once.
 */
import type { Log } from "@astralog/chassis";

export interface Holding {
  readonly partition: number;
  /** The end of what was begun last. */
  turn: Promise<void>;
  /** It may be somebody else's now: nothing of it may be written any more. */
  lost: boolean;
  /** The offset that was asked for because a later one came. */
  askedFor: number;
}

export const newHolding = (partition: number): Holding => ({
  partition,
  turn: Promise.resolve(),
  lost: false,
  askedFor: -1,
});

export interface HoldingsDeps<T extends Holding> {
  readonly log: Log;
  /** What is said when one begins again. */
  readonly failure: string;
  begin(partition: number): T;
  /** Takes it up from its snapshot. */
  load(one: T): Promise<void>;
  /** Forgets what a failure may have left half done; `load` follows. */
  reset(one: T): void;
  place(partition: number, offset: number): void;
}

const pauseMs = 1_000;

export const createHoldings = <T extends Holding>(deps: HoldingsDeps<T>) => {
  const { log, failure, begin, load, reset, place } = deps;
  let held = new Map<number, T>();

  const inTurn = (one: T, work: () => Promise<void>): Promise<void> => {
    const turn = one.turn.then(async () => {
      if (!one.lost) await work();
    });
    one.turn = turn.catch(() => undefined);
    return turn;
  };

  /** Resolves when the work has been done, or has failed and will be taken up again. */
  const run = (one: T, work: () => Promise<void>): Promise<void> =>
    inTurn(one, work).catch((error) => {
      log.warn({ err: error, partition: one.partition }, failure);
      reset(one);
      setTimeout(() => {
        if (!one.lost) void run(one, () => load(one));
      }, pauseMs).unref();
    });

  const lose = (): void => {
    for (const one of held.values()) one.lost = true;
    held = new Map();
  };

  return {
    get: (partition: number): T | undefined => held.get(partition),
    values: (): Iterable<T> => held.values(),
    run,
    lose,

    assign: (partitions: readonly number[]): void => {
      lose();
      held = new Map(partitions.map((partition) => [partition, begin(partition)]));
      for (const one of held.values()) void run(one, () => load(one));
    },

    /**
     * Whether these records were fetched before the partition was placed; it is placed again then. Offsets have no holes
     * but those that retention makes at the beginning.
     */
    isAhead: (one: T, next: number, first: number): boolean => {
      if (first <= next || one.askedFor === next) return false;
      one.askedFor = next;
      place(one.partition, next);
      return true;
    },

    /** The last work of each. It may fail: whoever is next has the snapshot before. */
    finish: async (work: (one: T) => Promise<void>): Promise<void> => {
      await Promise.all([...held.values()].map((one) => inTurn(one, () => work(one)).catch(() => undefined)));
    },
  };
};
