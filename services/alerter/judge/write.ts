/** Writes changes and marks to alerts.transitions: each once, whoever judges it again. */
import type { Log, RecordProducer } from "@astralog/chassis";
import { type AlertTransition, encodeRecord } from "@astralog/schemas";
import type { AlerterMetrics } from "../metrics.ts";
import { sendSurely } from "../send.ts";
import { type Bench, remember } from "./bench.ts";

export interface WriteDeps {
  readonly producer: RecordProducer;
  readonly metrics: AlerterMetrics;
  readonly log: Log;
}

export type Write = (bench: Bench, transitions: readonly AlertTransition[]) => Promise<void>;

/** Resolves once Kafka has them, or when the partition is somebody else's. */
export const createWrite =
  ({ producer, metrics, log }: WriteDeps, { topic, schemaId }: { topic: string; schemaId: number }): Write =>
  async (bench, transitions) => {
    const fresh = transitions.filter(({ id }) => !bench.there.has(id));
    bench.dirty = true;
    const records = fresh.map((one) => ({
      ...{ topic, partition: bench.partition, key: one.incident },
      value: encodeRecord("AlertTransition", schemaId, one),
    }));
    const sent = await sendSurely(producer, log, records, () => !bench.lost);
    if (sent === undefined) return;
    for (const { offset } of sent) bench.written = Math.max(bench.written, offset + 1);
    remember(
      bench,
      fresh.map(({ id }) => id),
    );
    for (const { kind, to_state: to } of fresh) kind === "mark" ? metrics.marks.inc() : metrics.transitions.inc({ to });
  };
