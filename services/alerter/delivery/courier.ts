/**
 * Brings notices to their targets. Each target has a lane for each rule, so that what is told first is tried first; a
 * lane waits for an answer, never for a retry. No target takes more than a few places, no tenant more than its share, so
 * one that is slow holds up itself.
 */
export interface Errand {
  readonly id: string;
  readonly tenant: string;
  readonly target: string;
  readonly lane: string;
  /** Never rejects. */
  run(): Promise<void>;
}

export interface Courier {
  /** Once for each id until it has run. */
  take(errand: Errand): void;
  /** How many wait for a place, and how many are on their way. */
  readonly waiting: number;
  readonly running: number;
  /** Resolves when those on their way are back; those that wait are dropped. */
  close(): Promise<void>;
}

export const createCourier = ({ total = 256, perTenant = 32, perTarget = 4 } = {}): Courier => {
  const known = new Set<string>();
  /** In the order they came. */
  let queue: Errand[] = [];
  const running = new Map<string, Promise<void>>();
  const busy = new Map<string, number>();
  let closed = false;

  const placesOf = ({ tenant, target, lane }: Errand): [name: string, most: number][] => [
    [`tenant ${tenant}`, perTenant],
    [`target ${tenant}/${target}`, perTarget],
    [`lane ${tenant}/${target}/${lane}`, 1],
  ];
  const count = (errand: Errand, by: 1 | -1): void => {
    for (const [name] of placesOf(errand)) {
      const now = (busy.get(name) ?? 0) + by;
      if (now === 0) busy.delete(name);
      else busy.set(name, now);
    }
  };

  const begin = (errand: Errand): void => {
    count(errand, 1);
    running.set(
      errand.id,
      errand.run().finally(() => {
        running.delete(errand.id);
        known.delete(errand.id);
        count(errand, -1);
        next();
      }),
    );
  };

  const next = (): void => {
    if (closed) return;
    const left: Errand[] = [];
    for (const errand of queue) {
      const free = running.size < total && placesOf(errand).every(([name, most]) => (busy.get(name) ?? 0) < most);
      if (free) begin(errand);
      else left.push(errand);
    }
    queue = left;
  };

  return {
    take: (errand) => {
      if (closed || known.has(errand.id)) return;
      known.add(errand.id);
      queue.push(errand);
      next();
    },
    get waiting() {
      return queue.length;
    },
    get running() {
      return running.size;
    },
    close: async () => {
      closed = true;
      queue = [];
      await Promise.all(running.values());
    },
  };
};
