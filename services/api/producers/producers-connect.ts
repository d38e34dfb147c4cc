/** Kafka as the principal `producers` has it, and the keeper that works with it. */
import { type Context, type ControlTable, createKafka, Fault } from "@astralog/chassis";
import type { TenantUsage } from "@astralog/schemas";
import type { shape } from "../config.ts";
import type { Db } from "../postgres.ts";
import { registerSchema } from "../provision/provision-registry.ts";
import type { ProducersDeps } from "./producers.ts";
import { createProducersKafka } from "./producers-kafka.ts";
import { type ProducersKeeper, startProducersKeeper } from "./producers-keeper.ts";
import type { UsageOf } from "./standing.ts";

export interface Producers extends ProducersDeps {
  readonly keeper: ProducersKeeper;
  readonly usageOf: UsageOf;
  /** What a producer must know of the cluster. */
  readonly place: { readonly brokers: string; readonly tls: boolean; readonly registry: string };
}

/** Undefined unless the operator gives the principal's password. */
export const connectProducers = (
  { config, log, onStop }: Context<typeof shape>,
  db: Db,
  usage: ControlTable<TenantUsage>,
): Producers | undefined => {
  if (config.KAFKA_PRODUCERS_PASSWORD === "") return undefined;
  const access = {
    ...config,
    KAFKA_USERNAME: config.KAFKA_PRODUCERS_USERNAME,
    KAFKA_PASSWORD: config.KAFKA_PRODUCERS_PASSWORD,
  };
  const kafka = createProducersKafka(createKafka(access, log, "astralog-producers"), config.KAFKA_REPLICATION);
  onStop("producers' Kafka", kafka.close);
  // Whoever has read half of the usage would let in again whose day is used up.
  const certainly: UsageOf = (tenant) => {
    if (!usage.complete) throw new Fault("kafka_unavailable", "The usage is still being read.", { retriable: true });
    return usage.get(tenant);
  };
  const keeper = startProducersKeeper({ db, kafka, log, usageOf: certainly });
  onStop("producers' keeper", keeper.stop);
  const outside = config.KAFKA_PRODUCERS_BROKERS;
  const registry = { url: config.REGISTRY_URL, username: config.REGISTRY_USERNAME, password: config.REGISTRY_PASSWORD };
  return {
    ...{ db, kafka, keeper, usageOf: usage.get },
    register: (topic) => registerSchema(registry, topic, "Event"),
    place: {
      brokers: (outside.length === 0 ? config.KAFKA_BROKERS : outside).join(","),
      tls: outside.length > 0 || config.KAFKA_TLS,
      registry: config.KAFKA_PRODUCERS_REGISTRY_URL === "" ? config.REGISTRY_URL : config.KAFKA_PRODUCERS_REGISTRY_URL,
    },
  };
};
