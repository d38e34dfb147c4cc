/** Puts the alerter together: what people wrote, and the stages over it. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Context,
  createControlTable,
  createKafka,
  createProducer,
  createRegistry,
  createTopicReader,
  insist,
  type TableOptions,
} from "@astralog/chassis";
import { type RecordName, topics } from "@astralog/schemas";
import type { shape } from "./config.ts";
import { startDelivery } from "./delivery/delivery.ts";
import { createJudge } from "./judge/judge.ts";
import { createAlerterMetrics } from "./metrics.ts";
import { createRules } from "./rules.ts";
import { createTenants } from "./watch/tenants.ts";
import { createWatcher } from "./watch/watcher.ts";

/** Changes of control tables that come together are taken up together. */
const settleMs = 50;

export const start = async (context: Context<typeof shape>): Promise<void> => {
  const { config, log, health, metrics, onStop } = context;
  const kafka = createKafka(config, log, "alerter");
  const registry = createRegistry(config);
  const idOf = (record: RecordName, topic: string) => insist(log, () => registry.idOf(record, kafka.name(topic)));
  const schemaIds = {
    partials: await idOf("AlertPartials", topics.alertPartials.name),
    transition: await idOf("AlertTransition", topics.alertTransitions.name),
    positions: await idOf("AlertSnapshot", topics.alertPositions.name),
    state: await idOf("AlertSnapshot", topics.alertState.name),
  };
  const alerterMetrics = createAlerterMetrics(metrics);

  let changed = (): void => undefined;
  let settling: NodeJS.Timeout | undefined;
  const soon = (): void => {
    settling ??= setTimeout(() => {
      settling = undefined;
      changed();
    }, settleMs);
  };
  const rules = createRules(log, soon);
  const table = <N extends RecordName>(topic: TableOptions<N>["topic"], onChange: TableOptions<N>["onChange"] & {}) =>
    createControlTable(kafka, { log, registry }, { principal: "alerter", topic, onChange });
  const ruleTable = await table(topics.alertRules, rules.change);
  onStop("rules", ruleTable.close);
  const sourceTable = await table(topics.sources, soon);
  onStop("sources", sourceTable.close);
  const known = (): boolean => ruleTable.complete && sourceTable.complete;
  health.require("tables", () => known() || "not all rules and sources have been read yet");
  // A rule that has not been read yet would look like one that was taken away.
  while (!known()) await sleep(20);

  const producer = await createProducer(kafka, { log, metrics }, { lingerMs: 0 });
  onStop("producer", () => producer.close());
  health.require("producer", () => producer.healthy || "the last request to Kafka failed");
  const admin = kafka.admin();
  await admin.connect();
  onStop("admin", () => admin.disconnect());
  const reader = createTopicReader(
    kafka,
    { log },
    {
      principal: "alerter",
      topics: [topics.clean, topics.alertPositions, topics.alertState, topics.alertTransitions].map(({ name }) =>
        kafka.name(name),
      ),
    },
  );
  onStop("reader", reader.close);

  const tenants = createTenants(rules, sourceTable);
  const deps = { kafka, admin, reader, producer, registry, rules, tenants, metrics: alerterMetrics, log };
  const judge = await createJudge({
    ...deps,
    partitionsOf: tenants.partitionsOf,
    schemaIds: { transition: schemaIds.transition, snapshot: schemaIds.state },
  });
  onStop("judge", judge.close);
  const watcher = await createWatcher({
    ...deps,
    schemaIds: { partials: schemaIds.partials, snapshot: schemaIds.positions },
    topicPrefix: config.KAFKA_TOPIC_PREFIX,
    redactorGroup: config.REDACTOR_GROUP,
    inFlightMs: config.IN_FLIGHT_MS,
  });
  onStop("watcher", watcher.close);
  health.require("watcher", () => watcher.joined || "no partitions of events assigned yet");
  health.require("judge", () => judge.joined || "no partitions of counts assigned yet");

  changed = () => {
    tenants.changed();
    alerterMetrics.rules.set(ruleTable.size);
    watcher.changed();
    judge.changed();
  };
  changed();
  onStop("changes", () => clearTimeout(settling));
  await startDelivery(context, { kafka, registry, producer, rules });
};
