/**
 * A compacted topic as a live table in memory: read from its beginning at start, followed from then on. The data plane
 * knows keys and sources from here alone, so it goes on when the control plane is down.
 */
import { decodeRecord, type RecordName, type Records, schemaIdOf } from "@astralog/schemas";
import { Fault } from "./fault.ts";
import type { KafkaClient } from "./kafka.ts";
import { followTopic } from "./kafka-follower.ts";
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

/** A compacted topic of `topics`, and which record it carries. */
export interface TableOptions<N extends RecordName> {
  readonly principal: string;
  readonly topic: { readonly name: string; readonly value: N };
  onChange?(key: string, value: Records[N] | undefined): void;
}

/**
 * Rejects when the topic cannot be read. `principal` begins the group's name, which is what its ACL allows; each process
 * has a group of its own, because each needs the whole table. Without a registry only records of this very version can be
 * read; with one, those of older and newer versions, too.
 */
export const createControlTable = async <N extends RecordName>(
  kafka: KafkaClient,
  { log, registry }: { log: Log; registry?: Pick<Registry, "writerOf"> },
  options: TableOptions<N>,
): Promise<ControlTable<Records[N]>> => {
  const record = options.topic.value;
  const topic = kafka.name(options.topic.name);
  const rows = new Map<string, Records[N]>();

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

  const follower = await followTopic(
    kafka,
    { log },
    {
      group: `${options.principal}.table.${topic}`,
      topic,
      handle: async (key, { value }) => {
        const row = value === null ? undefined : await decode(value);
        if (row === undefined) rows.delete(key);
        else rows.set(key, row);
        options.onChange?.(key, row);
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
      return follower.complete;
    },
    close: follower.close,
  };
};
