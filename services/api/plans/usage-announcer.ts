/**
 * Tells the receivers what the ledger has of each tenant with a daily volume, every few seconds, while this process
 * carries the outbox. Two of them at once, as when that changes hands, do no harm: each says what it found.
 */
import type { ControlTable, KafkaClient, Log, RecordProducer, Registry } from "@astralog/chassis";
import { dayOf, encodeRecord, type TenantLimits, type TenantUsage, topics } from "@astralog/schemas";
import { whileLeading } from "../control/while-leading.ts";
import type { UsageQueries } from "./usage-queries.ts";

export interface AnnouncerDeps {
  readonly kafka: KafkaClient;
  readonly producer: RecordProducer;
  readonly registry: Registry;
  readonly tenants: ControlTable<TenantLimits>;
  readonly usage: ControlTable<TenantUsage>;
  readonly queries: Pick<UsageQueries, "ofDay">;
  readonly log: Log;
  leading(): boolean;
}

/** How long a volume that another receiver took may go unnoticed, besides what the ledger is behind. */
const everyMs = 2_000;

const isTold = (found: TenantUsage, told: TenantUsage | undefined): boolean =>
  told?.day === found.day &&
  told.bytes === found.bytes &&
  Object.entries(found.through).every(([partition, offset]) => told.through[partition] === offset);

export const startAnnouncer = (deps: AnnouncerDeps): { stop(): Promise<void> } => {
  const { tenants, usage } = deps;
  const topic = deps.kafka.name(topics.usage.name);

  const announce = async (): Promise<void> => {
    if (!tenants.complete || !usage.complete) return;
    if (![...tenants.values()].some((one) => one.daily_bytes > 0n)) return;
    const found = await deps.queries.ofDay(dayOf(Date.now()));
    const news = found.filter(
      (one) => (tenants.get(one.tenant)?.daily_bytes ?? 0n) > 0n && !isTold(one, usage.get(one.tenant)),
    );
    if (news.length === 0) return;
    const id = await deps.registry.idOf("TenantUsage", topic);
    await Promise.all(
      news.map((one) =>
        deps.producer.send({ topic, partition: 0, key: one.tenant, value: encodeRecord("TenantUsage", id, one) }),
      ),
    );
  };

  // What is not told now is told with the next; receivers go on counting what they send.
  const failed = "the usage of today could not be announced";
  return whileLeading({ everyMs, failed, log: deps.log, leading: deps.leading }, announce);
};
