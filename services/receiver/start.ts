/** Builds the receiver from its parts, in the order they need each other; they stop in the reverse. */
import { setTimeout as pause } from "node:timers/promises";
import {
  type AddressRange,
  type Context,
  createControlTable,
  createKafka,
  createKeyUses,
  createProducer,
  createRegistry,
  parseRange,
  type TableOptions,
} from "@astralog/chassis";
import { type RecordName, topics } from "@astralog/schemas";
import { createApp } from "./app.ts";
import type { shape } from "./config.ts";
import { createInFlight } from "./in-flight.ts";
import { createIntake } from "./intake.ts";
import { createKafkaWatch } from "./kafka-watch.ts";
import { listen } from "./listeners.ts";
import { createReceiverMetrics } from "./metrics.ts";
import { createQuotas } from "./quotas.ts";
import { createSubmit } from "./submit.ts";

/** How long requests that have begun may take to end after a SIGTERM. */
const drainMs = 18_000;

export const start = async ({ config, log, metrics, health, onStop }: Context<typeof shape>): Promise<void> => {
  const kafka = createKafka(config, log, config.INSTANCE);
  const registry = createRegistry(config);
  const raw = kafka.name(topics.raw.name);
  const table = <N extends RecordName>(topic: TableOptions<N>["topic"], onChange: (key: string) => void = () => {}) =>
    createControlTable(kafka, { log, registry }, { principal: "receiver", topic, onChange });
  // What is announced while the table is being opened needs no telling: nothing was sent yet.
  let learn = (_tenant: string): void => {};
  const [keys, sources, tenants, usage] = await Promise.all([
    table(topics.keys),
    table(topics.sources),
    table(topics.tenants),
    table(topics.usage, (tenant) => learn(tenant)),
  ]);
  const tables = { keys, sources, tenants, usage };
  onStop("control tables", () => Promise.all(Object.values(tables).map((one) => one.close())));
  const quotas = createQuotas({ limits: tenants.get, usage: usage.get });
  learn = quotas.learn;
  const producer = await createProducer(kafka, { log, metrics }, { lingerMs: config.LINGER_MS });
  onStop("producer", producer.close);
  const watch = createKafkaWatch(kafka, log);
  onStop("watch", watch.close);

  let schemaId: number | undefined;
  let stopping = false;
  const learnSchema = async (): Promise<void> => {
    while (schemaId === undefined && !stopping) {
      try {
        schemaId = await registry.idOf("EventBatch", raw);
      } catch (error) {
        log.warn({ err: error }, "the schema's id is not known yet");
        await pause(1_000);
      }
    }
  };
  void learnSchema();
  const uses = createKeyUses({ kafka, producer, registry, log }, { everyMs: config.KEY_USES_SECONDS * 1_000 });
  onStop("key uses", uses.close);

  for (const [name, one] of Object.entries(tables))
    health.require(name, () => one.complete || `the ${name} are still being read`);
  health.require("schema", () => schemaId !== undefined || "the schema's id is not known yet");
  health.require("kafka", () => watch.up || "Kafka does not answer");

  const inFlight = createInFlight(config.MAX_IN_FLIGHT_BYTES);
  const intake = createIntake({
    log,
    metrics: createReceiverMetrics(metrics, inFlight),
    inFlight,
    knowledge: { key: (hash) => keys.get(hash), source: (tenant, source) => sources.get(`${tenant}/${source}`) },
    quotas,
    submit: createSubmit(producer, raw, { ackTimeoutMs: config.ACK_TIMEOUT_MS, onOutcome: watch.outcome }),
    schemaId: () => (Object.values(tables).every((one) => one.complete) ? schemaId : undefined),
    used: uses.used,
    kafkaUp: () => watch.up,
    closing: () => stopping,
    trustedProxies: config.TRUSTED_PROXIES.map(parseRange).filter(
      (range): range is AddressRange => range !== undefined,
    ),
    maxBodyBytes: config.MAX_BODY_BYTES,
    stallMs: config.STALL_MS,
  });
  const listeners = await listen(createApp(intake, health, log), config);
  onStop("listeners", () => {
    stopping = true;
    return listeners.close(drainMs);
  });
  log.info({ https_port: listeners.httpsPort, http_port: listeners.httpPort }, "listening");
};
