/** The native topics' part of the redactor: from the table of sources to consumer, judge and stage. */
import {
  type Context,
  createControlTable,
  type Delivery,
  type KafkaClient,
  type Registry,
  type Rest,
} from "@astralog/chassis";
import { topics } from "@astralog/schemas";
import type { shape } from "./config.ts";
import type { JudgeOptions } from "./judge.ts";
import { followTopics } from "./native-consumer.ts";
import { createNativeJudge } from "./native-judge.ts";
import { createRate, mayWait } from "./native-rate.ts";
import { createNativeSources } from "./native-sources.ts";
import { createStage, type StageOptions } from "./stage.ts";

/** So long a partition over its rate rests before it asks again, at most: rates may change. */
const longestRestMs = 1_000;

export const startNative = async (
  { config, log, metrics, health, onStop }: Context<typeof shape>,
  kafka: KafkaClient,
  registry: Registry,
  parts: JudgeOptions & Omit<StageOptions, "judge" | "cleanPartition">,
): Promise<void> => {
  const tenants = await createControlTable(kafka, { log, registry }, { principal: "redactor", topic: topics.tenants });
  onStop("tenants", tenants.close);
  const sources = createNativeSources(kafka);
  const rate = createRate();
  const stage = createStage({
    ...parts,
    judge: createNativeJudge({
      ...parts,
      sourceOf: (topic) => {
        const found = sources.of(topic);
        if (found === undefined || !tenants.complete) return undefined;
        const { tenant, source, retention_days } = found;
        const most = tenants.get(tenant)?.retention_days ?? retention_days;
        return { tenant, source, retentionDays: Math.min(retention_days, most) };
      },
    }),
    cleanPartition: sources.cleanPartition,
  });

  const handle = async (delivery: Delivery): Promise<Rest | undefined> => {
    const { topic, records } = delivery;
    const source = sources.of(topic);
    const tenant = source?.tenant ?? "";
    const wait = Math.max(
      rate.wait(topic, Number(source?.max_bytes_per_second ?? 0n)),
      rate.wait(tenant, Number(tenants.get(tenant)?.max_bytes_per_second ?? 0n)),
    );
    if (wait > 0 && mayWait(records[0]?.timestamp ?? 0, Date.now()))
      return { ms: Math.min(wait, longestRestMs), taken: false };
    await stage(delivery);
    const bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    for (const name of [topic, tenant]) rate.spend(name, bytes);
    return undefined;
  };

  const consumer = followTopics(
    kafka,
    { log, metrics },
    {
      group: `${config.GROUP}.native`,
      handle,
      // They wait for the registry and for Kafka, each for itself: one that does must not keep others waiting.
      partitionsAtOnce: 64,
      maxBytesPerPartition: 2 ** 20,
      maxWaitMs: 100,
    },
    sources.topics,
  );
  onStop("native topics", consumer.close);
  const table = await createControlTable(
    kafka,
    { log, registry },
    {
      principal: "redactor",
      topic: topics.sources,
      onChange: (key, record) => {
        sources.change(key, record);
        consumer.changed();
      },
    },
  );
  onStop("sources", table.close);
  health.require("sources", () => (table.complete && tenants.complete) || "still being read");
};
