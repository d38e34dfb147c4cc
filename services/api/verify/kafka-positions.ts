/** How far the partitions and the groups behind them have come. */
import { Fault, type KafkaAdmin, type KafkaClient } from "@astralog/chassis";

export interface Positions {
  /** Partition to the offset the next record will get. */
  readonly ends: ReadonlyMap<number, number>;
  /** Partition to the group's committed position; absent when it has none. */
  readonly committed: ReadonlyMap<number, number>;
}

export interface KafkaPositions {
  /** The group's position is read before the topic's end. Faults: `kafka_unavailable`. */
  of(topic: string, group: string): Promise<Positions>;
  close(): Promise<void>;
}

/** A native topic that is being made has no records. */
const noneYet = (error: unknown): [] => {
  if ((error as { type?: unknown }).type === "UNKNOWN_TOPIC_OR_PARTITION") return [];
  throw error;
};

export const createPositions = (kafka: KafkaClient): KafkaPositions => {
  let admin: Promise<KafkaAdmin> | undefined;
  const connected = async (): Promise<KafkaAdmin> => {
    const fresh = kafka.admin();
    await fresh.connect();
    return fresh;
  };
  return {
    of: async (topic, group) => {
      try {
        const client = await (admin ??= connected());
        const groups = await client.fetchOffsets({ groupId: kafka.name(group), topics: [kafka.name(topic)] });
        const ends = await client.fetchTopicOffsets(kafka.name(topic)).catch(noneYet);
        return {
          ends: new Map(ends.map(({ partition, high }) => [partition, Number(high)])),
          committed: new Map(
            groups.flatMap(({ partitions }) =>
              partitions.flatMap(({ partition, offset }) =>
                Number(offset) >= 0 ? [[partition, Number(offset)] as const] : [],
              ),
            ),
          ),
        };
      } catch (error) {
        admin = undefined;
        throw new Fault("kafka_unavailable", "Kafka does not say how far its topics go.", {
          retriable: true,
          cause: error,
        });
      }
    },
    close: async () => {
      const client = await admin?.catch(() => undefined);
      await client?.disconnect();
    },
  };
};
