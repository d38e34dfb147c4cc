/**
 * For tests: stands in for the redactor in front of a sink. It writes batches to events.clean as the redactor would,
 * with rewinds, and can say by SQL whether each event was stored once and the ledger tells the truth.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  createKafka,
  createLog,
  createMetrics,
  createProducer,
  createRegistry,
  kafkaShape,
  loadConfig,
} from "@astralog/chassis";
import { BatchEncoder, emptyHeader, topics } from "@astralog/schemas";

export type Sql = <T>(query: string) => Promise<T[]>;

/** Asks ClickHouse as a user who may see all. Tries again while the server does not answer. */
export const askAs =
  (url: string, database: string, user: string, password: string): Sql =>
  async <T>(query: string) => {
    for (let tries = 0; ; tries++) {
      try {
        const answer = await fetch(`${url}/?database=${database}&output_format_json_quote_64bit_integers=0`, {
          method: "POST",
          headers: { "X-ClickHouse-User": user, "X-ClickHouse-Key": password },
          body: `${query} FORMAT JSONEachRow`,
          signal: AbortSignal.timeout(20_000),
        });
        const text = await answer.text();
        if (!answer.ok) throw new Error(text);
        return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as T]));
      } catch (error) {
        if (tries === 10) throw error;
        await sleep(300);
      }
    }
  };

export const createFeeder = async (
  env: Record<string, string>,
  options: { partitions: number; events: number; tenantOf?: (partition: number) => string },
) => {
  const config = loadConfig(kafkaShape, env);
  const log = createLog("feeder", "error");
  const kafka = createKafka(config, log, "feeder");
  const producer = await createProducer(kafka, { log, metrics: createMetrics("feeder") }, { lingerMs: 5 });
  const topic = kafka.name(topics.clean.name);
  const raw = kafka.name(topics.raw.name);
  const schemaId = await createRegistry(config).idOf("EventBatch", topic);
  const encoder = new BatchEncoder();
  const next = new Array<number>(options.partitions).fill(0);
  const sent = next.map((): Buffer[] => []);
  let duplicates = 0;

  const make = (partition: number, offset: number): Buffer => {
    for (let index = 0; index < options.events; index++) {
      // Every seventh event was dead-lettered on the way and left its place.
      const gone = index % 7 === 6;
      encoder.append({
        millis: gone ? -1 : Date.now(),
        nanos: gone ? 999_999 : index,
        level: 9,
        service: "feeder",
        host: "h",
        message: gone ? "" : `${partition}-${offset}-${index}`,
        trace_id: "",
        span_id: "",
        attribute_types: "",
        attributes: gone ? [] : ["n", String(index)],
      });
    }
    // Now and then a client's retry, accepted twice under one id.
    const retried = offset % 10 === 9;
    if (retried) duplicates++;
    const gone = Math.floor(options.events / 7);
    return encoder.finish(schemaId, {
      ...emptyHeader,
      tenant: options.tenantOf?.(partition) ?? "tn_test",
      source: `src_${partition}`,
      received_at: Date.now(),
      // Two days of expiry in one insert: two parts, so half of an insert can be there.
      retention_days: 30 + (offset % 2),
      protocol: "test",
      dedup_id: `${partition}-${retried ? offset - 1 : offset}`,
      accepted: options.events,
      raw_topic: raw,
      raw_partition: partition,
      raw_offset: offset,
      dropped: gone > 0 ? { dead_letter: gone } : {},
    });
  };

  return {
    /** Writes `batches` to each partition, with rewinds as after a redactor's crash. */
    feed: async (batches: number): Promise<void> => {
      await Promise.all(
        next.map(async (_, partition) => {
          const values: Buffer[] = [];
          for (let i = 0; i < batches; i++) {
            const offset = next[partition] ?? 0;
            next[partition] = offset + 1;
            const value = make(partition, offset);
            sent[partition]?.push(value);
            values.push(value);
            if (Math.random() < 0.1) values.push(...(sent[partition] ?? []).slice(-1 - Math.floor(Math.random() * 5)));
          }
          await Promise.all(values.map((value) => producer.send({ topic, partition, value })));
        }),
      );
    },
    /** Writes what is no batch, and a batch whose events break off, to partition 0. */
    poison: async (): Promise<void> => {
      const offset = next[0] ?? 0;
      next[0] = offset + 1;
      const value = make(0, offset);
      await producer.send({ topic, partition: 0, value: Buffer.from("no batch") });
      await producer.send({ topic, partition: 0, value: value.subarray(0, -30) });
    },
    clean: topic,
    records: () => next.reduce((sum, offset) => sum + offset, 0),
    duplicates: () => duplicates,
    raw,
    close: producer.close,
  };
};

export type Feeder = Awaited<ReturnType<typeof createFeeder>>;

export interface Audit {
  records: number;
  rows: number;
  gaps: number;
  unbalanced: number;
  mismatched: number;
  twice: number;
  duplicates: number;
}

/** What the tables say of a raw topic. A sound pipeline has rows = records, and 0 in all the rest but duplicates. */
export const audit = async (sql: Sql, raw: string): Promise<Audit> => {
  const [ledger] = await sql<Omit<Audit, "mismatched" | "twice">>(
    `SELECT uniqExact(partition, offset) AS records, count() AS rows, toInt64(sum(top)) - records AS gaps,
       sum(bad) AS unbalanced, sum(dup) AS duplicates FROM (
       SELECT partition, offset, if(offset = max(offset) OVER (PARTITION BY partition), offset + 1, 0) AS top,
         accepted != stored + arraySum(mapValues(dropped)) AS bad, mapContains(dropped, 'duplicate') AS dup
       FROM batches WHERE topic = '${raw}')`,
  );
  const [events] = await sql<Pick<Audit, "mismatched" | "twice">>(
    `SELECT countIf(toInt64(stored) != toInt64(n)) AS mismatched, sum(n - u) AS twice FROM
       (SELECT partition, offset, stored FROM batches FINAL WHERE topic = '${raw}') AS b
     FULL JOIN (SELECT partition, offset, count() AS n, uniqExact(idx) AS u FROM events WHERE topic = '${raw}' GROUP BY ALL) AS e
     USING (partition, offset)`,
  );
  if (ledger === undefined || events === undefined) throw new Error("ClickHouse answered nothing");
  return { ...ledger, ...events };
};

/** Waits until the ledger has every record, and returns the audit. */
export const settled = async (sql: Sql, feeder: Feeder, withinMs = 60_000): Promise<Audit> => {
  const end = Date.now() + withinMs;
  for (;;) {
    const now = await audit(sql, feeder.raw);
    if (now.records >= feeder.records() || Date.now() > end) return now;
    await sleep(250);
  }
};
