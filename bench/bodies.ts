/** Request bodies made before the clock starts, so that making them costs nothing while it runs. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

export interface Body {
  readonly ordinal: number;
  readonly events: number;
  /** Bytes before compression. */
  readonly plain: number;
  /** gzip, level 1. */
  readonly bytes: Uint8Array;
}

export const seed = 20_260_101;

/** `events` events as gzip bodies of `perBody` each. */
export const makeBodies = async (events: number, perBody: number, endMillis = Date.now()): Promise<Body[]> => {
  const workers = availableParallelism();
  const share = Math.ceil(events / workers / perBody) * perBody;
  const bodies: Body[] = [];
  await Promise.all(
    Array.from({ length: workers }, (_, i) => {
      const first = i * share;
      const count = Math.min(share, events - first);
      if (count <= 0) return undefined;
      return new Promise<void>((resolve, reject) => {
        const worker = new Worker(new URL("bodies-worker.ts", import.meta.url), {
          workerData: { seed, first, count, of: events, endMillis, perBody },
        });
        worker.on("message", (body: Body) => void bodies.push(body));
        worker.once("error", reject);
        worker.once("exit", () => resolve());
      });
    }),
  );
  return bodies.sort((a, b) => a.ordinal - b.ordinal);
};
