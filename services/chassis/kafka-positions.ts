/** How far the partitions of topics and the groups behind them have come. */
import { Fault } from "./fault.ts";
import type { KafkaAdmin, KafkaClient } from "./kafka.ts";

export interface Positions {
  /** Partition to the offset of the oldest record there still is. */
  readonly starts: ReadonlyMap<number, number>;
  /** Partition to the offset the next record will get. */
  readonly ends: ReadonlyMap<number, number>;
  /** Partition to the group's committed position; absent when it has none. */
  readonly committed: ReadonlyMap<number, number>;
}

export interface KafkaPositions {
  /** The group's position is read before the topic's end. Faults: `kafka_unavailable`. */
  of(topic: string, group: string): Promise<Positions>;
  /**
   * By partition, how many records there still are that were written before `at`, milliseconds since the epoch. Faults:
   * `kafka_unavailable`.
   */
  before(topic: string, at: number): Promise<ReadonlyMap<number, number>>;
  close(): Promise<void>;
}

/** A native topic that is being made has no records. */
const noneYet = (error: unknown): [] => {
  if ((error as { type?: unknown }).type === "UNKNOWN_TOPIC_OR_PARTITION") return [];
  throw error;
};

/** Topics and groups are named without the cluster's prefix. */
export const createPositions = (kafka: KafkaClient): KafkaPositions => {
  let admin: Promise<KafkaAdmin> | undefined;
  const connected = async (): Promise<KafkaAdmin> => {
    const fresh = kafka.admin();
    await fresh.connect();
    return fresh;
  };
  const ask = async <T>(question: (client: KafkaAdmin) => Promise<T>): Promise<T> => {
    try {
      return await question(await (admin ??= connected()));
    } catch (error) {
      admin = undefined;
      throw new Fault("kafka_unavailable", "Kafka does not say how far its topics go.", {
        retriable: true,
        cause: error,
      });
    }
  };
  return {
    of: (topic, group) =>
      ask(async (client) => {
        const groups = await client.fetchOffsets({ groupId: kafka.name(group), topics: [kafka.name(topic)] });
        const ends = await client.fetchTopicOffsets(kafka.name(topic)).catch(noneYet);
        return {
          starts: new Map(ends.map(({ partition, low }) => [partition, Number(low)])),
          ends: new Map(ends.map(({ partition, high }) => [partition, Number(high)])),
          committed: new Map(
            groups.flatMap(({ partitions }) =>
              partitions.flatMap(({ partition, offset }) =>
                Number(offset) >= 0 ? [[partition, Number(offset)] as const] : [],
              ),
            ),
          ),
        };
      }),
    before: (topic, at) =>
      ask(async (client) => {
        const name = kafka.name(topic);
        const found = await client.fetchTopicOffsetsByTimestamp(name, at).catch(noneYet);
        const ends = await client.fetchTopicOffsets(name).catch(noneYet);
        const starts = new Map(ends.map(({ partition, low }) => [partition, Number(low)]));
        return new Map(
          found.map(({ partition, offset }) => [partition, Math.max(0, Number(offset) - (starts.get(partition) ?? 0))]),
        );
      }),
    close: async () => {
      const client = await admin?.catch(() => undefined);
      await client?.disconnect();
    },
  };
};
