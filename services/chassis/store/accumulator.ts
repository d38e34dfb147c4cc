/**
 * Gathers what the partitions' handlers bring into flushes: large enough to be cheap for ClickHouse, soon enough to be
 * searchable at once. One flush runs at a time; each handler waits for the flush that has its records.
 */
export interface Gathered<T> {
  item: T;
  /** How much of a full flush this is. */
  events: number;
  resolve(): void;
  reject(error: unknown): void;
}

export const createAccumulator = <T>(options: {
  flushEvents: number;
  flushMs: number;
  /** Must settle every one of them. */
  flush(items: readonly Gathered<T>[]): Promise<void>;
}) => {
  const { flushEvents, flushMs, flush } = options;
  const waiting: Gathered<T>[] = [];
  let events = 0;
  let since = 0;
  let running = false;
  let timer: NodeJS.Timeout | undefined;

  const consider = (): void => {
    if (running || waiting.length === 0) return;
    const wait = events >= flushEvents ? 0 : since + flushMs - Date.now();
    clearTimeout(timer);
    if (wait > 0) timer = setTimeout(consider, wait);
    else void start();
  };

  const start = async (): Promise<void> => {
    running = true;
    const items: Gathered<T>[] = [];
    let taken = 0;
    while (waiting.length > 0 && taken < flushEvents) {
      const next = waiting.shift() as Gathered<T>;
      items.push(next);
      taken += next.events;
    }
    events -= taken;
    try {
      await flush(items);
    } catch (error) {
      for (const item of items) item.reject(error);
    }
    running = false;
    consider();
  };

  return {
    /** Resolves when the item is stored. */
    add: (item: T, count: number): Promise<void> =>
      new Promise((resolve, reject) => {
        if (waiting.length === 0) since = Date.now();
        waiting.push({ item, events: count, resolve, reject });
        events += count;
        consider();
      }),
  };
};
