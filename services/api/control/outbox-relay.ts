/**
 * Carries the outbox to the control topics, in order, with acks=all. One relay works at a time, by an advisory lock that
 * ends with its connection. A row is deleted after Kafka has confirmed it, so a crash repeats rows and never skips one;
 * repeating a snapshot is harmless because the newer ones follow it.
 */
import { createPause, type KafkaClient, type Log, type RecordProducer, type Registry } from "@astralog/chassis";
import { type AuditHeadRecord, encodeRecord, type Records } from "@astralog/schemas";
import { connectSession } from "@astralog/schemas/postgres";
import type { ApiMetrics } from "../metrics.ts";
import { recordFromJson, recordOf } from "./outbox.ts";

/** A session of its own, with LISTEN and the lock. */
type Session = ReturnType<typeof connectSession>;

interface OutboxRow {
  id: number;
  topic: string;
  key: string;
  value: Record<string, unknown> | null;
  age: number;
}

export interface RelayDeps {
  readonly url: string;
  readonly kafka: KafkaClient;
  readonly producer: RecordProducer;
  readonly registry: Registry;
  readonly metrics: ApiMetrics;
  readonly log: Log;
  /** Whether what is published can be judged yet. */
  ready(): boolean;
  /** Whether a head of an audit trail may replace the one that Kafka has. */
  admits(head: { tenant: string; seq: bigint }): Promise<boolean>;
  /** Called while this relay has the lock and the outbox is empty: until it could be done, then every `reconcileMs`. */
  reconcile(): Promise<boolean>;
}

export interface Relay {
  /** Whether this process holds the lock. */
  readonly leading: boolean;
  stop(): Promise<void>;
}

/** "astralog" as a number; the lock belongs to one database. */
const lockId = 0x61737472;
/** NOTIFY wakes the relay; the poll is for one that was lost with a connection. */
const pollMs = 1_000;
const reconcileMs = 30_000;
/** What was just published is not in the tables yet, and would look like a difference. */
const settleMs = 2_000;
const rowsAtOnce = 500;

export const startRelay = (deps: RelayDeps): Relay => {
  const { log, metrics } = deps;
  const between = createPause();
  let leading = false;
  let publishedAt = 0;

  const session = async (): Promise<void> => {
    const client = connectSession(deps.url);
    let broken: Error | undefined;
    client.on("error", (error) => {
      broken = error;
      between.wake();
    });
    client.on("notification", between.wake);
    try {
      await client.connect();
      await client.query("listen outbox");
      let reconcileAt = 0;
      while (!between.stopped) {
        leading ||= await lock(client);
        metrics.outboxLeading.set(leading ? 1 : 0);
        if (leading && deps.ready()) {
          await drain(client);
          if (Date.now() >= reconcileAt && Date.now() >= publishedAt + settleMs) {
            if (await deps.reconcile()) reconcileAt = Date.now() + reconcileMs;
          }
        }
        await between.rest(pollMs);
        if (broken !== undefined) throw broken;
      }
    } finally {
      leading = false;
      metrics.outboxLeading.set(0);
      await client.end().catch(() => undefined);
    }
  };

  const drain = async (client: Session): Promise<void> => {
    for (;;) {
      const { rows } = await client.query<OutboxRow>(
        `select id, topic, key, value, extract(epoch from clock_timestamp() - created_at)::float8 as age
         from outbox order by id limit ${rowsAtOnce}`,
      );
      metrics.outboxLag.set(rows[0]?.age ?? 0);
      if (rows.length === 0) return;
      await publish(rows);
      await client.query("delete from outbox where id = any($1)", [rows.map((row) => row.id)]);
    }
  };

  const publish = async (rows: readonly OutboxRow[]): Promise<void> => {
    const begun = performance.now();
    const encoded = await Promise.all(rows.map(encode));
    // Handed over in one go, so they travel in one request: all or none, in order.
    await Promise.all(encoded.flatMap((record) => (record === undefined ? [] : [deps.producer.send(record)])));
    publishedAt = Date.now();
    const seconds = (performance.now() - begun) / 1000;
    for (const row of rows) {
      metrics.outboxPublished.inc({ topic: row.topic });
      metrics.outboxSeconds.observe(row.age + seconds);
    }
  };

  const encode = async (row: OutboxRow) => {
    // Control topics have one partition, which is what keeps them in order.
    const place = { topic: deps.kafka.name(row.topic), partition: 0, key: row.key };
    if (row.value === null) return { ...place, value: null };
    const name = recordOf(row.topic);
    const id = await deps.registry.idOf(name, place.topic);
    const record = recordFromJson(row.value);
    if (name === "AuditHead" && !(await deps.admits(record as AuditHeadRecord))) return undefined;
    try {
      return { ...place, value: encodeRecord(name, id, record as Records[typeof name]) };
    } catch (error) {
      // A row that cannot be written must not hold up a revocation behind it; reconcile tells the truth anew.
      log.error({ err: error, outbox_id: row.id, topic: row.topic }, "an outbox row is not what its topic carries");
      return undefined;
    }
  };

  const work = async (): Promise<void> => {
    let failures = 0;
    while (!between.stopped) {
      try {
        await session();
        failures = 0;
      } catch (error) {
        failures++;
        log.warn({ err: error, failures }, "the outbox relay starts over");
        await between.rest(Math.min(200 * 2 ** failures, 3_000));
      }
    }
  };

  const working = work();
  return {
    get leading() {
      return leading;
    },
    stop: async () => {
      between.stop();
      await working;
    },
  };
};

const lock = async (client: Session): Promise<boolean> => {
  const { rows } = await client.query<{ locked: boolean }>("select pg_try_advisory_lock($1) as locked", [lockId]);
  return rows[0]?.locked === true;
};
