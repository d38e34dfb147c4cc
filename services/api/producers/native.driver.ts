/** For the real tests: producers made as the api makes them, and what their users can do on the cluster. */
import {
  createProducer as connect,
  createKafka,
  createLog,
  createMetrics,
  kafkaShape,
  loadConfig,
} from "@astralog/chassis";
import { type EventRecord, encodeRecord } from "@astralog/schemas";
import { connectPostgres } from "@astralog/schemas/postgres";
import type { Platform } from "@astralog/testbed";
import { byTest } from "../api.driver.ts";
import { registerSchema } from "../provision/provision-registry.ts";
import { createProducer, type MadeProducer, rotateProducer } from "./producers.ts";
import { createProducersKafka } from "./producers-kafka.ts";
import { startProducersKeeper } from "./producers-keeper.ts";

const log = createLog("test", "fatal");

/** A Kafka client as any user of the cluster; `more` of its environment says how it gets there. */
export const kafkaAs = (one: Platform, username: string, password: string, more: Record<string, string> = {}) =>
  createKafka(
    loadConfig(kafkaShape, { ...one.env("api"), ...more, KAFKA_USERNAME: username, KAFKA_PASSWORD: password }),
    log,
    "test",
  );

/** Sends as that user, each record by itself confirmed. */
export const senderAs = (...user: Parameters<typeof kafkaAs>) =>
  connect(kafkaAs(...user), { log, metrics: createMetrics("test") }, { lingerMs: 1 });

/** Sends as the producer does. */
export const senderOf = (one: Platform, { row, password }: Pick<MadeProducer, "row" | "password">) =>
  senderAs(one, row.username, password);

/** What the api answers with when it has made a producer. */
export interface MadeOverHttp {
  readonly [field: string]: unknown;
  readonly id: string;
  readonly username: string;
  readonly password: string;
  readonly topic: string;
  readonly schema_id: number;
  readonly brokers: string;
  readonly tls: boolean;
}

/** Connected with nothing but what the answer says, and the authority's certificate. */
export const senderWith = (one: Platform, { brokers, tls, username, password }: MadeOverHttp) =>
  senderAs(one, username, password, {
    KAFKA_BROKERS: brokers,
    KAFKA_TLS: String(tls),
    KAFKA_CA_FILE: tls ? one.stack.tls.ca : "",
  });

/** The domain without HTTP. */
export const domainOf = (one: Platform) => {
  const db = connectPostgres(one.deployment.postgresUrl, { max: 2 });
  const kafka = createProducersKafka(kafkaAs(one, "producers", one.stack.kafka.users.producers ?? ""), 1);
  const registry = { url: one.stack.registry.url, username: "", password: "" };
  const deps = { db, kafka, register: (topic: string) => registerSchema(registry, topic, "Event") };
  const keeper = startProducersKeeper({ db, kafka, log, usageOf: () => undefined });
  const by = byTest(one);
  return {
    ...{ db, deps, keeper, by },
    create: async (source: string): Promise<MadeProducer> => {
      const made = await createProducer(deps, one.tenant, { source }, by);
      await keeper.now();
      return made;
    },
    rotate: async (id: string, overlapSeconds: number): Promise<MadeProducer> => {
      const made = await rotateProducer(deps, one.tenant, id, overlapSeconds, by);
      await keeper.now();
      return made;
    },
    close: async () => {
      await keeper.stop();
      await kafka.close();
      await db.destroy();
    },
  };
};

const plain: EventRecord = {
  ...{ timestamp: 1_750_000_000_000_000_000n, level: 9, service: "till", host: "", message: "" },
  ...{ trace_id: "", span_id: "", attribute_types: "", attributes: {} },
};

export const eventValue = (schemaId: number, message: string, more: Partial<EventRecord> = {}): Buffer =>
  encodeRecord("Event", schemaId, { ...plain, message, ...more });
