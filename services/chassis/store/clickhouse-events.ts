/**
 * Inserts the events of many batches in one statement. ClickHouse decodes the Avro, takes the arrays apart and numbers the
 * events; this process never looks at one.
 */

import { WriterPool } from "@astralog/schemas";
import { eventsInSql, ocfHead, wrapOcf } from "@astralog/schemas/ocf";
import type { CleanBatch } from "../clean-batch.ts";
import { fence, insertId, type Owner } from "./claims.ts";
import type { ClickHouse } from "./clickhouse.ts";
import { inRanges, insertedSince, rangesOf } from "./ranges.ts";

/** Days to keep what came without a retention of its own. */
const defaultRetentionDays = 30;

const batchColumns = `tenant LowCardinality(String), source LowCardinality(String), received_at Int64, retention_days Int32,
  raw_topic LowCardinality(String), raw_partition Int32, raw_offset Int64,
  ${eventsInSql.column}`;

const select = `SELECT tenant, source,
  fromUnixTimestamp64Nano(${eventsInSql.instant("received_at")}, 'UTC'),
  fromUnixTimestamp64Milli(received_at, 'UTC'),
  toDate(fromUnixTimestamp64Milli(received_at, 'UTC')) + if(retention_days > 0, least(retention_days, 3650), ${defaultRetentionDays}),
  ${eventsInSql.level}, e.service, e.host, e.message, e.trace_id, e.span_id,
  e.attribute_types, e.attributes, raw_topic, raw_partition, raw_offset, i - 1, now()
FROM input('${batchColumns.replaceAll("\n", " ")}')
${eventsInSql.join}`;

const columns = `tenant, source, timestamp, received_at, expires_on, level, service, host, message, trace_id, span_id,
  attribute_types, attributes, topic, partition, offset, idx, inserted_at`;

/** Rows of `events` that these batches may have. */
const theirRows = (batches: readonly CleanBatch[]) => {
  const { condition, params } = inRanges(rangesOf(batches));
  return {
    condition: `inserted_at >= fromUnixTimestamp64Milli({since:Int64}) AND ${condition}`,
    params: { ...params, since: insertedSince(batches) },
  };
};

export interface EventCount {
  topic: string;
  partition: number;
  offset: number;
  events: number;
}

// Flushes go one by one, and a full one is some 30 MB: as garbage it would have V8 collect after each.
const rooms = new WriterPool(1, 2 ** 26);

export const createEvents = (clickhouse: ClickHouse, cleanTopic: string, schemaOf: (id: number) => Promise<string>) => {
  const heads = new Map<number, Buffer>();
  const headOf = async (id: number): Promise<Buffer> => {
    let head = heads.get(id);
    if (head === undefined) heads.set(id, (head = ocfHead(await schemaOf(id))));
    return head;
  };

  return {
    /**
     * Inserts the batches' events, in one statement per writer's schema, and returns how many rows were written. With
     * `complete`, events that are there already are skipped by their coordinates. Throws as ClickHouse.insert does.
     */
    insert: async (batches: readonly CleanBatch[], owners: readonly Owner[], complete: boolean) => {
      const bySchema = Map.groupBy(batches, (batch) => batch.schemaId);
      const done = { rows: 0, bytes: 0 };
      for (const [schemaId, group] of bySchema) {
        const guard = fence(cleanTopic, owners);
        const there = theirRows(group);
        const skip = complete
          ? `AND (raw_topic, raw_partition, raw_offset, i - 1) NOT IN (
              SELECT topic, toInt32(partition), toInt64(offset), idx FROM events WHERE ${there.condition})`
          : "";
        const room = rooms.take(0);
        const body = wrapOcf(
          await headOf(schemaId),
          group.map((batch) => batch.value),
          room,
        );
        done.bytes += body.length;
        done.rows += await clickhouse.insert({
          query: `INSERT INTO events (${columns}) ${select} WHERE ${eventsInSql.there} AND ${guard.condition} ${skip} FORMAT Avro`,
          queryId: insertId(
            cleanTopic,
            owners.map((owner) => owner.partition),
          ),
          params: { ...guard.params, ...(complete ? there.params : {}) },
          body,
          rows: group.reduce((sum, batch) => sum + batch.accepted, 0),
        });
        // Only after success: of an insert that failed the connection may still hold a part.
        rooms.give(room);
      }
      return done;
    },

    /** How many events of each of these batches are there. */
    count: (batches: readonly CleanBatch[]): Promise<EventCount[]> => {
      const { condition, params } = theirRows(batches);
      return clickhouse.rows<EventCount>(
        `SELECT topic, partition, offset, toUInt32(count()) AS events FROM events WHERE ${condition} GROUP BY ALL`,
        params,
      );
    },
  };
};
