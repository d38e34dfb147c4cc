/**
 * A client that behaves: a steady rate, each batch written to the ledger before it is sent, sent again with the same
 * Idempotency-Key until it is acknowledged.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { Ledger } from "./ledger.ts";
import { createLoader, type Target } from "./load.ts";

export interface Traffic {
  /** Milliseconds from the first try to the acknowledgement, of each batch. */
  readonly ackMs: readonly number[];
  /** Tries by status; 0 is a connection that broke. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Bodies of answers other than 2xx, 429 and 503: a behaving client should never see one. */
  readonly odd: readonly string[];
  /** 429 and 503 that named no Retry-After. */
  readonly withoutRetryAfter: number;
  /** No new batches; fulfilled when all that were begun are acknowledged, or `graceMs` have passed. */
  stop(graceMs: number): Promise<void>;
}

export interface TrafficOptions {
  readonly target: () => Target;
  readonly ledger: Ledger;
  readonly source: string;
  readonly eventsPerSecond: number;
  readonly eventsPerBatch: number;
  /** Batches that may wait for their acknowledgement. Above that the client holds back, as one with a bounded queue does. */
  readonly mostUnderWay: number;
}

const words = ["harbor", "lantern", "meadow", "copper", "willow", "granite", "saffron", "juniper", "velvet", "orchard"];
const retryMs = 300;

export const startTraffic = (options: TrafficOptions): Traffic => {
  const { target, ledger, source, eventsPerSecond, eventsPerBatch, mostUnderWay } = options;
  const loader = createLoader(target(), mostUnderWay);
  const ackMs: number[] = [];
  const statuses = new Map<number, number>();
  const odd: string[] = [];
  const underWay = new Set<Promise<void>>();
  const end = new AbortController();
  let stopping = false;
  let withoutRetryAfter = 0;
  let next = 0;

  const makeBatch = (): { seqs: number[]; body: Buffer } => {
    const seqs: number[] = [];
    const lines: string[] = [];
    for (let i = 0; i < eventsPerBatch; i++) {
      const seq = next++;
      const message = `step ${seq} at the ${words[seq % 10]} ${words[(seq * 7) % 10]} gate`;
      ledger.sent(source, seq, message);
      seqs.push(seq);
      lines.push(JSON.stringify({ message, seq, service: "chaos" }));
    }
    return { seqs, body: gzipSync(`${lines.join("\n")}\n`, { level: 1 }) };
  };

  const deliver = async (): Promise<void> => {
    const { seqs, body } = makeBatch();
    const key = randomUUID();
    const begun = performance.now();
    while (!end.signal.aborted) {
      let status = 0;
      let waitMs = retryMs;
      try {
        const answer = await loader.post(body, { "idempotency-key": key });
        status = answer.status;
        const after = answer.headers["retry-after"];
        if (status >= 300 && status !== 429 && status !== 503) odd.push(`${status} ${answer.text.slice(0, 200)}`);
        if (status === 429 || status === 503) {
          if (after === undefined) withoutRetryAfter++;
          else waitMs = Math.min(Number(after) * 1000, 5_000);
        }
      } catch {
        // The connection broke: whether it was taken is unknown, so it is sent again under the same key.
      }
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status >= 200 && status < 300) {
        ackMs.push(performance.now() - begun);
        ledger.acked(source, seqs);
        return;
      }
      await sleep(waitMs * (0.75 + Math.random() / 2), undefined, { signal: end.signal }).catch(() => undefined);
    }
  };

  const pace = async (): Promise<void> => {
    const everyMs = (eventsPerBatch / eventsPerSecond) * 1000;
    let due = performance.now();
    while (!stopping) {
      if (underWay.size >= mostUnderWay) await Promise.race(underWay);
      const task = deliver();
      underWay.add(task);
      void task.finally(() => underWay.delete(task));
      due = Math.max(due + everyMs, performance.now() - 1000);
      const early = due - performance.now();
      if (early > 0) await sleep(early);
    }
  };
  const pacing = pace();

  return {
    ackMs,
    statuses,
    odd,
    get withoutRetryAfter() {
      return withoutRetryAfter;
    },
    stop: async (graceMs) => {
      stopping = true;
      const late = setTimeout(() => end.abort(), graceMs);
      await pacing;
      await Promise.all(underWay);
      clearTimeout(late);
      loader.close();
    },
  };
};
