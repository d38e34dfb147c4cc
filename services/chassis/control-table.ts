/**
 * A compacted topic as a live table in memory: read from its beginning at start, followed from then on. The data plane
 * knows keys and sources from here alone, so it goes on when the control plane is down.
 */
import { randomUUID } from "node:crypto";
import { decodeRecord, type RecordName, type Records, schemaIdOf } from "@astralog/schemas";
import { Fault } from "./fault.ts";
import type { KafkaClient } from "./kafka.ts";
import { consume } from "./kafka-consumer.ts";
import type { Log } from "./log.ts";
import type { Registry } from "./registry.ts";

export interface ControlTable<R> {
  get(key: string): R | undefined;
  values(): Iterable<R>;
  readonly size: number;
  /** Whether everything that stood in the topic at the start has been read. */
  readonly complete: boolean;
  close(): Promise<void>;
}

/**
 * Rejects when the topic cannot be read. `principal` begins the group's name, which is what its ACL allows; each process
 * has a group of its own, because each needs the whole table. Without a registry only records of this very version can be
 * read; with one, those of older and newer versions, too.
 */
export const createControlTable = async <N extends RecordName>(
  kafka: KafkaClient,
  { log, registry }: { log: Log; registry?: Pick<Registry, "writerOf"> },
  options: { principal: string; topic: string; record: N; onChange?(key: string, value: Records[N] | undefined): void },
): Promise<ControlTable<Records[N]>> => {
  const { topic, record } = options;
  const rows = new Map<string, Records[N]>();
  const seen = new Map<number, number>();

  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const targets = ends
    .filter((end) => Number(end.high) > Number(end.low))
    .map((end) => ({ partition: end.partition, last: Number(end.high) - 1 }));

  /** A registry that is away must not hold up a revocation that this version wrote. */
  const decode = async (value: Buffer): Promise<Records[N]> => {
    const id = schemaIdOf(value);
    if (registry === undefined || id === undefined) return decodeRecord(record, value);
    try {
      return decodeRecord(record, value, await registry.writerOf(id));
    } catch (error) {
      if (error instanceof Fault && error.retriable) return decodeRecord(record, value);
      throw error;
    }
  };

  const group = `${options.principal}.table.${topic}.${randomUUID()}`;
  const consumer = await consume(
    kafka,
    { log },
    {
      group,
      topics: [topic],
      // How long the broker holds an empty answer back, not how late news is: it answers at once when there is any. Every
      // process has several tables, and what they ask in vain costs the broker. A stop waits for the last answer.
      maxWaitMs: 500,
      handle: async ({ partition, records }) => {
        for (const { offset, key, value } of records) {
          seen.set(partition, offset);
          if (key === null) continue;
          const name = key.toString("utf8");
          try {
            const row = value === null ? undefined : await decode(value);
            if (row === undefined) rows.delete(name);
            else rows.set(name, row);
            options.onChange?.(name, row);
          } catch (error) {
            // What was known of this key stays; a newer version of the project may have written it.
            log.error({ err: error, topic, partition, offset }, "a control record could not be read");
          }
        }
      },
    },
  );

  return {
    get: (key) => rows.get(key),
    values: () => rows.values(),
    get size() {
      return rows.size;
    },
    get complete() {
      return targets.every(({ partition, last }) => (seen.get(partition) ?? -1) >= last);
    },
    close: async () => {
      await consumer.close();
      const cleaner = kafka.admin();
      await cleaner.connect();
      await cleaner.deleteGroups([kafka.name(group)]).catch(() => undefined);
      await cleaner.disconnect();
    },
  };
};
