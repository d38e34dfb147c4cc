/** Puts the delivering stage together. */
import {
  type Config,
  type Context,
  consume,
  createNotifier,
  type KafkaClient,
  type RecordProducer,
  type Registry,
} from "@astralog/chassis";
import { topics } from "@astralog/schemas";
import type { shape } from "../config.ts";
import type { Rules } from "../rules.ts";
import { pagesAt } from "./compose.ts";
import { createControl } from "./control.ts";
import { createJournal } from "./journal.ts";
import { createDeliveryMetrics } from "./metrics.ts";
import { startStage } from "./stage.ts";

export const startDelivery = async (
  context: Context<typeof shape>,
  {
    kafka,
    registry,
    producer,
    rules,
  }: { kafka: KafkaClient; registry: Registry; producer: RecordProducer; rules: Rules },
): Promise<void> => {
  const { log, health, onStop } = context;
  const config: Config<typeof shape> = context.config;
  const control = await createControl({ kafka, registry, rules, log });
  onStop("what people say of alerts", control.close);
  const journal = await createJournal({ kafka, producer, registry, log });
  onStop("journal", journal.close);
  const notifier = createNotifier(config);
  onStop("notifier", notifier.close);
  const stage = startStage({
    ...{ control, journal, notifier, log, pages: pagesAt(config.PUBLIC_URL) },
    ...{ metrics: createDeliveryMetrics(context.metrics), now: Date.now },
  });
  const consumer = await consume(
    kafka,
    { log },
    {
      group: config.DELIVERY_GROUP,
      topics: [kafka.name(topics.alertTransitions.name)],
      handle: stage.handle,
      onAssigned: (_, partitions) => stage.assigned(partitions),
    },
  );
  health.require("delivery", () => (consumer.joined && control.complete && journal.complete) || "still being read");
  onStop("delivery's consumer", consumer.close);
  onStop("delivery", stage.close);
};
