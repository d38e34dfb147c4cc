/** Stands in for the api in front of an alerter: says which rules there are, and hears what changes. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  consume,
  createKafka,
  createLog,
  createMetrics,
  createProducer,
  createRegistry,
  kafkaShape,
  loadConfig,
} from "@astralog/chassis";
import {
  type AlertActionRecord,
  type AlertDestinationRecord,
  type AlertTransition,
  decodeRecord,
  encodeRecord,
  type Records,
  topics,
} from "@astralog/schemas";
import { type RuleInput, readRule } from "@astralog/schemas/alerts/index";
import { connectPostgres } from "@astralog/schemas/postgres";
import { createAlertRows } from "./alert-rows.ts";
import type { Platform } from "./platform.ts";

export interface Heard extends AlertTransition {
  /** When it came here. */
  readonly heardAt: number;
  readonly partition: number;
  readonly offset: number;
}

export type Said = "AlertDestination" | "AlertAction" | "AlertRule";

const saidTopics = {
  AlertDestination: topics.alertDestinations,
  AlertAction: topics.alertActions,
  AlertRule: topics.alertRules,
} as const;

export interface AlertDriver {
  /** All that was written, in the order of each partition. */
  readonly heard: readonly Heard[];
  /** Changes of a rule, without marks. */
  of(rule: string): Heard[];
  /** Resolves with the moment from which on the rule is in force. */
  put(tenant: string, rule: RuleInput, version?: number): Promise<number>;
  remove(tenant: string, rule: string): Promise<void>;
  /** Says what a control topic of alerts shall have under a key; of a rule, Postgres is told nothing. */
  say<N extends Said>(record: N, key: string, value: Records[N] | null): Promise<void>;
  close(): Promise<void>;
}

/** What `ask` gives once it gives something. */
export const until = async <T>(
  what: string,
  ask: () => T | undefined | Promise<T | undefined>,
  ms = 30_000,
): Promise<T> => {
  const deadline = Date.now() + ms;
  for (;;) {
    const found = await ask();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await sleep(50);
  }
};

/**
 * Hears of every tenant, or of `only` one where others have used the platform before. What it says stands in Postgres too,
 * or an api would take it back; `kafkaOnly` leaves that out.
 */
export const createAlertDriver = async (
  platform: Pick<Platform, "env">,
  { only, kafkaOnly = false }: { only?: string; kafkaOnly?: boolean } = {},
): Promise<AlertDriver> => {
  const db = connectPostgres(platform.env("api").POSTGRES_URL ?? "", { max: 4 });
  const rows = kafkaOnly ? undefined : createAlertRows(db);
  // The api may write rules and read changes.
  const config = loadConfig(kafkaShape, platform.env("api"));
  const log = createLog("driver", "error");
  const kafka = createKafka(config, log, "driver");
  const producer = await createProducer(kafka, { log, metrics: createMetrics("driver") }, { lingerMs: 0 });
  const [ruleTopic, transitionTopic] = [kafka.name(topics.alertRules.name), kafka.name(topics.alertTransitions.name)];
  const registry = createRegistry(config);
  const schemaId = await registry.idOf("AlertRule", ruleTopic);
  const heard: Heard[] = [];
  /** A consumer that was cut off reads again what it had not committed; only what was written twice was said twice. */
  const readUpTo = new Map<number, number>();
  const consumer = await consume(
    kafka,
    { log },
    {
      group: `api.alert-driver.${Date.now()}`,
      topics: [transitionTopic],
      maxWaitMs: 50,
      handle: async ({ partition, records }) => {
        for (const { offset, value } of records) {
          if (value === null || offset <= (readUpTo.get(partition) ?? -1)) continue;
          readUpTo.set(partition, offset);
          const transition = decodeRecord("AlertTransition", value);
          if (only === undefined || transition.tenant === only)
            heard.push({ ...transition, heardAt: Date.now(), partition, offset });
        }
      },
    },
  );
  return {
    heard,
    of: (rule) => heard.filter((one) => one.rule === rule && one.kind === "change"),
    put: async (tenant, input, version = 1) => {
      const read = readRule(input);
      if ("problems" in read) throw new Error(JSON.stringify(read.problems));
      const effectiveFrom = Date.now();
      await rows?.rule(tenant, read.rule, version, new Date(effectiveFrom));
      const value = encodeRecord("AlertRule", schemaId, {
        tenant,
        rule: input.id,
        version,
        effective_from: BigInt(effectiveFrom),
        definition: JSON.stringify(read.rule),
      });
      await producer.send({ topic: ruleTopic, partition: 0, key: `${tenant}/${input.id}`, value });
      return effectiveFrom;
    },
    remove: async (tenant, rule) => {
      await rows?.removeRule(tenant, rule);
      await producer.send({ topic: ruleTopic, partition: 0, key: `${tenant}/${rule}`, value: null });
    },
    say: async (record, key, value) => {
      if (record !== "AlertRule")
        await rows?.said(record, key, value as AlertActionRecord | AlertDestinationRecord | null);
      const topic = kafka.name(saidTopics[record].name);
      const id = await registry.idOf(record, topic);
      await producer.send({ topic, partition: 0, key, value: value === null ? null : encodeRecord(record, id, value) });
    },
    close: async () => {
      await consumer.close();
      await producer.close();
      await db.destroy();
    },
  };
};
