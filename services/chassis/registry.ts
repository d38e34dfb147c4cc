/**
 * The schema registry: which id a record of this version is written under, and what schema an id stands for. Both are
 * remembered, so a registry that goes away stops nobody who has started.
 */

import { parseAvro, type RecordName, schemas } from "@astralog/schemas";
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import type { Type } from "avsc";
import type { Config, kafkaShape } from "./config.ts";
import { Fault } from "./fault.ts";

export interface Registry {
  /** The id under which this version's schema stands for the topic. Faults: `registry_unavailable`, `schema_not_registered`. */
  idOf(record: RecordName, topic: string): Promise<number>;
  /** The writer's schema of an id. Faults: `registry_unavailable` (retriable), `schema_unknown`, `schema_not_avro`. */
  writerOf(id: number): Promise<Type>;
}

export const createRegistry = (
  config: Pick<Config<typeof kafkaShape>, "REGISTRY_URL" | "REGISTRY_USERNAME" | "REGISTRY_PASSWORD">,
): Registry => {
  const client = new SchemaRegistry({
    host: config.REGISTRY_URL,
    ...(config.REGISTRY_USERNAME === ""
      ? {}
      : { auth: { username: config.REGISTRY_USERNAME, password: config.REGISTRY_PASSWORD } }),
    retry: { maxRetryTimeInSecs: 2, initialRetryTimeInSecs: 0.1, factor: 0.2, multiplier: 2, retries: 3 },
  });
  const ids = new Map<string, number>();
  const writers = new Map<number, Type>();

  const call = async <T>(what: string, absent: string, ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      const status = (error as { status?: number }).status;
      if (status === 404 || status === 400 || status === 422)
        throw new Fault(absent, `The registry has no ${what}.`, { cause: error });
      throw new Fault("registry_unavailable", `The registry did not answer for ${what}.`, {
        retriable: true,
        cause: error,
      });
    }
  };

  return {
    idOf: async (record, topic) => {
      const subject = `${topic}-value`;
      const known = ids.get(subject);
      if (known !== undefined) return known;
      const id = await call(`schema ${record} under ${subject}`, "schema_not_registered", () =>
        client.getRegistryIdBySchema(subject, { type: SchemaType.AVRO, schema: JSON.stringify(schemas[record]) }),
      );
      ids.set(subject, id);
      return id;
    },
    writerOf: async (id) => {
      const known = writers.get(id);
      if (known !== undefined) return known;
      const found = await call(`schema id ${id}`, "schema_unknown", () => client.getSchema(id));
      let writer: Type;
      try {
        writer = parseAvro((found as unknown as Type).schema({ exportAttrs: true }));
      } catch (error) {
        throw new Fault("schema_not_avro", `Schema id ${id} is not an Avro schema.`, { cause: error });
      }
      writers.set(id, writer);
      return writer;
    },
  };
};
