/**
 * Produces with acks=all, many records to a request. One request is in flight at a time; what arrives meanwhile goes
 * together in the next. So records of one partition are never reordered, the next is sent only after the one before was
 * acknowledged, and small sends cost what large ones do.
 */
import { Fault } from "./fault.ts";
import { isRetriable, type KafkaClient, type KafkaProducer } from "./kafka.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";

export interface OutRecord {
  /** As the cluster names it: `kafka.name(...)`. */
  topic: string;
  partition: number;
  key?: string | Buffer | null;
  value: Buffer | null;
}

export interface Placed {
  topic: string;
  partition: number;
  offset: number;
}

export interface RecordProducer {
  /**
   * Resolves when Kafka has confirmed the record, with where it lies. Rejects with Fault `kafka_unavailable` (retriable;
   * the record may have been written all the same) or `kafka_refused` (never written).
   */
  send(record: OutRecord): Promise<Placed>;
  /**
   * The same for records of one partition that Kafka shall write all or none of, one directly after the other: they
   * travel in one record batch. Keep them below the topic's max.message.bytes in sum.
   */
  sendTogether(records: readonly OutRecord[]): Promise<Placed[]>;
  /** Bytes accepted by send() and not confirmed yet. */
  readonly pendingBytes: number;
  /** Whether the last request was answered. */
  readonly healthy: boolean;
  /** Waits for what is pending, then disconnects. */
  close(): Promise<void>;
}

export interface ProducerOptions {
  /** Milliseconds a record may wait for company when nothing is in flight. */
  lingerMs: number;
  /** Most bytes for one partition in one request; a larger record goes alone. Below the topic's max.message.bytes. */
  maxPartitionBytes?: number;
}

interface Waiting {
  topic: string;
  partition: number;
  records: readonly OutRecord[];
  bytes: number;
  resolve(placed: Placed[]): void;
  reject(error: unknown): void;
}

/** kafkajs' own words for one partition's answer. */
interface Answer {
  topicName: string;
  partition: number;
  baseOffset?: string;
}

const maxRequestBytes = 16 * 2 ** 20;

const laneOf = ({ topic, partition }: Pick<Waiting, "topic" | "partition">): string => `${topic}/${partition}`;

export const createProducer = async (
  kafka: KafkaClient,
  { log, metrics }: { log: Log; metrics: Metrics },
  { lingerMs, maxPartitionBytes = 3.5 * 2 ** 20 }: ProducerOptions,
): Promise<RecordProducer> => {
  const producer: KafkaProducer = kafka.producer();
  const seconds = metrics.histogram(
    "kafka_produce_seconds",
    "One produce request, acks=all.",
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5, 10],
  );
  const failures = metrics.counter("kafka_produce_failures_total", "Produce requests that failed after all tries.", [
    "code",
  ]);
  await producer.connect();

  let queue: Waiting[] = [];
  let pendingBytes = 0;
  let inFlight: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let healthy = true;
  let closed = false;

  /** Takes as much from the queue's front as one request may carry. */
  const take = (): Waiting[] => {
    const perPartition = new Map<string, number>();
    const taken: Waiting[] = [];
    const left: Waiting[] = [];
    let total = 0;
    for (const record of queue) {
      const lane = laneOf(record);
      const before = perPartition.get(lane) ?? 0;
      const fits =
        before === 0
          ? total === 0 || total + record.bytes <= maxRequestBytes
          : before + record.bytes <= maxPartitionBytes && total + record.bytes <= maxRequestBytes;
      if (fits) {
        taken.push(record);
        total += record.bytes;
        perPartition.set(lane, before + record.bytes);
      } else {
        left.push(record);
        // What follows on this partition must not overtake.
        perPartition.set(lane, Number.POSITIVE_INFINITY);
      }
    }
    queue = left;
    return taken;
  };

  const request = async (records: readonly Waiting[]): Promise<void> => {
    const byTopic = Map.groupBy(records, (record) => record.topic);
    const answers: Answer[] = await producer.sendBatch({
      acks: -1,
      timeout: 8_000,
      compression: kafka.compression,
      topicMessages: [...byTopic].map(([topic, list]) => ({
        topic,
        messages: list.flatMap((waiting) =>
          waiting.records.map(({ partition, key, value }) => ({
            partition,
            value,
            ...(key === undefined ? {} : { key }),
          })),
        ),
      })),
    });
    const next = new Map<string, number>();
    for (const answer of answers)
      next.set(laneOf({ topic: answer.topicName, partition: answer.partition }), Number(answer.baseOffset));
    const lost = records.find((record) => !((next.get(laneOf(record)) ?? -1) >= 0));
    if (lost !== undefined) throw new Error(`the answer lacks an offset for ${laneOf(lost)}`);
    for (const record of records) {
      const lane = laneOf(record);
      const offset = next.get(lane) ?? -1;
      next.set(lane, offset + record.records.length);
      pendingBytes -= record.bytes;
      const { topic, partition } = record;
      record.resolve(record.records.map((_, i) => ({ topic, partition, offset: offset + i })));
    }
  };

  const attempt = async (records: readonly Waiting[]): Promise<void> => {
    const end = seconds.startTimer();
    try {
      await request(records);
      healthy = true;
    } catch (error) {
      const retriable = isRetriable(error);
      const code = retriable ? "kafka_unavailable" : "kafka_refused";
      if (!retriable && records.length > 1) {
        // One of them is at fault: only that one shall fail.
        for (const record of records) await attempt([record]);
        return;
      }
      healthy = !retriable;
      failures.inc({ code });
      log.warn({ err: error, records: records.length, code }, "a produce request failed");
      const message = retriable ? "Kafka did not confirm the records in time." : "Kafka refused a record.";
      for (const record of records) {
        pendingBytes -= record.bytes;
        record.reject(new Fault(code, message, { retriable, cause: error }));
      }
    } finally {
      end();
    }
  };

  const flush = (): void => {
    timer = undefined;
    if (inFlight !== undefined || queue.length === 0) return;
    const records = take();
    inFlight = attempt(records).finally(() => {
      inFlight = undefined;
      flush();
    });
  };

  const sendTogether = (records: readonly OutRecord[]): Promise<Placed[]> =>
    new Promise((resolve, reject) => {
      const [first] = records;
      if (first === undefined) return resolve([]);
      const { topic, partition } = first;
      if (records.some((record) => record.topic !== topic || record.partition !== partition))
        throw new TypeError("sendTogether takes records of one partition");
      if (closed) return reject(new Fault("kafka_unavailable", "The producer is closed.", { retriable: true }));
      const bytes = records.reduce((sum, { key, value }) => sum + (value?.length ?? 0) + (key?.length ?? 0) + 64, 0);
      pendingBytes += bytes;
      queue.push({ topic, partition, records, bytes, resolve, reject });
      if (inFlight === undefined) timer ??= setTimeout(flush, lingerMs);
    });

  return {
    send: async (record) => {
      const [placed] = await sendTogether([record]);
      if (placed === undefined) throw new Error("one record was sent and none was placed");
      return placed;
    },
    sendTogether,
    get pendingBytes() {
      return pendingBytes;
    },
    get healthy() {
      return healthy;
    },
    close: async () => {
      closed = true;
      clearTimeout(timer);
      flush();
      while (inFlight !== undefined) await inFlight;
      await producer.disconnect();
    },
  };
};
