/**
 * From acknowledged to searchable at a steady rate. A poller asks ClickHouse for the highest offset of each partition in
 * `events` itself and goes on at once, so what it adds is its own answer time; a record is searchable when the poller has
 * seen an offset at or above its own.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseReceipt } from "@astralog/schemas";
import type { Body } from "./bodies.ts";
import { connectClickHouse } from "./clickhouse.ts";
import { percentile } from "./figures.ts";
import { createLoader } from "./load.ts";
import type { Pipeline } from "./pipeline.ts";

export interface LatencyResult {
  readonly eventsPerSecond: number;
  /** Sent to acknowledged. */
  readonly ackMs: { p50: number; p99: number };
  /** Acknowledged to seen by the poller. */
  readonly searchableMs: { p50: number; p99: number; max: number };
  /** Between two answers of the poller. */
  readonly pollMs: number;
}

interface Waiting {
  readonly partition: number;
  readonly offset: number;
  readonly ackedAt: number;
}

const pollPauseMs = 15;

export const runLatency = async (
  pipeline: Pipeline,
  bodies: readonly Body[],
  eventsPerSecond: number,
): Promise<LatencyResult> => {
  const { prefix } = pipeline.platform;
  const clickhouse = connectClickHouse(pipeline.stack.clickhouse);
  const loader = createLoader(pipeline.target(), 64);
  const waiting = new Set<Waiting>();
  const acks: number[] = [];
  const seen: number[] = [];
  const polls: number[] = [];
  let sending = true;

  const poll = async (): Promise<void> => {
    let last = performance.now();
    while (sending || waiting.size > 0) {
      const tops = await clickhouse.rows<{ partition: number; top: string }>(
        `SELECT partition, toString(max(offset)) AS top FROM events WHERE inserted_at >= now() - 5 AND topic = '${prefix}events.raw' GROUP BY partition`,
      );
      const now = performance.now();
      polls.push(now - last);
      last = now;
      const topOf = new Map(tops.map(({ partition, top }) => [partition, Number(top)]));
      for (const record of waiting) {
        if (record.offset > (topOf.get(record.partition) ?? -1)) continue;
        seen.push(now - record.ackedAt);
        waiting.delete(record);
      }
      await sleep(pollPauseMs);
    }
  };
  const polling = poll();
  const begun = performance.now();
  let sent = 0;
  const underWay: Promise<void>[] = [];
  for (const body of bodies) {
    const due = begun + (sent / eventsPerSecond) * 1000;
    sent += body.events;
    const early = due - performance.now();
    if (early > 0) await sleep(early);
    const at = performance.now();
    underWay.push(
      loader.post(body.bytes).then((answer) => {
        const ackedAt = performance.now();
        if (answer.status !== 200) throw new Error(`answered ${answer.status}: ${answer.text.slice(0, 200)}`);
        acks.push(ackedAt - at);
        const { receipt } = JSON.parse(answer.text) as { receipt: string };
        for (const { partition, offset } of parseReceipt(receipt) ?? []) waiting.add({ partition, offset, ackedAt });
      }),
    );
  }
  const seconds = (performance.now() - begun) / 1000;
  await Promise.all(underWay);
  sending = false;
  await polling;
  loader.close();
  clickhouse.close();
  return {
    eventsPerSecond: sent / seconds,
    ackMs: { p50: percentile(acks, 0.5), p99: percentile(acks, 0.99) },
    searchableMs: { p50: percentile(seen, 0.5), p99: percentile(seen, 0.99), max: Math.max(...seen) },
    pollMs: percentile(polls, 0.5),
  };
};
