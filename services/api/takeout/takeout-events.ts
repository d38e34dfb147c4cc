/**
 * Events as Parquet, part by part. A part is a span of the table's own slices of five minutes of one source, or a share of one
 * where that alone is too much, so it is found by the key and is the same whoever asks for it. What belongs to it is decided by
 * the offsets of the cut: what came later is in no part.
 */
import { Fault } from "@astralog/chassis";
import { type Bind, createBinder } from "@astralog/schemas/query/index";
import { sliceSql } from "@astralog/schemas/query/sql-time";
import { rowHashSql, takeoutNames } from "@astralog/schemas/takeout";
import type { ExportQueries } from "../export/clickhouse-export.ts";
import type { Sql } from "../search/scope.ts";
import type { Cut } from "./takeouts.ts";

/** Which slices, both included, and which share of them. */
export interface EventsPlan {
  readonly source: string;
  readonly first: number;
  readonly last: number;
  readonly share: number;
  readonly shares: number;
}

export interface Slice {
  readonly slice: number;
  readonly rows: number;
  readonly bytes: number;
}

/** Bytes that events take before they are compressed, of which one part has at most so many. */
const partBytes = 64 * 2 ** 20;
const slicesOfDay = 288;

const dayText = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);

/** The parts of one source's day, in order. */
export const partsOf = (
  source: string,
  day: number,
  slices: readonly Slice[],
  most: number,
): { name: string; plan: EventsPlan }[] => {
  const plans: EventsPlan[] = [];
  let open: { first: number; last: number; rows: number; bytes: number } | undefined;
  const close = (): void => {
    if (open === undefined) return;
    const shares = Math.max(1, Math.ceil(open.rows / most), Math.ceil(open.bytes / partBytes));
    for (let share = 0; share < shares; share++)
      plans.push({ source, first: open.first, last: open.last, share, shares });
    open = undefined;
  };
  for (const { slice, rows, bytes } of slices) {
    if (open !== undefined && (open.rows + rows > most || open.bytes + bytes > partBytes)) close();
    open = {
      ...{ first: open?.first ?? slice, last: slice, rows: (open?.rows ?? 0) + rows },
      bytes: (open?.bytes ?? 0) + bytes,
    };
  }
  close();
  return plans.map((plan, part) => ({ name: takeoutNames.events(dayText(day), source, part), plan }));
};

export const createTakeoutEvents = (exports: ExportQueries, topicPrefix: string) => {
  const inCut = ({ offsets }: Cut, bind: Bind): string => {
    const topics = Object.entries(offsets).map(([topic, ends]) => ({
      topic: bind("String", topicPrefix + topic),
      ends: `CAST([${ends.map((end) => BigInt(end)).join(", ")}] AS Array(UInt64))`,
    }));
    const known = topics.map(
      ({ topic, ends }) => `(topic = ${topic} AND offset < arrayElement(${ends}, partition + 1))`,
    );
    // A topic that is gone gets nothing more.
    const gone = `topic NOT IN (${topics.map(({ topic }) => topic).join(", ")})`;
    return `(${[...known, gone].join(" OR ")})`;
  };

  const whereOf = (tenant: string, cut: Cut, plan: EventsPlan | undefined, bind: Bind): string =>
    [
      `tenant = ${bind("String", tenant)}`,
      inCut(cut, bind),
      ...(plan === undefined
        ? []
        : [
            `source = ${bind("String", plan.source)}`,
            `${sliceSql} BETWEEN ${bind("Int64", String(plan.first))} AND ${bind("Int64", String(plan.last))}`,
            ...(plan.shares === 1 ? [] : [`cityHash64(partition, offset, idx) % ${plan.shares} = ${plan.share}`]),
          ]),
    ].join(" AND ");

  const rowsOf = async <Row>(tenant: string, sql: Sql, signal: AbortSignal): Promise<Row[]> => {
    const rows: Row[] = [];
    try {
      for await (const block of await exports.rows(tenant, sql, signal))
        for (const row of block) rows.push(row.json<Row>());
    } catch (error) {
      if (error instanceof Fault) throw error;
      throw new Fault("clickhouse_unavailable", "ClickHouse's answer was cut.", { retriable: true, cause: error });
    }
    return rows;
  };

  return {
    /** Which source has events of which day, by number since the epoch, and how many. */
    days: async (tenant: string, cut: Cut, signal: AbortSignal) => {
      const { params, bind } = createBinder();
      const query = `SELECT source, toString(floor(${sliceSql} / ${slicesOfDay})) AS day, toString(count())
FROM tenant_events WHERE ${whereOf(tenant, cut, undefined, bind)} GROUP BY source, day ORDER BY toInt64(day), source`;
      const rows = await rowsOf<[string, string, string]>(tenant, { query, params }, signal);
      return rows.map(([source, day, events]) => ({ source, day: Number(day), events: Number(events) }));
    },

    slices: async (tenant: string, cut: Cut, source: string, day: number, signal: AbortSignal): Promise<Slice[]> => {
      const { params, bind } = createBinder();
      const first = day * slicesOfDay;
      const plan = { source, first, last: first + slicesOfDay - 1, share: 0, shares: 1 };
      const query = `SELECT toString(${sliceSql}) AS slice, toString(count()), toString(sum(byteSize(message, attributes, service, host)))
FROM tenant_events WHERE ${whereOf(tenant, cut, plan, bind)} GROUP BY slice ORDER BY toInt64(slice)`;
      const rows = await rowsOf<[string, string, string]>(tenant, { query, params }, signal);
      return rows.map(([slice, count, bytes]) => ({ slice: Number(slice), rows: Number(count), bytes: Number(bytes) }));
    },

    /** What its rows are, whatever file they are in. */
    sum: async (tenant: string, cut: Cut, plan: EventsPlan, signal: AbortSignal) => {
      const { params, bind } = createBinder();
      const query = `SELECT toString(count()), toString(sum(${rowHashSql})) FROM tenant_events WHERE ${whereOf(tenant, cut, plan, bind)}`;
      const [row] = await rowsOf<[string, string]>(tenant, { query, params }, signal);
      return { rows: Number(row?.[0] ?? 0), checksum: row?.[1] ?? "0" };
    },

    /** Wholly ordered, and the events of one record beside each other. */
    parquet: async (tenant: string, cut: Cut, plan: EventsPlan, signal: AbortSignal): Promise<Buffer> => {
      const { params, bind } = createBinder();
      const skip = bind("Int64", topicPrefix.length + 1);
      // The names are given outside, where no condition can take them for the columns.
      const query = `SELECT * EXCEPT topic_name, topic_name AS topic FROM (
SELECT tenant, source, timestamp, received_at, level, service, host, message, trace_id, span_id, attribute_types, attributes,
mapKeys(attributes) AS attribute_keys, substring(topic, ${skip}) AS topic_name, partition, offset, idx
FROM tenant_events WHERE ${whereOf(tenant, cut, plan, bind)}) ORDER BY topic_name, partition, offset, idx`;
      const pieces: Buffer[] = [];
      try {
        for await (const piece of await exports.parquet(tenant, { query, params }, signal))
          pieces.push(piece as Buffer);
      } catch (error) {
        if (error instanceof Fault) throw error;
        throw new Fault("clickhouse_unavailable", "ClickHouse's answer was cut.", { retriable: true, cause: error });
      }
      return Buffer.concat(pieces);
    },
  };
};

export type TakeoutEvents = ReturnType<typeof createTakeoutEvents>;
