/**
 * Kafka's topics. Nothing can be taken out of them one by one; each is short, and forgets by itself. So this looks whether
 * it does, and says of a deletion when the last record that was there at its cut will be gone.
 */
import type { KafkaPositions } from "@astralog/chassis";
import { nativePrefix, nativeTopic, type SourceRecord, type Topic, topics } from "@astralog/schemas";
import { type Place, total } from "./places.ts";

/** Brokers look for what to delete every five minutes, and one more for each to have done it. */
const checkMs = 6 * 60_000;

/** A segment is deleted whole, once its last record is past its time; provisioning bounds what one may span. */
const segmentMs = ({ retentionMs }: Pick<Topic, "retentionMs">): number =>
  Math.min(Math.floor(retentionMs / 6), 7 * 86_400_000);

/** The latest that a record written at `at` is gone, in milliseconds since the epoch. */
const goneBy = (topic: Topic, at: number): number => at + topic.retentionMs + segmentMs(topic) + checkMs;

const deliveries = `${topics.alertDeliveries.name}: what quotes an event three days after its incident has ended`;

export const createKafkaPlace = (deps: { positions: KafkaPositions; sources(): Iterable<SourceRecord> }): Place => {
  const { positions } = deps;

  /** Those that hold content, and forget by time. */
  const lasting = (tenant?: string): Topic[] => [
    topics.raw,
    topics.clean,
    topics.dead,
    topics.alertPartials,
    topics.alertTransitions,
    ...[...deps.sources()].flatMap(({ tenant: owner, source, native_partitions: { length } }) =>
      length > 0 && (tenant === undefined || owner === tenant) ? [nativeTopic(source, length)] : [],
    ),
  ];

  return {
    name: "kafka",
    sweep: async (_, now) => {
      const all = lasting();
      const late: string[] = [];
      let overdue = 0;
      for (const topic of all) {
        const before = now - goneBy(topic, 0);
        const found = total(await positions.before(topic.name, before));
        overdue += found;
        if (found > 0) late.push(topic.name.startsWith(nativePrefix) ? `${nativePrefix}…` : topic.name);
      }
      return {
        ...{ looked: all.length, removed: new Map(), overdue, held: 0 },
        detail:
          late.length === 0 ? `${all.length} topics hold nothing older than they may` : `too old: ${late.join(", ")}`,
      };
    },
    remove: async () => undefined,
    rescan: async ({ tenant, cut }) => ({
      found: 0,
      removed: 0,
      detail: `forgets by itself: ${lasting(tenant)
        .map((topic) => `${topic.name} by ${new Date(goneBy(topic, cut)).toISOString()}`)
        .join(", ")}; ${deliveries}`,
    }),
  };
};
