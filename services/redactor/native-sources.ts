/** Which native topics there are, from the table of sources: whose each is, and where its partitions go. */
import { Fault, type KafkaClient } from "@astralog/chassis";
import { nativePrefix, type SourceRecord } from "@astralog/schemas";

export const createNativeSources = (kafka: Pick<KafkaClient, "name">) => {
  const byTopic = new Map<string, SourceRecord>();
  const topics = new Map<string, string>();

  return {
    /** What the table says of this key now. */
    change: (key: string, record: SourceRecord | undefined): void => {
      const before = topics.get(key);
      if (record === undefined || record.native_partitions.length === 0) {
        topics.delete(key);
        if (before !== undefined) byTopic.delete(before);
        return;
      }
      const topic = kafka.name(nativePrefix + record.source);
      topics.set(key, topic);
      byTopic.set(topic, record);
    },
    topics: (): string[] => [...byTopic.keys()].sort(),
    of: (topic: string): SourceRecord | undefined => byTopic.get(topic),
    /** Faults: `source_unknown`, retriable, for a partition that the table has not yet. */
    cleanPartition: (topic: string, partition: number): number => {
      const found = byTopic.get(topic)?.native_partitions[partition];
      if (found === undefined)
        throw new Fault("source_unknown", `Where ${topic}/${partition} goes is not known here yet.`, {
          retriable: true,
        });
      return found;
    },
  };
};
