/** Where the sink stands in Kafka: what a backup notes, and what a restore sets back. */
import { Fault, type KafkaAdmin } from "@astralog/chassis";
import { topics } from "@astralog/schemas";
import type { ClickHouse } from "./clickhouse.ts";
import type { Manifest } from "./manifest.ts";

export interface Names {
  /** With the cluster's prefix. */
  readonly clean: string;
  readonly dead: string;
  readonly group: string;
}

export const namesOf = (kafka: { name(plain: string): string }, sinkGroup: string): Names => ({
  clean: kafka.name(topics.clean.name),
  dead: kafka.name(topics.dead.name),
  group: kafka.name(sinkGroup),
});

/**
 * Read before any table. The sink writes the ledger's rows of a clean partition in its order, after their events: so what
 * lies at or below these offsets is in the tables that are read later, and what is above is in Kafka.
 */
export const readPoint = async (
  admin: KafkaAdmin,
  clickhouse: ClickHouse,
  names: Names,
): Promise<Manifest["kafka"]> => {
  const groups = await admin.fetchOffsets({ groupId: names.group, topics: [names.dead] });
  const dead = groups
    .flatMap(({ partitions }) => partitions)
    .flatMap(({ partition, offset }) => (Number(offset) >= 0 ? [{ partition, next: Number(offset) }] : []));
  const { database } = clickhouse;
  // The sink's place first: the ledger may be ahead of it, and never behind.
  const clean = await clickhouse.rows<{ partition: number; next: number }>(
    `SELECT clean_partition AS partition, max(clean_offset) + 1 AS next FROM ${database}.batches
     WHERE clean_topic = '${names.clean.replace(/[\\']/g, "\\$&")}' GROUP BY partition ORDER BY partition`,
  );
  const raw = await clickhouse.rows<{ topic: string; partition: number; high: number }>(
    `SELECT topic, partition, max(offset) AS high FROM ${database}.batches GROUP BY topic, partition ORDER BY topic, partition`,
  );
  return { clean_topic: names.clean, dead_topic: names.dead, raw, clean, dead };
};

export interface Replay {
  /** Where the sink's group is set, by topic and partition. */
  readonly from: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[];
  /** Records that the sink will read again. */
  readonly records: number;
  /** Records behind the backup that Kafka has forgotten: lost. */
  readonly forgotten: number;
}

/**
 * From the backup's place, or where Kafka begins if that is later. Faults: `another_kafka` when these topics end before the
 * backup does: they are not the ones beside which it was made.
 */
export const planReplay = async (admin: KafkaAdmin, names: Names, kafka: Manifest["kafka"]): Promise<Replay> => {
  const there = new Set(await admin.listTopics());
  const from: { topic: string; partition: number; offset: number }[] = [];
  let [records, forgotten] = [0, 0];
  for (const [topic, noted, known] of [
    [names.clean, kafka.clean_topic === names.clean, kafka.clean],
    [names.dead, kafka.dead_topic === names.dead, kafka.dead],
  ] as const) {
    if (!there.has(topic)) {
      if (noted && known.length > 0) throw anotherKafka(`${topic} is not there`);
      continue;
    }
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      const next = noted ? (known.find((one) => one.partition === partition)?.next ?? 0) : 0;
      if (next > Number(high))
        throw anotherKafka(`${topic}, partition ${partition}, ends at ${high}, and the backup at ${next}`);
      const offset = Math.max(next, Number(low));
      if (noted) forgotten += offset - next;
      records += Number(high) - offset;
      from.push({ topic, partition, offset });
    }
  }
  return { from, records, forgotten };
};

const anotherKafka = (why: string): Fault =>
  new Fault(
    "another_kafka",
    `Kafka is not the one beside which the backup was made: ${why}. New records would be taken for old ones. Give all services another KAFKA_TOPIC_PREFIX, provision, and restore with that.`,
  );

/** Faults: `sinks_running`. */
export const requireNoSink = async (admin: KafkaAdmin, { group }: Names): Promise<void> => {
  const { groups } = await admin.describeGroups([group]);
  const members = groups.reduce((sum, { members }) => sum + members.length, 0);
  if (members > 0)
    throw new Fault(
      "sinks_running",
      `${members} sink(s) are running. Stop all services, then restore again; it goes on where it was.`,
    );
};

export const setPlace = async (admin: KafkaAdmin, names: Names, { from }: Replay): Promise<void> => {
  for (const topic of new Set(from.map((one) => one.topic)))
    await admin.setOffsets({
      groupId: names.group,
      topic,
      partitions: from
        .filter((one) => one.topic === topic)
        .map(({ partition, offset }) => ({ partition, offset: String(offset) })),
    });
};
