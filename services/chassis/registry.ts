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

/** So long an id that the registry does not know is not asked for again: a stream of poison must not become one of requests. */
const absentMs = 5_000;
const absentIds = 10_000;

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
  const absent = new Map<number, number>();
  const pending = new Map<number, Promise<Type>>();

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

  const unknown = (id: number): Fault => new Fault("schema_unknown", `The registry has no schema id ${id}.`);

  /** undefined when there is no such id. Faults: `registry_unavailable`. */
  const schemaText = async (id: number): Promise<{ schema: string; schemaType?: string } | undefined> => {
    const { REGISTRY_USERNAME: username, REGISTRY_PASSWORD: password } = config;
    const credentials = Buffer.from(`${username}:${password}`).toString("base64");
    try {
      const response = await fetch(`${config.REGISTRY_URL.replace(/\/$/, "")}/schemas/ids/${id}`, {
        headers: username === "" ? {} : { authorization: `Basic ${credentials}` },
        signal: AbortSignal.timeout(2_000),
      });
      if (response.ok) return (await response.json()) as { schema: string; schemaType?: string };
      await response.arrayBuffer();
      if ([400, 404, 422].includes(response.status)) return undefined;
      throw new Error(`the registry answered ${response.status}`);
    } catch (error) {
      throw new Fault("registry_unavailable", `The registry did not answer for schema id ${id}.`, {
        retriable: true,
        cause: error,
      });
    }
  };

  const lookUp = async (id: number): Promise<Type> => {
    const known = writers.get(id);
    if (known !== undefined) return known;
    if ((absent.get(id) ?? 0) > performance.now()) throw unknown(id);
    const found = await schemaText(id);
    if (found === undefined) {
      if (absent.size >= absentIds) absent.clear();
      absent.set(id, performance.now() + absentMs);
      throw unknown(id);
    }
    let writer: Type;
    try {
      if ((found.schemaType ?? "AVRO") !== "AVRO") throw new TypeError(`it is ${found.schemaType}`);
      writer = parseAvro(JSON.parse(found.schema));
    } catch (error) {
      throw new Fault("schema_not_avro", `Schema id ${id} is not an Avro schema.`, { cause: error });
    }
    writers.set(id, writer);
    return writer;
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
    writerOf: (id) => {
      // A delivery asks once for each of its records, thousands at the same moment. As many requests would starve this
      // process of its heartbeats, and a sink that has just started would lose its partitions, again and again.
      let asked = pending.get(id);
      if (asked === undefined) pending.set(id, (asked = lookUp(id).finally(() => pending.delete(id))));
      return asked;
    },
  };
};
