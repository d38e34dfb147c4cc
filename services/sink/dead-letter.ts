/** One record of events.dead as a row. */
import { Fault, type InRecord, type Letter, type Registry } from "@astralog/chassis";
import { type DeadLetter, decodeRecord, schemaIdOf } from "@astralog/schemas";

/** Faults with `retriable` are the caller's. A record that is no dead letter is kept as it is, under its own coordinates. */
export const createLetterReader =
  (registry: Registry) =>
  async (topic: string, partition: number, record: InRecord): Promise<Letter> => {
    const dead = { dead_topic: topic, dead_partition: partition, dead_offset: record.offset };
    const value = record.value ?? Buffer.alloc(0);
    const letter = await decode(registry, value);
    if (letter === undefined)
      return {
        ...{ topic, partition, offset: record.offset, index: -1, tenant: "", source: "", reason: "undecodable" },
        ...{ detail: "not a dead letter", died_at: record.timestamp, payload_bytes: value.length },
        ...{ encryption: "none", payload: value, ...dead },
      };
    return {
      ...letter,
      offset: Number(letter.offset),
      died_at: Number(letter.died_at),
      encryption: "aes-256-gcm",
      ...dead,
    };
  };

const decode = async (registry: Registry, value: Buffer): Promise<DeadLetter | undefined> => {
  const id = schemaIdOf(value);
  if (id === undefined) return undefined;
  try {
    return decodeRecord("DeadLetter", value, await registry.writerOf(id));
  } catch (error) {
    if (error instanceof Fault && error.retriable) throw error;
    return undefined;
  }
};
