/** What has arrived in ClickHouse, asked from outside every service. */
import { setTimeout as sleep } from "node:timers/promises";
import { topics } from "@astralog/schemas";
import { type ClickHouse, numberIn } from "./clickhouse.ts";
import { adminKafka } from "./kafka.ts";
import type { Pipeline } from "./pipeline.ts";

/** Events of the tenant whose records have their ledger row: it is written when all of a record's events are in. */
export const storedEvents = (clickhouse: ClickHouse, tenant: string): Promise<number> =>
  numberIn(clickhouse, `SELECT sum(stored) FROM batches FINAL WHERE tenant = '${tenant}'`);

/**
 * Waits until `wanted` events are stored; `onSample` sees each count. Throws when nothing new came for a minute. Counting
 * costs ClickHouse what the ledger has rows, so where there is one for each event it should be done less often.
 */
export const untilStored = async (
  clickhouse: ClickHouse,
  tenant: string,
  wanted: number,
  onSample: (stored: number) => void = () => undefined,
  pauseMs = 50,
): Promise<void> => {
  let last = -1;
  let since = performance.now();
  for (;;) {
    const stored = await storedEvents(clickhouse, tenant);
    onSample(stored);
    if (stored >= wanted) return;
    if (stored !== last) [last, since] = [stored, performance.now()];
    else if (performance.now() - since > 60_000)
      throw new Error(`${stored} of ${wanted} events are stored, and no more came for a minute`);
    await sleep(pauseMs);
  }
};

/** Rows, and how many of them are second copies. */
export const countEvents = async (
  clickhouse: ClickHouse,
  tenant: string,
): Promise<{ rows: number; copies: number }> => {
  const rows = await numberIn(clickhouse, `SELECT count() FROM events WHERE tenant = '${tenant}'`);
  const distinct = await numberIn(
    clickhouse,
    `SELECT sum(n) FROM (SELECT uniqExact(idx) AS n FROM events WHERE tenant = '${tenant}' GROUP BY topic, partition, offset)`,
  );
  return { rows, copies: rows - distinct };
};

/** Waits until the redactor has passed on every record that lies in events.raw. */
export const untilRedacted = async ({ platform }: Pipeline): Promise<void> => {
  const kafka = adminKafka(platform);
  const admin = kafka.admin();
  await admin.connect();
  try {
    const records = async (topic: string): Promise<number> =>
      (await admin.fetchTopicOffsets(kafka.name(topic))).reduce((sum, { high }) => sum + Number(high), 0);
    const wanted = await records(topics.raw.name);
    while ((await records(topics.clean.name)) < wanted) await sleep(200);
  } finally {
    await admin.disconnect();
  }
};
