/**
 * Which keys were used lately, told to whoever shows it. A use costs an entry in a map; what has come together goes out
 * as one record now and then, so a busy key costs as much as a quiet one. A hint, not a record: what a killed process had
 * not told yet is lost, and a topic that does not answer holds up nobody.
 */
import { encodeRecord, topics } from "@astralog/schemas";
import type { KafkaClient } from "./kafka.ts";
import type { RecordProducer } from "./kafka-producer.ts";
import type { Log } from "./log.ts";
import type { Registry } from "./registry.ts";

export interface KeyUses {
  used(id: string): void;
  /** Tells what is left to tell. */
  close(): Promise<void>;
}

/** A record's worth; the rest waits for the next. */
const mostAtOnce = 10_000;

export const createKeyUses = (
  deps: { kafka: KafkaClient; producer: Pick<RecordProducer, "send">; registry: Registry; log: Log },
  { everyMs }: { everyMs: number },
): KeyUses => {
  const topic = deps.kafka.name(topics.keyUses.name);
  const seen = new Map<string, number>();
  let telling = Promise.resolve();

  const tell = async (): Promise<void> => {
    const uses = [...seen].slice(0, mostAtOnce).map(([id, at]) => ({ id, at: BigInt(at) }));
    if (uses.length === 0) return;
    for (const { id } of uses) seen.delete(id);
    try {
      const schemaId = await deps.registry.idOf("KeyUses", topic);
      await deps.producer.send({ topic, partition: 0, value: encodeRecord("KeyUses", schemaId, { uses }) });
    } catch (error) {
      deps.log.debug({ err: error, keys: uses.length }, "which keys were used could not be told");
    }
  };
  const timer = setInterval(() => {
    telling = telling.then(tell);
  }, everyMs);

  return {
    used: (id) => void seen.set(id, Date.now()),
    close: () => {
      clearInterval(timer);
      return (telling = telling.then(tell));
    },
  };
};
