/** The ledger, read and written. */
import type { CleanBatch } from "../clean-batch.ts";
import { fence, insertId, type Owner } from "./claims.ts";
import type { ClickHouse } from "./clickhouse.ts";
import { type Book, type LedgerAnswers, type LedgerRow, RecentIds, recordKey } from "./decide.ts";
import { inRanges, insertedSince, rangesOf } from "./ranges.ts";

export interface Entry {
  batch: CleanBatch;
  stored: number;
  /** Of the events that are stored. */
  bytes: number;
  dropped: Record<string, number>;
}

/**
 * Clean records live 96 hours and raw ones less, so the row that a rewind would meet is never older than that, plus as
 * long as a sink may have been down.
 */
const memoryDays = 14;

const rowColumns = "topic, partition, offset, dedup_id, toUnixTimestamp64Milli(received_at) AS received_at";

const inputColumns = `topic String, partition UInt16, offset UInt64, tenant String, source String, received_at Int64,
  protocol String, dedup_id String, accepted UInt32, stored UInt32, bytes UInt64, dropped Map(String, UInt32),
  redactions Map(String, UInt32), ruleset String, clean_partition UInt16, clean_offset UInt64`;

export const createLedger = (clickhouse: ClickHouse, cleanTopic: string, windowMs: number, idLimit: number) => ({
  /** Adds rows, all or none. Throws as ClickHouse.insert does. */
  insert: async (entries: readonly Entry[], owners: readonly Owner[]): Promise<void> => {
    if (entries.length === 0) return;
    const guard = fence(cleanTopic, owners);
    const lines = entries.map(({ batch, stored, bytes, dropped }) =>
      JSON.stringify({
        topic: batch.raw_topic,
        partition: batch.raw_partition,
        offset: batch.raw_offset,
        tenant: batch.tenant,
        source: batch.source,
        received_at: batch.received_at,
        protocol: batch.protocol,
        dedup_id: batch.dedup_id,
        accepted: batch.accepted,
        stored,
        bytes,
        dropped,
        redactions: batch.redactions,
        ruleset: batch.ruleset,
        clean_partition: batch.cleanPartition,
        clean_offset: batch.cleanOffset,
      }),
    );
    await clickhouse.insert({
      query: `INSERT INTO batches (topic, partition, offset, tenant, source, received_at, protocol, dedup_id, accepted,
          stored, bytes, dropped, redactions, ruleset, clean_topic, clean_partition, clean_offset, inserted_at)
        SELECT topic, partition, offset, tenant, source, fromUnixTimestamp64Milli(received_at, 'UTC'), protocol, dedup_id,
          accepted, stored, bytes, dropped, redactions, ruleset, {clean_topic:String}, clean_partition, clean_offset, now64(3)
        FROM input('${inputColumns.replaceAll("\n", " ")}') WHERE ${guard.condition} FORMAT JSONEachRow`,
      queryId: insertId(
        cleanTopic,
        owners.map((owner) => owner.partition),
      ),
      params: guard.params,
      body: Buffer.from(lines.join("\n")),
      rows: lines.length,
    });
  },

  /** What must be remembered of these partitions, to be read after they were claimed. */
  open: async (partitions: readonly number[], token: string): Promise<Map<number, Book>> => {
    const params = { clean_topic: cleanTopic, partitions: [...partitions], days: memoryDays };
    const mine = `clean_topic = {clean_topic:String} AND clean_partition IN {partitions:Array(UInt16)}
      AND inserted_at > now() - INTERVAL {days:UInt16} DAY`;
    const [highs, recent] = await Promise.all([
      clickhouse.rows<{ clean_partition: number; topic: string; partition: number; high: number; latest: number }>(
        `SELECT clean_partition, topic, partition, max(offset) AS high, toUnixTimestamp64Milli(max(received_at)) AS latest
         FROM batches WHERE ${mine} GROUP BY ALL`,
        params,
      ),
      clickhouse.rows<{ clean_partition: number; dedup_id: string; at: number }>(
        `SELECT clean_partition, dedup_id, toUnixTimestamp64Milli(received_at) AS at FROM batches
         WHERE ${mine} AND dedup_id != '' AND NOT mapContains(dropped, 'duplicate')
           AND received_at > (SELECT max(received_at) FROM batches WHERE ${mine}) - INTERVAL {window:UInt32} SECOND
         ORDER BY received_at DESC LIMIT {limit:UInt32}`,
        { ...params, window: Math.ceil(windowMs / 1000), limit: idLimit },
      ),
    ]);
    const latest = Math.max(0, ...highs.map((row) => row.latest));
    const cut = recent.length === idLimit ? (recent.at(-1)?.at ?? 0) + 1 : 0;
    const complete = highs.length === 0 ? 0 : Math.max(latest - windowMs, cut);
    const books = new Map<number, Book>();
    for (const partition of partitions)
      books.set(partition, {
        token,
        lanes: new Map(),
        ids: new RecentIds(Math.max(1, Math.floor(idLimit / partitions.length)), complete),
      });
    for (const row of highs)
      books
        .get(row.clean_partition)
        ?.lanes.set(`${row.topic}/${row.partition}`, { high: row.high, unfinished: undefined });
    for (const row of recent.reverse()) books.get(row.clean_partition)?.ids.add(row.dedup_id, row.at);
    return books;
  },

  /** Rows of these coordinates, and of these dedup_ids within the window. */
  ask: async (asked: { rows: readonly CleanBatch[]; ids: readonly CleanBatch[] }): Promise<LedgerAnswers> => {
    const rows = new Map<string, LedgerRow>();
    const ids = new Map<string, LedgerRow>();
    if (asked.rows.length > 0) {
      const { condition, params } = inRanges(rangesOf(asked.rows));
      const found = await clickhouse.rows<LedgerRow>(`SELECT ${rowColumns} FROM batches WHERE ${condition}`, params);
      for (const row of found) rows.set(recordKey(row), row);
    }
    // Parameters travel in the URL, which has an end.
    for (let i = 0; i < asked.ids.length; i += 2_000) {
      const some = asked.ids.slice(i, i + 2_000);
      const found = await clickhouse.rows<LedgerRow>(
        `SELECT ${rowColumns} FROM batches WHERE clean_topic = {clean_topic:String}
           AND clean_partition IN {partitions:Array(UInt16)} AND dedup_id IN {ids:Array(String)}
           AND batches.received_at >= fromUnixTimestamp64Milli({since:Int64}) AND NOT mapContains(dropped, 'duplicate')
         ORDER BY batches.received_at`,
        {
          clean_topic: cleanTopic,
          partitions: [...new Set(some.map((batch) => batch.cleanPartition))],
          ids: some.map((batch) => batch.dedup_id),
          since: Math.max(0, Math.min(...some.map((batch) => batch.received_at)) - windowMs),
        },
      );
      for (const row of found) ids.set(row.dedup_id, row);
    }
    return { rows, ids };
  },

  /** For each raw partition of these batches: the highest offset from the batches' first on that has events. */
  unfinished: async (batches: readonly CleanBatch[]): Promise<{ topic: string; partition: number; last: number }[]> => {
    if (batches.length === 0) return [];
    const open = rangesOf(batches).map((range) => ({ ...range, last: Number.MAX_SAFE_INTEGER }));
    const { condition, params } = inRanges(open);
    return clickhouse.rows(
      `SELECT topic, partition, max(offset) AS last FROM events
       WHERE inserted_at >= fromUnixTimestamp64Milli({since:Int64}) AND ${condition} GROUP BY ALL`,
      { ...params, since: insertedSince(batches) },
    );
  },
});
