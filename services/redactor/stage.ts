/**
 * From one raw partition to one partition of events.clean: the same of events.raw, and for a native topic the one that
 * its source's record names for ever. Clean records go out in groups that Kafka
 * writes whole or not at all, and the next group is sent only after the one before was acknowledged: what fails leaves
 * no gap behind it, and a repeat only rewinds, which the sink recognises by raw offset. What died is acknowledged on
 * events.dead before the batch that lacks it is sent.
 */
import { setImmediate } from "node:timers/promises";
import type { Delivery, OutRecord, RecordProducer } from "@astralog/chassis";
import { type AvroWriter, topics } from "@astralog/schemas";
import { deadLetter } from "./dead-letter.ts";
import type { Judge } from "./judge.ts";
import type { RedactorMetrics } from "./metrics.ts";
import { type Coordinates, recycle } from "./redact.ts";
import type { Verdict } from "./verdict.ts";

export interface StageOptions {
  judge: Judge;
  /** Where a raw partition's records go. It must never change: order within it is what the sink relies on. */
  cleanPartition(topic: string, partition: number): number;
  producer: Pick<RecordProducer, "send" | "sendTogether">;
  metrics: RedactorMetrics;
  /** As the cluster names them. */
  cleanTopic: string;
  deadTopic: string;
  deadSchemaId: number;
  deadLetterKey: Buffer;
}

// A group is one Kafka request's part for the partition: large enough to be cheap, small enough not to wait for.
const groupBytes = 2 ** 20;
const groupRecords = 1_000;

export const createStage = (options: StageOptions) => {
  const { judge, cleanPartition, producer, metrics, cleanTopic, deadTopic, deadSchemaId, deadLetterKey } = options;

  const bury = async (at: Coordinates, { deaths }: Verdict): Promise<void> => {
    await Promise.all(
      deaths.map((death) => {
        const letter = deadLetter(deadLetterKey, deadSchemaId, at, death, Date.now());
        return producer.send({ topic: deadTopic, partition: at.partition % topics.dead.partitions, ...letter });
      }),
    );
    for (const { reason } of deaths) metrics.deadLetters.inc({ reason });
  };

  const count = (verdict: Verdict, bytes: number): void => {
    metrics.batches.inc();
    metrics.events.inc(verdict.events);
    metrics.bytes.inc(bytes);
    if (verdict.suspects > 0) metrics.suspects.inc(verdict.suspects);
    if (verdict.foreign) metrics.foreign.inc();
    for (const [detector, made] of Object.entries(verdict.redactions)) metrics.redactions.inc({ detector }, made);
  };

  return async ({ topic, partition, records, current }: Delivery): Promise<void> => {
    const to = cleanPartition(topic, partition);
    let group: OutRecord[] = [];
    let rooms: AvroWriter[] = [];
    let bytes = 0;
    const flush = async (): Promise<void> => {
      if (group.length > 0 && current()) {
        await producer.sendTogether(group);
        // Reached only when Kafka has confirmed them: else the client may still hold them.
        recycle(rooms);
      }
      group = [];
      rooms = [];
      bytes = 0;
    };
    let yielded = performance.now();
    for (const record of records) {
      if (performance.now() - yielded > 50) {
        // Heartbeats and other partitions' answers get their turn.
        await setImmediate();
        yielded = performance.now();
      }
      if (!current()) return;
      const at = { topic, partition, offset: record.offset };
      const end = metrics.seconds.startTimer();
      const verdict = await judge(record, at);
      end();
      if (verdict.deaths.length > 0) await bury(at, verdict);
      count(verdict, record.value?.length ?? 0);
      if (bytes + verdict.value.length > groupBytes || group.length >= groupRecords) await flush();
      group.push({ topic: cleanTopic, partition: to, value: verdict.value });
      if (verdict.room !== undefined) rooms.push(verdict.room);
      bytes += verdict.value.length;
    }
    await flush();
  };
};
