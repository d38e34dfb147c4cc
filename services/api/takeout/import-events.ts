/**
 * Events of another Astralog on the way that all events take: into events.raw, through the redactor, into the store. Each record
 * of the other is one of ours again, with its time of receipt, so retention counts from the day it counted from; its dedup_id names
 * import, file and the coordinates it had, so it is stored once however often it is sent, and the ledger says where it came from.
 */
import type { RecordProducer } from "@astralog/chassis";
import {
  BatchEncoder,
  emptyHeader,
  keyedPartition,
  type SourceRecord,
  tenantPartitions,
  topics,
} from "@astralog/schemas";
import { maxEventBytes, maxFields, maxNameBytes } from "@astralog/schemas/json/limits";
import { dayNumber, daysOfSource, dueOn, type TenantPolicy } from "@astralog/schemas/retention/index";
import { importDedupId } from "@astralog/schemas/takeout";
import { z } from "zod";

const text = (max = maxEventBytes) => z.string().max(max);
const event = z.strictObject({
  timestamp: z.string().regex(/^-?\d{1,19}$/, "must be nanoseconds since the epoch"),
  level: z.int().min(0).max(255),
  ...{ service: text(), host: text(), message: text(), trace_id: text(256), span_id: text(256) },
  attribute_types: text(maxFields),
  attributes: z.array(text()).max(2 * maxFields),
});
const record = z.strictObject({
  origin: z.string().regex(/^[\w.-]{1,200}\/\d{1,6}\/\d{1,16}$/, "must be topic/partition/offset"),
  received_at: z.int().min(0),
  events: z.array(event).min(1).max(3_000),
});
export const eventsBody = z.strictObject({
  name: z.string().max(300).describe("Of the file, as the manifest has it."),
  records: z.array(record).min(1).max(5_000),
});
export type RecordIn = z.output<typeof record>;

export type Refusal = "future" | "past_retention" | "too_large" | "odd_attributes";

/** Why a record cannot be taken; undefined when it can. */
const refusalOf = (one: RecordIn, policy: TenantPolicy, source: string, begun: number): Refusal | undefined => {
  if (one.received_at >= begun) return "future";
  const days = daysOfSource(policy, source);
  if (days !== undefined && dueOn(dayNumber(one.received_at), days.most) <= dayNumber(Date.now()))
    return "past_retention";
  for (const { attributes, attribute_types: types } of one.events) {
    if (attributes.length % 2 !== 0 || types.length > attributes.length / 2) return "odd_attributes";
    for (let i = 0; i < attributes.length; i += 2)
      if (Buffer.byteLength(attributes[i] ?? "") > maxNameBytes) return "odd_attributes";
  }
  return undefined;
};

const nsPerMs = 1_000_000n;
/** As events.raw takes it, with room for what Kafka puts around. */
const mostBytes = topics.raw.maxMessageBytes - 4_096;

export const createEventImport = (deps: {
  producer: RecordProducer;
  topic: string;
  schemaId(): Promise<number>;
  taken(outcome: "accepted" | "refused", events: number): void;
}) => {
  const { producer, topic } = deps;
  return async (
    {
      run,
      tenant,
      source,
      file,
      begun,
    }: { run: string; tenant: string; source: SourceRecord; file: number; begun: number },
    records: readonly RecordIn[],
    policy: TenantPolicy,
  ): Promise<{ accepted: number; refused: Record<string, number> }> => {
    const schemaId = await deps.schemaId();
    const choices = tenantPartitions(tenant, source.partitions, topics.raw.partitions);
    const refused: Record<string, number> = {};
    let accepted = 0;
    const sending: Promise<unknown>[] = [];
    const encoder = new BatchEncoder();
    for (const one of records) {
      let why = refusalOf(one, policy, source.source, begun);
      if (why === undefined) {
        for (const { timestamp, attributes, ...rest } of one.events) {
          const at = BigInt(timestamp);
          const nanos = ((at % nsPerMs) + nsPerMs) % nsPerMs;
          encoder.append({
            ...rest,
            attributes: [...attributes],
            millis: Number((at - nanos) / nsPerMs),
            nanos: Number(nanos),
          });
        }
        const dedup_id = importDedupId(run, file, one.origin);
        const value = encoder.finish(schemaId, {
          ...{ ...emptyHeader, tenant, source: source.source, received_at: one.received_at, protocol: "import" },
          ...{ retention_days: source.retention_days, dedup_id, accepted: one.events.length },
        });
        if (value.length > mostBytes) why = "too_large";
        else {
          sending.push(producer.send({ topic, partition: keyedPartition(dedup_id, choices), value }));
          accepted += one.events.length;
        }
      }
      if (why !== undefined) refused[why] = (refused[why] ?? 0) + one.events.length;
    }
    await Promise.all(sending);
    deps.taken("accepted", accepted);
    deps.taken(
      "refused",
      Object.values(refused).reduce((sum, one) => sum + one, 0),
    );
    return { accepted, refused };
  };
};

export type EventImport = ReturnType<typeof createEventImport>;
