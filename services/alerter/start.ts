/** Puts the alerter together: what people wrote, and the stages over it. */
import { type Context, createControlTable, createKafka, createRegistry } from "@astralog/chassis";
import { topics } from "@astralog/schemas";
import type { shape } from "./config.ts";
import { startDelivery } from "./delivery/delivery.ts";
import { createRules } from "./rules.ts";

export const start = async (context: Context<typeof shape>): Promise<void> => {
  const { config, log, health, onStop } = context;
  const kafka = createKafka(config, log, "alerter");
  const registry = createRegistry(config);
  const rules = createRules(log);
  const table = await createControlTable(
    kafka,
    { log, registry },
    {
      principal: "alerter",
      topic: kafka.name(topics.alertRules.name),
      record: topics.alertRules.value,
      onChange: rules.change,
    },
  );
  onStop("rules", table.close);
  health.require("rules", () => table.complete || "not all rules have been read yet");
  await startDelivery(context, { kafka, registry });
};
