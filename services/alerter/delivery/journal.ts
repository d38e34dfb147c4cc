/**
 * alerts.deliveries in memory: every alerter follows all of it, so that each knows what fires elsewhere, and so that one
 * that is given a partition goes on where another stopped. Partition p tells of the transitions of partition p, and is
 * written by whoever has that one. What was written last is known by its offset: one's own is known with Kafka's answer,
 * and coming back it changes nothing.
 */
import { followTopic, type KafkaClient, type Log, type RecordProducer, type Registry } from "@astralog/chassis";
import { decodeRecord, encodeRecord, schemaIdOf, topics } from "@astralog/schemas";
import {
  type DeliveryBodies,
  type DeliveryKind,
  deliveryKey,
  type Gone,
  type IncidentState,
  type NoticeState,
} from "@astralog/schemas/alerts/index";

export interface PartitionState {
  readonly incidents: Map<string, IncidentState>;
  /** Those that are due. */
  readonly notices: Map<string, NoticeState>;
  /** Key in the topic to when it ended: what may be forgotten some day. */
  readonly ended: Map<string, number>;
  /** Key to where its last word lies. */
  readonly offsets: Map<string, number>;
}

/** What a key shall say from now on; undefined takes it away. */
export type Entry = {
  [K in DeliveryKind]: {
    readonly kind: K;
    readonly tenant: string;
    readonly id: string;
    readonly body: DeliveryBodies[K] | undefined;
  };
}[DeliveryKind];

export interface Journal {
  of(partition: number): PartitionState;
  /** Of all partitions, by tenant/target. */
  readonly gone: ReadonlyMap<string, Gone>;
  /** Resolves when all that lay in the partition at the call is known here. */
  caughtUp(partition: number): Promise<void>;
  /** Resolves when Kafka has all of them, and then they are known here. Faults: `kafka_unavailable`. */
  write(partition: number, entries: readonly Entry[]): Promise<void>;
  readonly complete: boolean;
  close(): Promise<void>;
}

export interface JournalDeps {
  readonly kafka: KafkaClient;
  readonly producer: Pick<RecordProducer, "sendTogether">;
  readonly registry: Registry;
  readonly log: Log;
}

export const createJournal = async ({ kafka, producer, registry, log }: JournalDeps): Promise<Journal> => {
  const topic = kafka.name(topics.alertDeliveries.name);
  const states = new Map<number, PartitionState>();
  const gone = new Map<string, Gone>();

  const of = (partition: number): PartitionState => {
    const known = states.get(partition);
    if (known !== undefined) return known;
    const made = { incidents: new Map(), notices: new Map(), ended: new Map(), offsets: new Map() };
    states.set(partition, made);
    return made;
  };

  const apply = (partition: number, { kind, tenant, id, body }: Entry, offset: number): void => {
    const { incidents, notices, ended, offsets } = of(partition);
    const key = deliveryKey(kind, tenant, id);
    if (!isNews(partition, key, offset)) return;
    if (body === undefined) offsets.delete(key);
    else offsets.set(key, offset);
    ended.delete(key);
    if (kind === "gone") {
      if (body === undefined) gone.delete(`${tenant}/${id}`);
      else gone.set(`${tenant}/${id}`, body);
    } else if (kind === "incident") {
      incidents.delete(id);
      // A closed one is kept to know a repeat by, until it is forgotten.
      if (body !== undefined) incidents.set(id, body);
      if (body?.closed === true) ended.set(key, body.until);
    } else {
      notices.delete(id);
      if (body?.status === "due") notices.set(id, body);
      else if (body !== undefined) ended.set(key, body.tries.at(-1)?.at ?? body.madeAt);
    }
  };

  const isNews = (partition: number, key: string, offset: number): boolean =>
    offset > (of(partition).offsets.get(key) ?? -1);

  const entryOf = (key: string, value: Buffer | null): Entry | undefined => {
    const [kind = "", tenant = "", id = ""] = key.split("/");
    const body = value === null ? undefined : JSON.parse(decodeRecord("AlertDelivery", value).body);
    return ["incident", "notice", "gone"].includes(kind) ? ({ kind, tenant, id, body } as Entry) : undefined;
  };

  const follower = await followTopic(
    kafka,
    { log },
    {
      group: "alerter.journal",
      topic,
      handle: (key, { offset, value }, partition) => {
        if (value !== null && schemaIdOf(value) === undefined) throw new Error("it is in no schema's form");
        // One's own comes back, and need not be read.
        if (!isNews(partition, key, offset)) return;
        const entry = entryOf(key, value);
        if (entry !== undefined) apply(partition, entry, offset);
      },
    },
  );

  return {
    of,
    gone,
    caughtUp: follower.caughtUp,
    write: async (partition, entries) => {
      if (entries.length === 0) return;
      const schemaId = await registry.idOf("AlertDelivery", topic);
      const at = BigInt(Date.now());
      const placed = await producer.sendTogether(
        entries.map(({ kind, tenant, id, body }) => ({
          ...{ topic, partition, key: deliveryKey(kind, tenant, id) },
          value:
            body === undefined
              ? null
              : encodeRecord("AlertDelivery", schemaId, { tenant, kind, id, at, body: JSON.stringify(body) }),
        })),
      );
      for (const [i, entry] of entries.entries()) apply(partition, entry, placed[i]?.offset ?? -1);
    },
    get complete() {
      return follower.complete;
    },
    close: follower.close,
  };
};
